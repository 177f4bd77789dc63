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
    const tk_status status = tk_check_window(op);
    return status != TK_OK ? status : tk_check_halves(plan, op, quads, scratch_needed(op, quads));
}

/* What all pixels of an op have in common. */
typedef struct work {
    const tk_op *op;
    const uint8_t *in;
    uint8_t *bytes;         /* room for copies of patches */
    uint32_t quads;         /* of a patch */
    uint32_t width;         /* bytes of a row under the kernel */
    uint32_t line;          /* bytes of a row of the picture */
    uint32_t depth;
    int32_t last_x, last_y; /* furthest first tap of which all columns, or rows, are on the picture */
    /* Of three pixels in one line, and of one: */
    tk_halves_place three, one;               /* on the picture, */
    tk_halves_place three_copies, one_copy;   /* in `bytes` */
} work;

/* How many rows under a kernel that begins at y lie above the picture, and on it. */
typedef struct span {
    uint32_t above, rows;
    int32_t first; /* row of the picture */
} span;

TK_LOOP span span_of(const tk_op *op, int32_t y)
{
    const uint32_t kernel_h = op->kernel_h;
    const int32_t step = op->dilation_h, in_h = op->in_h;
    span s = {0, 0, y};
    for (; s.above < kernel_h && s.first < 0; s.above++) {
        s.first += step;
    }
    for (int32_t row = s.first; s.above + s.rows < kernel_h && row < in_h; s.rows++) {
        row += step;
    }
    return s;
}

/* Set the first `count` bytes of rows that begin `step` bytes apart, four at a time. */
TK_LOOP void fill(uint8_t *to, uint32_t rows, uint32_t step, uint32_t count, uint32_t values)
{
    const uint32_t rest = ((uint32_t)1 << count % 4u * 8u) - 1u;
    for (; count > 0 && rows > 0; rows--, to += step) {
        uint8_t *at = to;
        for (uint32_t words = count / 4u; words > 0; words--, at += 4) {
            tk_store32(at, values);
        }
        if (rest != 0) {
            tk_store32(at, (tk_load32(at) & ~rest) | (values & rest));
        }
    }
}

/* Copy four bytes at a time: up to 3 more than asked for. */
TK_LOOP void copy(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (uint8_t *const end = to + count; to < end; to += 4, from += 4) {
        tk_store32(to, tk_load32(from));
    }
}

/* Copy what lies under the kernel whose first tap is at (y, x), partly outside or with gaps. What
 * copying writes too much is written over. */
TK_LOOP void stage(const work *job, int32_t y, int32_t x)
{
    const tk_op *const op = job->op;
    const uint32_t depth = job->depth, width = job->width, zeros = (uint8_t)op->zero0 * 0x01010101u;
    const int32_t columns = op->kernel_w, in_w = op->in_w, gap = op->dilation_w;
    const span s = span_of(op, y);
    const uint8_t *from = job->in + (s.rows > 0 ? (uint32_t)s.first * job->line : 0u);
    uint8_t *const top = job->bytes + s.above * width, *to = top;
    fill(job->bytes, s.above, width, width, zeros);
    if (gap == 1) {
        const int32_t before = x >= 0 ? 0 : x > -columns ? -x : columns;
        const int32_t end = x + columns < in_w ? x + columns : in_w;
        const int32_t inside = end > x + before ? end - x - before : 0;
        const uint32_t head = (uint32_t)before * depth, body = (uint32_t)inside * depth, tail = width - head - body;
        tk_halves_place place = job->one;
        place.rows = s.rows;
        if (body > 0 && s.rows > 0) {
            from += (uint32_t)(x + before) * depth;
            if (body <= TK_NARROW) {
                tk_halves_copy(to + head, from, body, &place);
            } else {
                for (uint32_t rows = s.rows; rows > 0; rows--, to += width, from += place.line) {
                    copy(to + head, from, body);
                }
            }
        }
        fill(top, s.rows, width, head, zeros);
        fill(top + head + body, s.rows, width, tail, zeros);
    } else {
        for (uint32_t rows = s.rows; rows > 0; rows--, from += job->one.line) {
            int32_t column = x;
            for (int32_t i = 0; i < columns; i++, column += gap, to += depth) {
                if (column < 0 || column >= in_w) {
                    fill(to, 1, 0, depth, zeros);
                } else {
                    copy(to, from + (uint32_t)column * depth, depth);
                }
            }
        }
    }
    fill(top + s.rows * width, op->kernel_h - s.above - s.rows, width, width, zeros);
}

/* Widened padding: `quads` times four zero points. */
TK_LOOP void blank(uint32_t *to, uint32_t quads, int32_t zero)
{
    const uint32_t a = ((uint32_t)(zero - 127) & 0xFFFFu) * 0x10001u;
    const uint32_t b = ((uint32_t)(255 * zero + 127) & 0xFFFFu) * 0x10001u;
    for (; quads > 0; quads--, to += TK_QUAD_WORDS) {
        to[0] = b;
        to[TK_PIXELS] = a;
    }
}

/* Widen rows of whole words; those above and below the picture are blank. */
TK_LOOP void gather_rows(const work *job, int32_t y, int32_t x, uint32_t *to, tk_halves_place place)
{
    const uint32_t quads = job->width / 4u, words = quads * TK_QUAD_WORDS;
    const int32_t zero = job->op->zero0;
    const span s = span_of(job->op, y);
    for (uint32_t i = 0; i < place.count; i++) {
        blank(to + i, s.above * quads, zero);
        blank(to + i + (s.above + s.rows) * words, (place.rows - s.above - s.rows) * quads, zero);
    }
    place.rows = s.rows;
    if (s.rows > 0) {
        const uint8_t *const from = job->in + (uint32_t)s.first * job->line + (uint32_t)x * job->depth;
        tk_halves_widen_pixels(to + s.above * words, from, quads, &place);
    }
}

/* Widen what lies under the kernel for `count` neighbouring outputs, the first tap of the first one
 * at (y, x). With more than one, all columns are on the picture. */
TK_INLINE void gather(const work *job, int32_t y, int32_t x, uint32_t *to, uint32_t count)
{
    const int across = x >= 0 && x <= job->last_x, down = y >= 0 && y <= job->last_y;
    const uint8_t *const first = across && down ? job->in + (uint32_t)y * job->line + (uint32_t)x * job->depth : NULL;
    const tk_halves_place *const place = count > 1 ? &job->three : &job->one;
    if (across && job->width % 4u == 0) {
        if (down) {
            tk_halves_widen_pixels(to, first, job->width / 4u, place);
        } else {
            gather_rows(job, y, x, to, *place);
        }
    } else if (first != NULL && job->width <= TK_NARROW) {
        tk_halves_copy(job->bytes, first, job->width, place);
        tk_halves_widen_pixels(to, job->bytes, job->quads, count > 1 ? &job->three_copies : &job->one_copy);
    } else {
        for (uint32_t i = 0; i < count; i++, x += job->op->stride_w) {
            stage(job, y, x);
            tk_halves_widen_pixels(to + i, job->bytes, job->quads, &job->one_copy);
        }
    }
}

TK_LOOP void gather_one(const work *job, int32_t y, int32_t x, uint32_t *to)
{
    gather(job, y, x, to, 1);
}

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t quads = quads_of(op), depth = op->in_c, line = op->in_w * depth;
    const int whole = op->dilation_w == 1 || op->kernel_w == 1; /* rows without gaps */
    uint32_t *const patches = (uint32_t *)(void *)(arena + op->scratch);
    const tk_halves_job tiles = tk_halves_job_of(op, plan, patches, quads);
    const uint32_t room = 4u * quads + TK_NARROW;
    const tk_halves_place three = {op->kernel_h, op->dilation_h * line, TK_PIXELS, op->stride_w * depth,
                                   op->kernel_w * depth, room};
    const tk_halves_place one = {three.rows, three.line, 1, 0, three.to_line, 0};
    const tk_halves_place three_copies = {1, 0, TK_PIXELS, room, 0, 0}, one_copy = {1, 0, 1, 0, 0, 0};
    const work job = {op,
                      arena + op->in0,
                      (uint8_t *)(patches + TK_QUAD_WORDS * quads),
                      quads,
                      op->kernel_w * depth,
                      line,
                      depth,
                      whole ? op->in_w - op->kernel_w : -1,
                      op->in_h - (op->kernel_h - 1) * op->dilation_h - 1,
                      three,
                      one,
                      three_copies,
                      one_copy};
    const int32_t stride = op->stride_w, start = -op->pad_left, end = op->out_w * stride + start;
    int32_t y = -op->pad_top, x = start; /* first tap of an output */
    uint32_t left = (uint32_t)op->out_h * op->out_w;
    int8_t *out = (int8_t *)(arena + op->out);

    for (;;) {
        const uint32_t count = left < TK_PIXELS ? left : TK_PIXELS;
        const int32_t third = x + 2 * stride;
        if (x >= 0 && third <= job.last_x && third < end) {
            gather(&job, y, x, patches, TK_PIXELS);
            x = third + stride;
            if (x == end) {
                x = start;
                y += op->stride_h;
            }
        } else {
            for (uint32_t i = 0; i < count; i++) {
                gather_one(&job, y, x, patches + i);
                if (i == 1 && count == 2) { /* the last once more */
                    gather_one(&job, y, x, patches + 2);
                }
                x += stride;
                if (x == end) {
                    x = start;
                    y += op->stride_h;
                }
            }
        }
        tk_halves_pixels(&tiles, out, count);
        left -= count;
        if (left == 0) {
            break;
        }
        out += TK_PIXELS * tiles.out_c;
    }
    tk_clamp_output(op, arena);
}
