/* tk_mac16: inner products of int8 for four rows of weights at a time, which lie interleaved by words. */
#ifndef TK_MAC16_H
#define TK_MAC16_H

#include "tk_quant.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Four inputs times four weights of four outputs; pointers move on. */
TK_INLINE void tk_mac16(int32_t *s0, int32_t *s1, int32_t *s2, int32_t *s3, const uint8_t **in,
                        const uint8_t **weights)
{
#if TK_DSP
    uint32_t even, odd, wa, wb, t;
    __asm__("ldr %[odd], [%[in]], #4\n\t"
            "ldr %[wa], [%[w]], #16\n\t"
            "ldr %[wb], [%[w], #-12]\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "sxtb16 %[t], %[wa]\n\t"
            "sxtb16 %[wa], %[wa], ror #8\n\t"
            "smlad %[s0], %[t], %[even], %[s0]\n\t"
            "smlad %[s0], %[wa], %[odd], %[s0]\n\t"
            "sxtb16 %[t], %[wb]\n\t"
            "sxtb16 %[wb], %[wb], ror #8\n\t"
            "smlad %[s1], %[t], %[even], %[s1]\n\t"
            "smlad %[s1], %[wb], %[odd], %[s1]\n\t"
            "ldr %[wa], [%[w], #-8]\n\t"
            "ldr %[wb], [%[w], #-4]\n\t"
            "sxtb16 %[t], %[wa]\n\t"
            "sxtb16 %[wa], %[wa], ror #8\n\t"
            "smlad %[s2], %[t], %[even], %[s2]\n\t"
            "smlad %[s2], %[wa], %[odd], %[s2]\n\t"
            "sxtb16 %[t], %[wb]\n\t"
            "sxtb16 %[wb], %[wb], ror #8\n\t"
            "smlad %[s3], %[t], %[even], %[s3]\n\t"
            "smlad %[s3], %[wb], %[odd], %[s3]"
            : [s0] "+r"(*s0), [s1] "+r"(*s1), [s2] "+r"(*s2), [s3] "+r"(*s3), [in] "+r"(*in),
              [w] "+r"(*weights), [even] "=&r"(even), [odd] "=&r"(odd), [wa] "=&r"(wa), [wb] "=&r"(wb),
              [t] "=&r"(t)
            :
            : "memory");
#else
    const int8_t *x = (const int8_t *)*in, *w = (const int8_t *)*weights;
    *s0 = tk_add_wrap(*s0, x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3]);
    *s1 = tk_add_wrap(*s1, x[0] * w[4] + x[1] * w[5] + x[2] * w[6] + x[3] * w[7]);
    *s2 = tk_add_wrap(*s2, x[0] * w[8] + x[1] * w[9] + x[2] * w[10] + x[3] * w[11]);
    *s3 = tk_add_wrap(*s3, x[0] * w[12] + x[1] * w[13] + x[2] * w[14] + x[3] * w[15]);
    *in += 4;
    *weights += 16;
#endif
}

#ifdef __cplusplus
}
#endif
#endif
