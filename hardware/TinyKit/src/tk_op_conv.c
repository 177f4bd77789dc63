/* Convolution over space and channels: every output value sees kernel_h x kernel_w x in_c inputs.
 *
 * The inputs under the kernel ("patch") of three neighbouring outputs are widened into scratch, the
 * zero point standing for what lies outside; then tk_halves makes their inner products with all
 * output channels. Channels are in short form (TK_FLAG_SIMPLE); TK_CONV_PLAIN takes what can't be.
 *
 * Weights (op->data): as tk_halves.h says, patch length rounded up to a multiple of 4 with zeros, an
 * even number of rows (zeros when out_c is odd), and as many channels.
 *
 * Scratch: three widened patches (6 words for four inputs), and one patch of bytes, or three if a
 * row under the kernel is not whole words, with 16 bytes more each.
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

static uint64_t scratch_needed(const tk_op *op, uint64_t quads)
{
    const uint32_t copies = (uint32_t)op->kernel_w * op->in_c % 4u == 0 ? 1 : TK_PIXELS;
    return quads * 4u * TK_QUAD_WORDS + copies * (4u * quads + TK_NARROW);
}

tk_status tk_check_conv(const tk_plan *plan, const tk_op *op)
{
    const uint64_t quads = ((uint64_t)op->kernel_h * op->kernel_w * op->in_c + 3u) / 4u;
    tk_status status = tk_check_window(op);
    if (status == TK_OK) {
        status = tk_check_halves(plan, op, quads);
    }
    if (status == TK_OK && op->scratch_bytes < scratch_needed(op, quads)) {
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
    for (; count > 8; count -= 12, from += 12, to += 12) {
        const uint32_t a = tk_load32(from), b = tk_load32(from + 4), c = tk_load32(from + 8);
        tk_store32(to, a);
        tk_store32(to + 4, b);
        tk_store32(to + 8, c);
        if (count < 12) {
            return end;
        }
    }
    for (; to < end; to += 4, from += 4) {
        tk_store32(to, tk_load32(from));
    }
    return end;
}

TK_INLINE uint8_t *fill(uint8_t *to, uint32_t count, uint32_t values)
{
    uint8_t *const end = to + count;
    for (; to < end; to += 4) {
        tk_store32(to, values);
    }
    return end;
}

/* What all pixels of an op have in common. */
typedef struct work {
    const uint8_t *in;
    uint32_t *patches;
    uint8_t *bytes;         /* room for copies of patches, */
    uint32_t room;          /* each so many bytes apart */
    uint32_t quads;         /* of a patch */
    uint32_t width;         /* bytes of a row under the kernel */
    int32_t last_x, last_y; /* furthest first tap of which all columns, or rows, are on the picture */
} work;

/* Copy what lies under the kernel whose first tap is at (y, x), partly outside or with gaps. */
TK_LOOP void stage(const tk_op *op, const work *job, int32_t y, int32_t x)
{
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    const uint32_t zeros = (uint8_t)op->zero0 * 0x01010101u;
    const int32_t columns = op->kernel_w, in_w = op->in_w, below = y + op->kernel_h * op->dilation_h;
    const int32_t before = x >= 0 ? 0 : x > -columns ? -x : columns;
    const int32_t end = x + columns < in_w ? x + columns : in_w;
    const int32_t inside = end > x + before ? end - x - before : 0;
    const uint32_t head = (uint32_t)before * depth, body = (uint32_t)inside * depth, tail = job->width - head - body;
    uint8_t *to = job->bytes;
    for (; y < below; y += op->dilation_h) {
        const uint8_t *const row = job->in + (uint32_t)y * line;
        if (y < 0 || y >= op->in_h) {
            to = fill(to, job->width, zeros);
        } else if (op->dilation_w == 1) {
            to = fill(to, head, zeros);
            to = body > 0 ? copy(to, row + (uint32_t)(x + before) * depth, body) : to;
            to = fill(to, tail, zeros);
        } else {
            int32_t column = x;
            for (int32_t i = 0; i < columns; i++, column += op->dilation_w) {
                if (column < 0 || column >= in_w) {
                    to = fill(to, depth, zeros);
                } else {
                    to = copy(to, row + (uint32_t)column * depth, depth);
                }
            }
        }
    }
}

/* Widened padding: `quads` times four zero points. */
static void blank(uint32_t *to, uint32_t quads, int32_t zero)
{
    const uint32_t a = ((uint32_t)(zero - 127) & 0xFFFFu) * 0x10001u;
    const uint32_t b = ((uint32_t)(255 * zero + 127) & 0xFFFFu) * 0x10001u;
    for (; quads > 0; quads--, to += TK_QUAD_WORDS) {
        to[0] = b;
        to[TK_PIXELS] = a;
    }
}

/* Widen what lies under the kernel for `count` neighbouring outputs, the first tap of the first one
 * at (y, x). With more than one, all columns are on the picture. */
TK_LOOP void gather(const tk_op *op, const work *job, int32_t y, int32_t x, uint32_t *to, uint32_t count)
{
    const uint32_t depth = op->in_c;
    tk_halves_place place = {op->kernel_h, (uint32_t)op->dilation_h * op->in_w * depth, count, op->stride_w * depth};
    const int across = x >= 0 && x <= job->last_x, down = y >= 0 && y <= job->last_y;
    if (across && job->width % 4u == 0) {
        const uint32_t quads = job->width / 4u;
        if (!down) { /* rows above and below are blank */
            uint32_t above = 0, rows = 0;
            for (; above < op->kernel_h && y < 0; above++) {
                y += op->dilation_h;
            }
            for (int32_t row = y; above + rows < op->kernel_h && row < op->in_h; rows++) {
                row += op->dilation_h;
            }
            for (uint32_t i = 0; i < count; i++) {
                blank(to + i, above * quads, op->zero0);
                blank(to + i + (above + rows) * quads * TK_QUAD_WORDS, (op->kernel_h - above - rows) * quads, op->zero0);
            }
            if (rows == 0) {
                return;
            }
            place.rows = rows;
            to += above * quads * TK_QUAD_WORDS;
        }
        tk_halves_widen_pixels(to, job->in + ((uint32_t)y * op->in_w + (uint32_t)x) * depth, quads, &place);
    } else if (across && down && job->width <= TK_NARROW) {
        tk_halves_copy(job->bytes, job->in + ((uint32_t)y * op->in_w + (uint32_t)x) * depth, job->width, &place,
                       job->room);
        place.rows = 1;
        place.step = job->room;
        tk_halves_widen_pixels(to, job->bytes, job->quads, &place);
    } else {
        place.rows = place.count = 1;
        for (uint32_t i = 0; i < count; i++, x += op->stride_w) {
            stage(op, job, y, x);
            tk_halves_widen_pixels(to + i, job->bytes, job->quads, &place);
        }
    }
}

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t quads = quads_of(op);
    const int whole = op->dilation_w == 1 || op->kernel_w == 1; /* rows without gaps */
    uint32_t *const patches = (uint32_t *)(void *)(arena + op->scratch);
    const work job = {arena + op->in0,
                      patches,
                      (uint8_t *)(patches + TK_QUAD_WORDS * quads),
                      4u * quads + TK_NARROW,
                      quads,
                      (uint32_t)op->kernel_w * op->in_c,
                      whole ? op->in_w - op->kernel_w : -1,
                      op->in_h - (op->kernel_h - 1) * op->dilation_h - 1};
    const int32_t stride = op->stride_w, end = op->out_w * stride - op->pad_left;
    int32_t y = -op->pad_top, x = -op->pad_left; /* first tap of an output */
    uint32_t left = (uint32_t)op->out_h * op->out_w;
    int8_t *out = (int8_t *)(arena + op->out);

    for (;;) {
        const int32_t third = x + 2 * stride;
        const uint32_t count = x >= 0 && third <= job.last_x && third < end ? TK_PIXELS : 1;
        for (uint32_t i = 0; i < TK_PIXELS; i += count) {
            gather(op, &job, y, x, patches + i, count);
            if (i + count < left) { /* else the last once more */
                x += stride * (int32_t)count;
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
