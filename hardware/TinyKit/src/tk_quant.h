/* tk_quant: the fixed-point arithmetic of int8 networks, inline.
 *
 * The real factor between a sum and an output value is multiplier / 2^31 * 2^shift. It is applied
 * with two roundings, as TensorFlow Lite Micro does, so that answers agree bit for bit:
 * first a product rounded half up to 32 bits, then a shift rounded half away from zero.
 * (Jacob et al., "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference", 2018, section 2.2.)
 *
 * Helpers with inline assembly are for cores with the DSP extension (Cortex-M4); each has a twin in
 * plain C with the same results. Sums wrap modulo 2^32 instead of overflowing.
 */
#ifndef TK_QUANT_H
#define TK_QUANT_H

#include <stdint.h>
#include <string.h>

#include "tk_plan.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && defined(__thumb2__) && defined(__GNUC__)
#define TK_DSP 1
#else
#define TK_DSP 0
#endif

/* Naked functions take all registers for themselves; their constants wait in the FPU's. */
#if TK_DSP && defined(__ARM_FP)
#define TK_DSP_FPU 1
#else
#define TK_DSP_FPU 0
#endif

#if defined(__GNUC__)
#define TK_INLINE static inline __attribute__((always_inline))
#define TK_LOOP static __attribute__((noinline)) /* a hot loop, with the registers to itself */
#else
#define TK_INLINE static inline
#define TK_LOOP static
#endif

/* Four bytes from any address: one LDR. (In freestanding C, plain memcpy would be a call.) */
TK_INLINE uint32_t tk_load32(const void *from)
{
    uint32_t word;
#if defined(__GNUC__)
    __builtin_memcpy(&word, from, sizeof word);
#else
    memcpy(&word, from, sizeof word);
#endif
    return word;
}

TK_INLINE void tk_store32(void *to, uint32_t word)
{
#if defined(__GNUC__)
    __builtin_memcpy(to, &word, sizeof word);
#else
    memcpy(to, &word, sizeof word);
#endif
}

TK_INLINE int32_t tk_add_wrap(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* high half of a * b, + c */
TK_INLINE int32_t tk_smmla(int32_t a, int32_t b, int32_t c)
{
#if TK_DSP
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
#else
    return tk_add_wrap((int32_t)(((int64_t)a * b) >> 32), c);
#endif
}

/* a * b / 2^31, rounded half up; 2^31-1 when both are -2^31. */
TK_INLINE int32_t tk_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^n, rounded half away from zero; n in 0..31. */
TK_INLINE int32_t tk_round_shift(int32_t x, int32_t n)
{
    const int32_t mask = (int32_t)((1u << n) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> n) + ((x & mask) > threshold ? 1 : 0);
}

/* x * multiplier / 2^31 * 2^shift; multiplier >= 0, shift in -31..30. */
TK_INLINE int32_t tk_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    return tk_round_shift(tk_high_mul((int32_t)((uint32_t)x << left), multiplier), right);
}

/* (a * b + 2^31) / 2^32 */
TK_INLINE int32_t tk_smmulr(int32_t a, int32_t b)
{
#if TK_DSP
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* c - (a * b + 2^31) / 2^32 */
TK_INLINE int32_t tk_smmlsr(int32_t a, int32_t b, int32_t c)
{
#if TK_DSP
    int32_t result;
    __asm__("smmlsr %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
#else
    return (int32_t)(((int64_t)((uint64_t)(int64_t)c << 32) - (int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* tk_requantize for |x| < 2^30 and a shift to the right by `right` bits, 0..30. */
TK_INLINE int32_t tk_requantize_right(int32_t x, int32_t multiplier, int32_t right)
{
    const int32_t value = tk_smmulr((int32_t)((uint32_t)x << 1), multiplier);
    return right == 0 ? value : (value + (value >> 31) + (1 << (right - 1))) >> right;
}

/* tk_requantize for sums of 64 bits, as the reference does it: with the multiplier's upper 16 bits, rounded
 * once. |x| < 2^47, shift in -31..7; modulo 2^32 beyond. */
TK_INLINE int32_t tk_requantize_long(int64_t x, int32_t multiplier, int32_t shift)
{
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const uint64_t product = (uint64_t)x * (uint64_t)reduced + ((uint64_t)1 << (14 - shift));
    return (int32_t)(uint32_t)(uint64_t)((int64_t)product >> (15 - shift));
}

TK_INLINE int32_t tk_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Clamp to -128..127. */
TK_INLINE int32_t tk_ssat8(int32_t x)
{
#if TK_DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return tk_clamp(x, -128, 127);
#endif
}

/* Bytes 0 and 2 of x, as two signed 16-bit halves. */
TK_INLINE uint32_t tk_sxtb16(uint32_t x)
{
#if TK_DSP
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return ((uint32_t)(int32_t)(int8_t)(x & 0xFFu) & 0xFFFFu) |
           ((uint32_t)(int32_t)(int8_t)((x >> 16) & 0xFFu) << 16);
#endif
}

/* Bytes 1 and 3 of x, likewise. */
TK_INLINE uint32_t tk_sxtb16_odd(uint32_t x)
{
#if TK_DSP
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(x));
    return result;
#else
    return tk_sxtb16(x >> 8);
#endif
}

/* Two products of 16-bit halves, added to a sum. */
TK_INLINE int32_t tk_mac_pair(uint32_t a, uint32_t b, int32_t sum)
{
#if TK_DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const int32_t low = (int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu);
    const int32_t high = (int16_t)(a >> 16) * (int16_t)(b >> 16);
    return tk_add_wrap(tk_add_wrap(sum, low), high);
#endif
}

/* How sums become outputs, for one op: kept in registers, where a tk_op would be read again after
 * every byte that is written. */
typedef struct tk_output {
    int32_t zero, low, high;
} tk_output;

TK_INLINE tk_output tk_output_of(const tk_op *op)
{
    const tk_output output = {op->zero_out, op->low, op->high};
    return output;
}

/* Whether an op's channels are in short form. Its kernel then leaves clamps within -128..127 to
 * tk_clamp_output. */
TK_INLINE int tk_is_short(const tk_op *op)
{
    return (op->flags & TK_FLAG_SIMPLE) != 0;
}

/* Whether nothing below the zero point comes out (ReLU, or a zero point of -128): tk_short may then
 * take sums below zero for what it likes, as long as they come out as the zero point or less. */
TK_INLINE int tk_is_floored(const tk_op *op)
{
    return op->low >= op->zero_out;
}

/* From 256 times an output channel's sum, bias included, to its int8, by the channel's short form.
 * `floored` (tk_is_floored) is a constant where it is called.
 *
 * With v = sum * multiplier / 2^31 and n = shift - 7, the two roundings give, for sums of zero and
 * more, v + 1/2 + half rounded down to a multiple of 2^n, where half = 2^(n-1); below zero they give
 * v - 1/2 + half, because halves go away from zero. Here the upper half of the product is 128 * v,
 * rounded down; offset = 128 * (1/2 + half + zero point * 2^n); rounding down twice is the same as
 * rounding down once.
 */
TK_INLINE int8_t tk_short(int32_t sum256, const tk_channel *channel, int floored)
{
    int32_t value = tk_smmla(sum256, channel->multiplier, channel->offset);
    if (!floored) {
        value = tk_add_wrap(value, (int32_t)((uint32_t)(sum256 >> 31) << 7));
    }
    return (int8_t)tk_ssat8(value >> channel->shift);
}

/* From an output channel's sum, without its bias, to its int8; for kernels that have one sum at a
 * time. `quick` (tk_is_short) is a constant where it is called. */
TK_INLINE int8_t tk_finish(int32_t sum, const tk_channel *channel, const tk_output *output, int quick)
{
    if (quick) {
        return tk_short(tk_add_wrap((int32_t)((uint32_t)sum << 8), channel->bias), channel, 0);
    }
    const int32_t value = tk_requantize(tk_add_wrap(sum, channel->bias), channel->multiplier, -channel->shift);
    return (int8_t)tk_clamp(tk_add_wrap(value, output->zero), output->low, output->high);
}

/* The clamp of an op whose kernel has gone the short way; nothing to do when it is -128..127. */
void tk_clamp_output(const tk_op *op, uint8_t *arena);

#endif
