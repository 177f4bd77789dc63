#include "tk_sums.h"

#define MOST 256u /* values of -128 whose sum is an int16 */

void tk_sum4(const uint8_t *from, uint32_t step, uint32_t count, int32_t *sums)
{
    while (count > 0) {
        uint32_t now = count < MOST ? count : MOST;
        uint32_t even = 0, odd = 0; /* two int16 each: channels 0 and 2, 1 and 3 */
        count -= now;
#if TK_DSP
        if (now >= 4) {
            uint32_t a, b, c, fours = now / 4u;
            __asm__ volatile("1: ldr %[a], [%[from]]\n\t"
                             "ldr %[b], [%[from], %[step]]\n\t"
                             "ldr %[c], [%[from], %[step], lsl #1]\n\t"
                             "add %[from], %[from], %[step], lsl #1\n\t"
                             "sxtab16 %[even], %[even], %[a]\n\t"
                             "sxtab16 %[odd], %[odd], %[a], ror #8\n\t"
                             "ldr %[a], [%[from], %[step]]\n\t"
                             "add %[from], %[from], %[step], lsl #1\n\t"
                             "sxtab16 %[even], %[even], %[b]\n\t"
                             "sxtab16 %[odd], %[odd], %[b], ror #8\n\t"
                             "sxtab16 %[even], %[even], %[c]\n\t"
                             "sxtab16 %[odd], %[odd], %[c], ror #8\n\t"
                             "sxtab16 %[even], %[even], %[a]\n\t"
                             "sxtab16 %[odd], %[odd], %[a], ror #8\n\t"
                             "subs %[fours], %[fours], #1\n\t"
                             "bne 1b"
                             : [from] "+r"(from), [even] "+r"(even), [odd] "+r"(odd), [fours] "+r"(fours),
                               [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c)
                             : [step] "r"(step)
                             : "cc", "memory");
            now %= 4u;
        }
        for (; now > 0; now--, from += step) {
            const uint32_t word = tk_load32(from);
            __asm__("sxtab16 %0, %0, %1" : "+r"(even) : "r"(word));
            __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(odd) : "r"(word));
        }
#else
        for (; now > 0; now--, from += step) {
            const uint32_t word = tk_load32(from), low = tk_sxtb16(word), high = tk_sxtb16_odd(word);
            even = ((even + low) & 0xFFFFu) | ((even & 0xFFFF0000u) + (low & 0xFFFF0000u));
            odd = ((odd + high) & 0xFFFFu) | ((odd & 0xFFFF0000u) + (high & 0xFFFF0000u));
        }
#endif
        sums[0] += (int16_t)even;
        sums[1] += (int16_t)odd;
        sums[2] += (int16_t)(even >> 16);
        sums[3] += (int16_t)(odd >> 16);
    }
}
