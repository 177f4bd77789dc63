/* tk_pairs: lines of a picture as pairs of neighbours, for depthwise kernels.
 *
 * A depthwise convolution shares nothing between channels, so these kernels go by channel: four
 * channels at a time are taken out of the picture, line by line, into words of two int16 (the
 * values at an even position and at the one behind it), with the zero points around the picture
 * written out. Each value is widened once, one SMLAD does two taps, and because a line is read
 * before any output of it is written, the output may be written onto the input.
 *
 * A line runs along a row or along a column, whichever makes long lines; what is said here of
 * `step` (bytes from one value of a line to the next) and `pitch` (from one line to the next)
 * holds for both.
 */
#ifndef TK_PAIRS_H
#define TK_PAIRS_H

#include "tk_quant.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Naked functions take all registers for themselves; their constants wait in the FPU's. */
#if TK_DSP && defined(__ARM_FP) && defined(__thumb2__)
#define TK_NAKED 1
#else
#define TK_NAKED 0
#endif

/* Which four input channels, and how their lines lie in memory. */
typedef struct tk_pairs {
    const uint8_t *picture; /* the first of four neighbouring channels, at line 0, position 0 */
    uint32_t step, pitch;   /* bytes */
    uint32_t count, lines;  /* values in a line, lines in the picture */
    uint32_t pad;           /* positions before the first value */
    uint32_t words;         /* to be made of each line */
    uint32_t stride;        /* between words of a line and of a channel, in words of 4 bytes; at least 4 */
    uint32_t zero;          /* zero point, four times in a word */
} tk_pairs;

/* The values (a, b) at two positions of four channels, as four words. */
TK_INLINE void tk_pair4(uint32_t *to, uint32_t a, uint32_t b)
{
    const uint32_t low = (a & 0xFFFFu) | (b << 16), high = (a >> 16) | (b & 0xFFFF0000u);
    to[0] = tk_sxtb16(low);
    to[1] = tk_sxtb16_odd(low);
    to[2] = tk_sxtb16(high);
    to[3] = tk_sxtb16_odd(high);
}

/* Line `number` (0 is the picture's first, others may lie outside) of four channels into `to`: word k
 * of channel c at to[k * stride + c]. */
void tk_pairs_line(const tk_pairs *pairs, int32_t number, uint32_t *to);

#ifdef __cplusplus
}
#endif
#endif
