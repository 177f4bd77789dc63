/* tk_halves: inner products of int8 with one unpacking for four weights, for the kernels of
 * convolutions and dense layers.
 *
 * SMLAD multiplies two pairs of 16-bit numbers, so int8 weights must be widened first: two
 * instructions for four weights. Here it is one. Of four weights w0..w3 the plan keeps the word
 *
 *   h = (256 * w1 + w0, 256 * w3 + w2)       whose low bytes, as SXTB16 takes them, are (w0, w2)
 *
 * and of four inputs x0..x3 the kernel writes two words into scratch, once for all channels:
 *
 *   a = (x1 - 127, x3 - 127)     b = (256 * x0 - x1 + 127, 256 * x2 - x3 + 127)
 *
 * Then SMLAD(h, a) + SMLAD(SXTB16(h), b) = 256 * (w0 x0 + w1 x1 + w2 x2 + w3 x3 - 127 (w1 + w3)).
 * Without the 127, b would not fit in 16 bits; the host puts what they add up to into the bias. Sums
 * are 256 times too large modulo 2^32, which does no harm while they are below 2^23 in size: the
 * short form of tk_channel, which goes on from there. h must fit too: w1 = -128 goes with w0 >= 0
 * only. The host checks both (tinykit/engine/pack.py) and takes a plain kernel otherwise.
 */
#ifndef TK_HALVES_H
#define TK_HALVES_H

#include "tk_quant.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_PIXELS 3u       /* whose sums tk_halves_tiles makes at a time */
#define TK_QUAD_WORDS 6u   /* of its scratch for four inputs: b of each pixel, a of each pixel */

#if !TK_DSP
/* Two products of 16 bits, added to a sum. */
TK_INLINE int32_t tk_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    const int32_t low = (int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu);
    const int32_t high = (int16_t)(a >> 16) * (int16_t)(b >> 16);
    return tk_add_wrap(tk_add_wrap(sum, low), high);
}
#endif

/* Widen `quads` times four inputs at any address: b to `to[0]`, a to `to[a_at]`, and on by `step`
 * words. The constants are known where it is called. */
TK_INLINE void tk_halves_widen(uint32_t *to, const uint8_t *from, uint32_t quads, uint32_t a_at, uint32_t step)
{
    const uint32_t offsets = 0xFF81FF81u, odd_bytes = 0xFF00FF00u; /* two times -127 */
    for (; quads > 0; quads--, from += 4, to += step) {
        const uint32_t word = tk_load32(from);
#if TK_DSP
        uint32_t a, b;
        __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(a) : "r"(offsets), "r"(word));
        __asm__("ssub16 %0, %1, %2" : "=r"(b) : "r"(word << 8 & odd_bytes), "r"(a));
#else
        const uint32_t odd = tk_sxtb16_odd(word), shifted = word << 8 & odd_bytes;
        const uint32_t a = ((odd + offsets) & 0xFFFFu) | ((odd & 0xFFFF0000u) + (offsets & 0xFFFF0000u));
        const uint32_t b = ((shifted - a) & 0xFFFFu) | ((shifted & 0xFFFF0000u) - (a & 0xFFFF0000u));
#endif
        to[0] = b;
        to[a_at] = a;
    }
}

/* All output channels of three pixels: for two channels at a time the inner products, then their
 * int8 by the channels' short form, to out[0], out[1] and out[2], which move on by one a channel.
 *
 * weights   for each pair of channels and each four inputs: a word h of either channel
 * patches   widened inputs, for each four of them TK_QUAD_WORDS
 * channels  an even number of them, up to `end`; at least two
 * quads     fours of inputs to one output, at least one
 */
void tk_halves_tiles(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                     const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                     const tk_channel *end, uint32_t quads);

/* Likewise for an op that tk_is_floored. */
void tk_halves_tiles_floored(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                             const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                             const tk_channel *end, uint32_t quads);

/* All output channels of three pixels of a convolution, of which the first `left` (1 or more) are
 * wanted; the patches of the others are those of the last wanted one. */
void tk_halves_pixels(const tk_op *op, const uint8_t *plan, const uint32_t *patches, uint32_t quads, int8_t *out,
                      uint32_t left);

/* What the check of a convolution with such weights looks at: weights, channels, work. */
tk_status tk_check_halves(const tk_plan *plan, const tk_op *op, uint64_t quads);

#ifdef __cplusplus
}
#endif
#endif
