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

#include "tk_check.h"
#include "tk_quant.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which four input channels, and how their lines lie in memory. */
typedef struct tk_pairs {
    const uint8_t *picture; /* the first of four neighbouring channels, at line 0, position 0 */
    uint32_t step, pitch;   /* bytes */
    uint32_t lines;         /* in the picture */
    uint32_t stride;        /* between words of a line and of a channel, in words of 4 bytes; at least 4 */
    uint32_t zero;          /* zero point, four times in a word */
    /* Words of a line, in order (tk_pairs_split): of zero points, one with the first value behind one
     * (or none), with two values, one with the last value before one (or none), of zero points. */
    uint32_t words, head, odd, whole, tail, rest;
} tk_pairs;

/* Lines of `count` values (0: none is in the picture) behind `pad` zero points, as `words` words. */
void tk_pairs_split(tk_pairs *pairs, uint32_t count, uint32_t pad, uint32_t words);

/* A depthwise convolution by lines: p[0] = 0 along rows, 1 along columns; p[1] outputs from each input
 * channel. Kernel, strides, dilations and padding along and across lines. */
typedef struct tk_lines {
    uint32_t in, in_lines, out, out_lines; /* positions in a line; lines */
    uint32_t kernel, kernel_lines, stride, stride_lines, dilation, dilation_lines, pad, pad_lines;
    uint32_t in_step, in_pitch, out_step, out_pitch; /* bytes */
} tk_lines;

tk_lines tk_lines_of(const tk_op *op);

/* What the kernels by lines have in common: a record of four output channels at a time, in short
 * form, with a byte of weight for each tap and `extra` more a channel. */
tk_status tk_check_lines(const tk_plan *plan, const tk_op *op, uint32_t extra);

/* How sums become outputs, as the assembly takes it. With a floor (tk_is_floored) 256 times the sum is
 * added up, else twice the sum. */
typedef struct tk_line_channel {
    int32_t bias, multiplier;
    int32_t offset, shift;   /* with a floor: of tk_short; else the zero point, and 2^(32 - shift) negative */
    uint32_t plane;          /* bytes from a pair's first channel to the input's */
    uint32_t reserved;
} tk_line_channel;

TK_INLINE void tk_line_channel_from(tk_line_channel *to, const tk_channel *from, uint32_t plane, int32_t zero,
                                    int floored)
{
    const uint32_t shift = (uint32_t)from->shift; /* of the second rounding, and 7 more */
    to->bias = floored ? from->bias : from->bias >> 7;
    to->multiplier = from->multiplier;
    /* A channel that gives one value only (multiplier 0) has it in the offset. */
    to->offset = floored ? from->offset : from->multiplier != 0 ? zero : from->offset >> (from->shift & 31);
    to->shift = floored ? from->shift : (int32_t)(0u - (1u << ((39u - shift) & 31u)));
    to->plane = plane;
}

/* From so many times a sum to its int8, for the C twins. */
TK_INLINE uint8_t tk_line_finish(const tk_line_channel *c, int32_t sum, int floored)
{
    if (floored) {
        const tk_channel channel = {0, c->multiplier, c->offset, c->shift};
        return (uint8_t)tk_short(sum, &channel, 1);
    }
    const int32_t value = tk_smmulr(sum, c->multiplier);
    return (uint8_t)tk_ssat8(tk_smmlsr(tk_add_wrap(value, value >> 31), c->shift, c->offset));
}

/* 256 times two weights, to what is added up. */
TK_INLINE uint32_t tk_line_weights(uint32_t two, int floored)
{
    const uint32_t low = (uint32_t)((int32_t)(two << 16) >> 23), high = (uint32_t)((int32_t)two >> 23);
    return floored ? two : (low & 0xFFFFu) | high << 16;
}

TK_INLINE uint32_t tk_halfwords(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

TK_INLINE int32_t tk_half(uint32_t word, uint32_t which)
{
    return (int16_t)(word >> 16u * which);
}

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
