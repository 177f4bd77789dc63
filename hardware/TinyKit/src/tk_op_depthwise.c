/* Depthwise convolution: each channel by itself, p[1] outputs from each input channel.
 *
 * For each output pixel the kernel's taps are listed as arena offsets; a tap outside the picture
 * points to a row of zero points. Then four channels at a time run through the list.
 *
 * Weights (op->data): blocks of four output channels (missing ones are zeros), each [tap][4], so that
 * one pointer runs through them.
 *
 * p[0] rows of ring: 0 reads the input where it is. Otherwise the output may be written onto the
 * input: the last p[0] = (kernel_h - 1) * dilation_h + 1 input rows are kept as copies in scratch
 * (the host has checked that no row is overwritten before it has been copied).
 *
 * Scratch: taps (u32 each), a row of zero points (in_c, rounded up to 4), the ring.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

static uint64_t scratch_needed(const tk_op *op)
{
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;
    const uint64_t depth = ((uint64_t)op->in_c + 3u) & ~(uint64_t)3u;
    const uint64_t ring = (uint64_t)(uint32_t)op->p[0] * op->in_w * op->in_c;
    return taps * 4u + depth + ((ring + 3u) & ~(uint64_t)3u) + (op->p[0] > 0 ? 4u : 0u);
}

tk_status tk_check_depthwise(const tk_plan *plan, const tk_op *op)
{
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;
    const uint64_t in_bytes = (uint64_t)op->in_h * op->in_w * op->in_c;
    tk_status status = tk_check_window(op);
    if (status != TK_OK) {
        return status;
    }
    if (op->p[1] < 1 || op->p[1] > 65535 || (uint64_t)op->in_c * (uint32_t)op->p[1] != op->out_c) {
        return TK_ERR_SHAPE;
    }
    if (op->p[0] != 0 && op->p[0] != (op->kernel_h - 1) * op->dilation_h + 1) {
        return TK_ERR_PARAMETER;
    }
    if (op->scratch_bytes < scratch_needed(op)) {
        return TK_ERR_PARAMETER;
    }
    /* Reading by fours goes past the last value when in_c is not a multiple of 4. */
    if (!tk_within(op->in0, in_bytes + ((4u - op->in_c % 4u) & 3u), plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    status = tk_check_constants(plan, op->data, taps * ((op->out_c + 3u) & ~3u));
    if (status == TK_OK) {
        status = tk_check_channels(plan, op);
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * op->out_c * taps > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

/* What all pixels of an op have in common. */
typedef struct work {
    const uint8_t *arena, *weights;
    const uint32_t *taps, *end;
    const tk_channel *channels;
    uint32_t out_c;
    tk_output output;
} work;

/* Four channels' values under one tap times their weights; pointers move on. */
TK_INLINE void mac4(int32_t *s0, int32_t *s1, int32_t *s2, int32_t *s3, const uint8_t *arena,
                    const uint32_t **taps, const uint8_t **weights)
{
#if TK_DSP
    uint32_t x, w, u, v;
    __asm__("ldr %[x], [%[taps]], #4\n\t"
            "ldr %[w], [%[weights]], #4\n\t"
            "ldr %[x], [%[arena], %[x]]\n\t"
            "sxtb16 %[v], %[w]\n\t"
            "sxtb16 %[u], %[x]\n\t"
            "sxtb16 %[w], %[w], ror #8\n\t"
            "sxtb16 %[x], %[x], ror #8\n\t"
            "smlabb %[s0], %[u], %[v], %[s0]\n\t"
            "smlatt %[s2], %[u], %[v], %[s2]\n\t"
            "smlabb %[s1], %[x], %[w], %[s1]\n\t"
            "smlatt %[s3], %[x], %[w], %[s3]"
            : [s0] "+r"(*s0), [s1] "+r"(*s1), [s2] "+r"(*s2), [s3] "+r"(*s3), [taps] "+r"(*taps),
              [weights] "+r"(*weights), [x] "=&r"(x), [w] "=&r"(w), [u] "=&r"(u), [v] "=&r"(v)
            : [arena] "r"(arena)
            : "memory");
#else
    const int8_t *x = (const int8_t *)(arena + **taps), *w = (const int8_t *)*weights;
    *s0 = tk_add_wrap(*s0, x[0] * w[0]);
    *s1 = tk_add_wrap(*s1, x[1] * w[1]);
    *s2 = tk_add_wrap(*s2, x[2] * w[2]);
    *s3 = tk_add_wrap(*s3, x[3] * w[3]);
    *taps += 1;
    *weights += 4;
#endif
}

/* All channels of one output pixel, four at a time. */
TK_INLINE void pixel(const work *job, int8_t *out, int quick)
{
    const uint8_t *arena = job->arena, *weights = job->weights;
    const tk_channel *channels = job->channels;
    const tk_output output = job->output;
    for (uint32_t left = job->out_c; left > 0; arena += 4) {
        const uint32_t *tap = job->taps;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        while (job->end - tap >= 3) {
            mac4(&s0, &s1, &s2, &s3, arena, &tap, &weights);
            mac4(&s0, &s1, &s2, &s3, arena, &tap, &weights);
            mac4(&s0, &s1, &s2, &s3, arena, &tap, &weights);
        }
        while (tap != job->end) {
            mac4(&s0, &s1, &s2, &s3, arena, &tap, &weights);
        }
        if (left >= 4) {
            out[0] = tk_finish(s0, channels, &output, quick);
            out[1] = tk_finish(s1, channels + 1, &output, quick);
            out[2] = tk_finish(s2, channels + 2, &output, quick);
            out[3] = tk_finish(s3, channels + 3, &output, quick);
            channels += 4;
            out += 4;
            left -= 4;
        } else {
            for (; left > 0; left--, channels++) {
                *out++ = tk_finish(s0, channels, &output, quick);
                s0 = s1, s1 = s2;
            }
        }
    }
}

TK_LOOP void quick_pixel(const work *job, int8_t *out)
{
    pixel(job, out, 1);
}

TK_LOOP void any_pixel(const work *job, int8_t *out)
{
    pixel(job, out, 0);
}

/* One output pixel, several outputs from each input channel. */
TK_LOOP void many_pixel(const work *job, int8_t *out, uint32_t multiplier, int quick)
{
    const uint32_t count = (uint32_t)(job->end - job->taps);
    for (uint32_t c = 0; c < job->out_c; c++) {
        const int8_t *weights = (const int8_t *)job->weights + (c / 4u * count) * 4u + c % 4u;
        int32_t sum = 0;
        for (uint32_t t = 0; t < count; t++) {
            sum = tk_add_wrap(sum, (int8_t)job->arena[job->taps[t] + c / multiplier] * weights[4u * t]);
        }
        out[c] = tk_finish(sum, job->channels + c, &job->output, quick);
    }
}

/* Arena offsets of what lies under the kernel whose first tap is at (top, left). */
static void list(const tk_op *op, int32_t top, int32_t left, uint32_t ring, uint32_t zeros, uint32_t *taps)
{
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    int32_t y = top;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
        const int inside = y >= 0 && y < op->in_h;
        const uint32_t base = !inside         ? 0
                              : op->p[0] > 0 ? ring + (uint32_t)(y % op->p[0]) * line
                                             : op->in0 + (uint32_t)y * line;
        int32_t x = left;
        for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
            *taps++ = inside && x >= 0 && x < op->in_w ? base + (uint32_t)x * depth : zeros;
        }
    }
}

void tk_op_depthwise(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t count = (uint32_t)op->kernel_h * op->kernel_w;
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    const uint32_t zeros = op->scratch + 4u * count, ring = zeros + ((depth + 3u) & ~3u);
    const uint32_t multiplier = (uint32_t)op->p[1];
    const int32_t rows = op->p[0];
    uint32_t *const taps = (uint32_t *)(void *)(arena + op->scratch);
    work job = {arena,
                plan + op->data,
                taps,
                taps + count,
                (const tk_channel *)(const void *)(plan + op->channels),
                op->out_c,
                tk_output_of(op)};
    int8_t *out = (int8_t *)(arena + op->out);
    int32_t copied = 0; /* input rows that the ring has seen */

    memset(arena + zeros, op->zero0, (depth + 3u) & ~3u);
    for (int32_t row = 0; row < op->out_h; row++) {
        const int32_t top = row * op->stride_h - op->pad_top;
        const int32_t last = top + (op->kernel_h - 1) * op->dilation_h;
        while (rows > 0 && copied <= last && copied < op->in_h) {
            memmove(arena + ring + (uint32_t)(copied % rows) * line,
                    arena + op->in0 + (uint32_t)copied * line, line);
            copied++;
        }
        int inner = 0; /* whether the list is that of a pixel with all taps inside */
        for (int32_t column = 0; column < op->out_w; column++) {
            const int32_t left = column * op->stride_w - op->pad_left;
            const int32_t right = left + (op->kernel_w - 1) * op->dilation_w;
            if (inner && right < op->in_w) {
                job.arena += (uint32_t)op->stride_w * depth; /* the same list, a step on */
            } else {
                job.arena = arena;
                list(op, top, left, ring, zeros, taps);
                inner = top >= 0 && last < op->in_h && left >= 0 && right < op->in_w;
            }
            if (multiplier != 1) {
                many_pixel(&job, out, multiplier, tk_is_short(op));
            } else if (tk_is_short(op)) {
                quick_pixel(&job, out);
            } else {
                any_pixel(&job, out);
            }
            out += op->out_c;
        }
    }
    if (tk_is_short(op)) {
        tk_clamp_output(op, arena);
    }
}
