/* Convolution over space and channels: every output value sees kernel_h x kernel_w x in_c inputs.
 *
 * The inputs under the kernel ("patch") of three neighbouring outputs are widened into scratch, the
 * zero point standing for what lies outside; then tk_halves makes their inner products with all
 * output channels. Channels are in short form (TK_FLAG_SIMPLE); TK_CONV_PLAIN takes what can't be.
 *
 * Weights (op->data): as tk_halves.h says, patch length rounded up to a multiple of 4 with zeros, an
 * even number of rows (zeros when out_c is odd), and as many channels.
 *
 * Scratch: three widened patches (6 words for four inputs), one patch of bytes (with up to 3 more).
 *
 * The output may overlap the input as far as three patches are in scratch before their outputs are
 * written (tinykit/engine/convolutions.py reckons how far). Whole rows under the kernel are copied by
 * words: up to 3 bytes behind the input are read, and of no effect.
 */
#include "tk_check.h"
#include "tk_halves.h"
#include "tk_kernels.h"

static uint32_t quads_of(const tk_op *op)
{
    return ((uint32_t)op->kernel_h * op->kernel_w * op->in_c + 3u) / 4u;
}

tk_status tk_check_conv(const tk_plan *plan, const tk_op *op)
{
    const uint64_t quads = ((uint64_t)op->kernel_h * op->kernel_w * op->in_c + 3u) / 4u;
    tk_status status = tk_check_window(op);
    if (status == TK_OK) {
        status = tk_check_halves(plan, op, quads);
    }
    if (status == TK_OK && op->scratch_bytes < quads * (4u * TK_QUAD_WORDS + 4u) + 4u) {
        status = TK_ERR_PARAMETER;
    }
    if (status == TK_OK &&
        !tk_within(op->in0, (uint64_t)op->in_h * op->in_w * op->in_c + (op->in_c % 4u ? 3u : 0u),
                   plan->header->arena_bytes)) {
        status = TK_ERR_BOUNDS;
    }
    return status;
}

/* Four bytes at a time: up to 3 more than asked for. */
TK_INLINE uint8_t *copy(uint8_t *to, const uint8_t *from, uint32_t count)
{
    uint8_t *const end = to + count;
    for (; to < end; to += 4, from += 4) {
        tk_store32(to, tk_load32(from));
    }
    return end;
}

static uint8_t *fill(uint8_t *to, uint32_t count, uint8_t value)
{
    while (count-- > 0) {
        *to++ = value;
    }
    return to;
}

/* Copy one row under the kernel: columns x, x + dilation... of `line`, some of them outside. */
TK_LOOP uint8_t *edge(const tk_op *op, const uint8_t *line, int32_t x, uint8_t *to)
{
    const uint32_t depth = op->in_c;
    const uint8_t zero = (uint8_t)op->zero0;
    int32_t columns = op->kernel_w;
    while (columns > 0) {
        if (x < 0 || x >= op->in_w) {
            to = fill(to, depth, zero);
        } else {
            to = copy(to, line + (uint32_t)x * depth, depth);
        }
        x += op->dilation_w;
        columns--;
    }
    return to;
}

/* Copy what lies under the kernel whose first tap is at (y, x). */
TK_LOOP void stage(const tk_op *op, const uint8_t *in, int32_t y, int32_t x, uint8_t *to)
{
    const uint32_t depth = op->in_c, width = op->kernel_w * depth, line = op->in_w * depth;
    const int32_t below = y + op->kernel_h * op->dilation_h;
    const int whole = op->dilation_w == 1 && x >= 0 && x + op->kernel_w <= op->in_w;
    for (; y < below; y += op->dilation_h) {
        if (y < 0 || y >= op->in_h) {
            to = fill(to, width, (uint8_t)op->zero0);
        } else if (whole) {
            to = copy(to, in + (uint32_t)y * line + (uint32_t)x * depth, width);
        } else {
            to = edge(op, in + (uint32_t)y * line, x, to);
        }
    }
}

/* Widen what lies under the kernel whose first tap is at (y, x), if all of it is inside and each
 * row is whole words. */
TK_LOOP void widen_rows(const tk_op *op, const uint8_t *from, uint32_t *patch)
{
    const uint32_t quads = (uint32_t)op->kernel_w * op->in_c / 4u;
    const uint32_t line = (uint32_t)op->dilation_h * op->in_w * op->in_c;
    for (uint32_t rows = op->kernel_h; rows > 0; rows--, from += line) {
        tk_halves_widen(patch, from, quads, TK_PIXELS, TK_QUAD_WORDS);
        patch += TK_QUAD_WORDS * quads;
    }
}

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *const in = arena + op->in0;
    uint32_t *const patches = (uint32_t *)(void *)(arena + op->scratch);
    const uint32_t quads = quads_of(op), depth = op->in_c;
    uint8_t *const bytes = (uint8_t *)(patches + TK_QUAD_WORDS * quads);
    const int32_t last_x = op->in_w - (op->kernel_w - 1) * op->dilation_w - 1;
    const int32_t last_y = op->in_h - (op->kernel_h - 1) * op->dilation_h - 1;
    const int words = (op->kernel_w * depth & 3u) == 0 && (op->dilation_w == 1 || op->kernel_w == 1);
    int32_t y = -op->pad_top, x = -op->pad_left; /* first tap of an output */
    const int32_t end = op->out_w * op->stride_w - op->pad_left;
    uint32_t left = (uint32_t)op->out_h * op->out_w;
    int8_t *out = (int8_t *)(arena + op->out);

    memset(patches, 0, quads * 4u * (TK_QUAD_WORDS + 1u) + 4u);
    for (;;) {
        for (uint32_t i = 0; i < TK_PIXELS; i++) {
            if (words && x >= 0 && x <= last_x && y >= 0 && y <= last_y) {
                widen_rows(op, in + (uint32_t)(y * op->in_w + x) * depth, patches + i);
            } else {
                stage(op, in, y, x, bytes);
                tk_halves_widen(patches + i, bytes, quads, TK_PIXELS, TK_QUAD_WORDS);
            }
            if (i + 1 < left) { /* else the last once more */
                x += op->stride_w;
                if (x == end) {
                    x = -op->pad_left;
                    y += op->stride_h;
                }
            }
        }
        tk_halves_pixels(op, plan, patches, quads, out, left);
        if (left <= TK_PIXELS) {
            break;
        }
        out += TK_PIXELS * op->out_c;
        left -= TK_PIXELS;
    }
    tk_clamp_output(op, arena);
}
