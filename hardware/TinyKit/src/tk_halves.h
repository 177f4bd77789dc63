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
#define TK_NARROW 16u      /* bytes of a row that tk_halves_copy takes */
#define TK_QUAD_WORDS 6u   /* of its scratch for four inputs: b of each pixel, a of each pixel */

#if TK_DSP
#define TK_NAKED __attribute__((naked, noinline)) /* written whole in assembly */
#endif

/* What lies under a kernel, or the row of a dense layer. */
typedef struct tk_halves_place {
    uint32_t rows;     /* at least one */
    uint32_t line;     /* bytes from row to row */
    uint32_t count;    /* pixels, at least one */
    uint32_t step;     /* bytes from pixel to pixel */
    uint32_t to_line, to_step; /* likewise in what tk_halves_copy writes */
} tk_halves_place;

/* Widen inputs at any address, `quads` (at least one) times four a row: rows follow one another in
 * `to`, pixels lie between one another. */
void tk_halves_widen_pixels(uint32_t *to, const uint8_t *from, uint32_t quads, const tk_halves_place *place);

/* Widen `quads` (at least one) times four inputs at any address for a dense layer: b and a of four
 * side by side. */
void tk_halves_widen_row(uint32_t *to, const uint8_t *from, uint32_t quads);

/* Copy rows of `width` (1..TK_NARROW) bytes. Reads up to 3 bytes more, and writes up to TK_NARROW more behind
 * each row. */
void tk_halves_copy(uint8_t *to, const uint8_t *from, uint32_t width, const tk_halves_place *place);

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

/* Likewise of one pixel, the first of the three, to `out0`. */
void tk_halves_single(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                      const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2, const tk_channel *end,
                      uint32_t quads);

/* What all pixels of a convolution have in common. */
typedef struct tk_halves_job {
    const uint8_t *weights;
    const uint32_t *patches, *patches_end;
    const tk_channel *channels, *end;  /* `end`: of an even number of channels, perhaps none */
    uint32_t quads, out_c;
    void (*tiles)(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                  const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2, const tk_channel *end,
                  uint32_t quads);
} tk_halves_job;

tk_halves_job tk_halves_job_of(const tk_op *op, const uint8_t *plan, const uint32_t *patches, uint32_t quads);

/* The last channel of an odd number, of the first `count` pixels. */
void tk_halves_last(const tk_halves_job *job, int8_t *out, uint32_t count);

/* All output channels of the first `count` (1..3) of the three pixels. Of two, the third pixel's patch
 * is that of the second. */
TK_INLINE void tk_halves_pixels(const tk_halves_job *job, int8_t *out, uint32_t count)
{
    int8_t *const out1 = out + job->out_c, *const out2 = count > 2 ? out1 + job->out_c : out1;
    if (job->channels != job->end) {
        (count > 1 ? job->tiles : tk_halves_single)(job->weights, job->patches, job->channels, job->patches_end, out,
                                                    out1, out2, job->end, job->quads);
    }
    if (job->out_c % 2u != 0) {
        tk_halves_last(job, out, count);
    }
}

/* What the check of a convolution with such weights looks at: weights, channels, work, at least `scratch`
 * bytes of memory of its own, and three bytes behind the input where words read over its end. */
tk_status tk_check_halves(const tk_plan *plan, const tk_op *op, uint64_t quads, uint64_t scratch);

#ifdef __cplusplus
}
#endif
#endif
