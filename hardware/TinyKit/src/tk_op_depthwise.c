/* Depthwise convolution: each channel by itself, p[1] outputs from each input channel.
 *
 * For each output pixel the kernel's taps are listed as arena offsets; a tap outside the picture
 * points to a row of zero points. Then four channels at a time run through the list.
 *
 * Weights (op->data): [tap][output channel], channels rounded up to a multiple of 4 with zeros.
 *
 * p[0] rows of ring: 0 reads the input where it is. Otherwise the output may be written onto the
 * input: the last p[0] = (kernel_h - 1) * dilation_h + 1 input rows are kept as copies in scratch
 * (the host has checked that no row is overwritten before it has been copied).
 *
 * Scratch: taps (u32 each), a row of zero points (in_c, rounded up to 4), the ring.
 */
#include "tk_kernels.h"
#include "tk_quant.h"

uint64_t tk_depthwise_scratch(const tk_op *op)
{
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;
    const uint64_t depth = ((uint64_t)op->in_c + 3u) & ~(uint64_t)3u;
    const uint64_t ring = (uint64_t)(uint32_t)op->p[0] * op->in_w * op->in_c;
    return taps * 4u + depth + ((ring + 3u) & ~(uint64_t)3u) + (op->p[0] > 0 ? 4u : 0u);
}

/* Four channels' sums over all taps. */
static void block(const tk_op *op, const uint8_t *arena, const uint32_t *taps, uint32_t count,
                  const uint8_t *weights, uint32_t stride, const tk_channel *channels, uint32_t c,
                  int8_t *out)
{
    const uint32_t n = op->out_c - c < 4 ? op->out_c - c : 4;
    int32_t sum[4] = {0, 0, 0, 0};
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    arena += c;
    weights += c;
    for (uint32_t t = 0; t < count; t++, weights += stride) {
        const uint32_t x = tk_load32(arena + taps[t]), w = tk_load32(weights);
        const uint32_t x02 = tk_sxtb16(x), w02 = tk_sxtb16(w);
        const uint32_t x13 = tk_sxtb16_odd(x), w13 = tk_sxtb16_odd(w);
        s0 = tk_smlabb(x02, w02, s0);
        s2 = tk_smlatt(x02, w02, s2);
        s1 = tk_smlabb(x13, w13, s1);
        s3 = tk_smlatt(x13, w13, s3);
    }
    sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
    for (uint32_t i = 0; i < n; i++) {
        out[c + i] = tk_finish(tk_add_wrap(sum[i], channels[c + i].bias), channels + c + i, op);
    }
}

/* One output channel's sum, when several come from one input channel. */
static int32_t single(const uint8_t *arena, const uint32_t *taps, uint32_t count, const uint8_t *weights,
                      uint32_t stride, uint32_t in, uint32_t out)
{
    int32_t sum = 0;
    for (uint32_t t = 0; t < count; t++) {
        sum = tk_add_wrap(sum, (int8_t)arena[taps[t] + in] * (int8_t)weights[t * stride + out]);
    }
    return sum;
}

void tk_op_depthwise(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t count = (uint32_t)op->kernel_h * op->kernel_w;
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    const uint32_t stride = (op->out_c + 3u) & ~3u;
    const uint32_t zeros = op->scratch + 4u * count, ring = zeros + ((depth + 3u) & ~3u);
    const uint32_t multiplier = (uint32_t)op->p[1];
    const int32_t rows = op->p[0];
    const uint8_t *weights = plan + op->data;
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels);
    uint32_t *taps = (uint32_t *)(void *)(arena + op->scratch);
    int8_t *out = (int8_t *)(arena + op->out);
    int32_t copied = 0; /* input rows that the ring has seen */

    memset(arena + zeros, op->zero0, (depth + 3u) & ~3u);
    for (int32_t row = 0; row < op->out_h; row++) {
        const int32_t top = row * op->stride_h - op->pad_top;
        const int32_t last = top + (op->kernel_h - 1) * op->dilation_h;
        while (rows > 0 && copied <= last && copied < op->in_h) {
            memmove(arena + ring + (uint32_t)(copied % rows) * line, arena + op->in0 + (uint32_t)copied * line,
                    line);
            copied++;
        }
        for (int32_t column = 0; column < op->out_w; column++) {
            uint32_t *tap = taps;
            int32_t y = top;
            for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
                const int inside = y >= 0 && y < op->in_h;
                const uint32_t base = !inside    ? 0
                                      : rows > 0 ? ring + (uint32_t)(y % rows) * line
                                                 : op->in0 + (uint32_t)y * line;
                int32_t x = column * op->stride_w - op->pad_left;
                for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
                    *tap++ = inside && x >= 0 && x < op->in_w ? base + (uint32_t)x * depth : zeros;
                }
            }
            if (multiplier == 1) {
                for (uint32_t c = 0; c < op->out_c; c += 4) {
                    block(op, arena, taps, count, weights, stride, channels, c, out);
                }
            } else {
                for (uint32_t c = 0; c < op->out_c; c++) {
                    const int32_t sum = single(arena, taps, count, weights, stride, c / multiplier, c);
                    out[c] = tk_finish(tk_add_wrap(sum, channels[c].bias), channels + c, op);
                }
            }
            out += op->out_c;
        }
    }
}
