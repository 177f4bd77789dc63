#include "tk_pairs.h"

void tk_pairs_split(tk_pairs *pairs, uint32_t count, uint32_t pad, uint32_t words)
{
    pairs->words = words;
    pairs->head = pad / 2u < words ? pad / 2u : words;
    words -= pairs->head;
    pairs->odd = words > 0 && count > 0 ? pad & 1u : 0u;
    words -= pairs->odd;
    count -= pairs->odd;
    pairs->whole = count / 2u < words ? count / 2u : words;
    words -= pairs->whole;
    pairs->tail = words > 0 ? count & 1u : 0u;
    pairs->rest = words - pairs->tail;
}

/* `words` words of zero points. */
TK_INLINE uint32_t *outside(uint32_t pair, uint32_t words, uint32_t *to, uint32_t stride)
{
    for (; words > 0; words--, to += stride) {
        to[0] = pair;
        to[1] = pair;
        to[2] = pair;
        to[3] = pair;
    }
    return to;
}

/* `words` words from values inside the picture. */
TK_INLINE uint32_t *inside(const uint8_t *from, uint32_t step, uint32_t words, uint32_t *to, uint32_t stride)
{
#if TK_DSP
    const uint32_t bytes = 4u * stride;
    uint32_t a, b, t;
#define WORD                                                                                                  \
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
    /* Two at a time, from the middle when there is an odd number. */
    __asm__ volatile("cbz %[words], 3f\n\t"
                     "adds %[words], %[words], #1\n\t"
                     "lsrs %[words], %[words], #1\n\t"
                     "bcc 2f\n"
                     "1:\n\t" WORD "2:\n\t" WORD "subs %[words], %[words], #1\n\t"
                     "bne 1b\n"
                     "3:"
                     : [from] "+r"(from), [to] "+r"(to), [words] "+l"(words), [a] "=&r"(a), [b] "=&r"(b),
                       [t] "=&r"(t)
                     : [step] "r"(step), [bytes] "r"(bytes)
                     : "cc", "memory");
#undef WORD
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
    const uint32_t stride = pairs->stride, step = pairs->step, zero = pairs->zero, pair = tk_sxtb16(zero);
    const uint8_t *from;
    if ((uint32_t)number >= pairs->lines) {
        (void)outside(pair, pairs->words, to, stride);
        return;
    }
    from = pairs->picture + (uint32_t)number * pairs->pitch;
    to = outside(pair, pairs->head, to, stride);
    if (pairs->odd != 0) {
        tk_pair4(to, zero, tk_load32(from));
        from += step;
        to += stride;
    }
    to = inside(from, step, pairs->whole, to, stride);
    if (pairs->tail != 0) {
        tk_pair4(to, tk_load32(from + 2u * pairs->whole * step), zero);
        to += stride;
    }
    (void)outside(pair, pairs->rest, to, stride);
}

tk_lines tk_lines_of(const tk_op *op)
{
    const uint32_t depth = op->in_c, out_c = op->out_c;
    const uint32_t in_line = op->in_w * depth, out_line = op->out_w * out_c;
    if (op->p[0] == 0) {
        const tk_lines rows = {op->in_w,     op->in_h,     op->out_w,    op->out_h,    op->kernel_w,   op->kernel_h,
                               op->stride_w, op->stride_h, op->dilation_w, op->dilation_h, op->pad_left, op->pad_top,
                               depth,        in_line,      out_c,        out_line};
        return rows;
    }
    const tk_lines columns = {op->in_h,     op->in_w,     op->out_h,    op->out_w,    op->kernel_h,   op->kernel_w,
                              op->stride_h, op->stride_w, op->dilation_h, op->dilation_w, op->pad_top, op->pad_left,
                              in_line,      depth,        out_line,     out_c};
    return columns;
}

tk_status tk_check_lines(const tk_plan *plan, const tk_op *op, uint32_t extra)
{
    const uint64_t in_bytes = (uint64_t)op->in_h * op->in_w * op->in_c, taps = (uint64_t)op->kernel_h * op->kernel_w;
    tk_status status = tk_check_window(op);
    if (status != TK_OK) {
        return status;
    }
    if (op->p[1] < 1 || op->p[1] > 65535 || (uint64_t)op->in_c * (uint32_t)op->p[1] != op->out_c) {
        return TK_ERR_SHAPE;
    }
    if (op->p[0] < 0 || op->p[0] > 1 || !tk_is_short(op)) {
        return TK_ERR_PARAMETER;
    }
    /* Four channels are read from the first one of the last group, wherever the last one is. */
    const uint32_t over = (op->out_c - 1u) / 4u * 4u / (uint32_t)op->p[1] + 4u;
    if (!tk_within(op->in0, in_bytes + (over > op->in_c ? over - op->in_c : 0u), plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    status = tk_check_constants(plan, op->data, op->out_c * (taps + extra));
    if (status == TK_OK) {
        status = tk_check_channels(plan, op);
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * op->out_c * taps > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}
