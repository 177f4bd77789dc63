#include "tk_pairs.h"

/* `words` words from values inside the picture. */
TK_LOOP uint32_t *inner(const uint8_t *from, uint32_t step, uint32_t words, uint32_t *to, uint32_t stride)
{
#if TK_DSP
    const uint32_t bytes = 4u * stride;
    uint32_t a, b, t;
    if (words & 1u) {
        tk_pair4(to, tk_load32(from), tk_load32(from + step));
        from += 2u * step;
        to += stride;
    }
    words >>= 1;
    if (words == 0) {
        return to;
    }
#define TWO                                                                                                   \
    "ldr %[a], [%[from]]\n\t"                                                                                 \
    "ldr %[b], [%[from], %[step]]\n\t"                                                                        \
    "add %[from], %[from], %[step], lsl #1\n\t"                                                               \
    "pkhbt %[t], %[a], %[b], lsl #16\n\t"                                                                     \
    "pkhtb %[b], %[b], %[a], asr #16\n\t"                                                                     \
    "sxtb16 %[a], %[t]\n\t"                                                                                   \
    "sxtb16 %[t], %[t], ror #8\n\t"                                                                           \
    "str %[a], [%[to]]\n\t"                                                                                   \
    "str %[t], [%[to], #4]\n\t"                                                                               \
    "sxtb16 %[a], %[b]\n\t"                                                                                   \
    "sxtb16 %[b], %[b], ror #8\n\t"                                                                           \
    "str %[a], [%[to], #8]\n\t"                                                                               \
    "str %[b], [%[to], #12]\n\t"                                                                              \
    "add %[to], %[to], %[bytes]\n\t"
    __asm__ volatile("1:\n\t" TWO TWO "subs %[words], %[words], #1\n\t"
                     "bne 1b"
                     : [from] "+r"(from), [to] "+r"(to), [words] "+r"(words), [a] "=&r"(a), [b] "=&r"(b),
                       [t] "=&r"(t)
                     : [step] "r"(step), [bytes] "r"(bytes)
                     : "cc", "memory");
#undef TWO
#else
    for (; words > 0; words--) {
        tk_pair4(to, tk_load32(from), tk_load32(from + step));
        from += 2u * step;
        to += stride;
    }
#endif
    return to;
}

void tk_pairs_line(const tk_pairs *pairs, int32_t number, uint32_t *to)
{
    const uint32_t stride = pairs->stride, zero = pairs->zero;
    uint32_t *const end = to + pairs->words * stride;
    uint32_t left = pairs->count, before = pairs->pad / 2u;
    if (number >= 0 && (uint32_t)number < pairs->lines && before < pairs->words) {
        const uint8_t *from = pairs->picture + (uint32_t)number * pairs->pitch;
        uint32_t room;
        for (; before > 0; before--, to += stride) {
            tk_pair4(to, zero, zero);
        }
        if (pairs->pad & 1u) {
            tk_pair4(to, zero, tk_load32(from));
            from += pairs->step;
            left--;
            to += stride;
        }
        room = (uint32_t)(end - to) / stride;
        if (room <= left / 2u) {
            inner(from, pairs->step, room, to, stride);
            return;
        }
        to = inner(from, pairs->step, left / 2u, to, stride);
        if (left & 1u) {
            tk_pair4(to, tk_load32(from + (left - 1u) * pairs->step), zero);
            to += stride;
        }
    }
    for (; to != end; to += stride) {
        tk_pair4(to, zero, zero);
    }
}
