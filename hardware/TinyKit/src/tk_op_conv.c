/* Convolution over space and channels: every output value sees kernel_h x kernel_w x in_c inputs.
 *
 * The inputs under the kernel ("patch") of two neighbouring outputs are widened to 16 bits in
 * scratch, the zero point standing for what lies outside; then each pair of output channels takes
 * its products with SMLAD, two at a time, each weight and each input loaded once for two uses.
 *
 * Weights (op->data): patch length rounded up to a multiple of 4 with zeros; every four in the order
 * 0, 2, 1, 3, so that SXTB16 gives neighbours; then rows of two output channels interleaved by
 * words (the last alone if out_c is odd: its partner is zeros).
 *
 * A 1x1 convolution of stride 1 with out_c <= in_c may write onto its own input: both patches are
 * in scratch before their outputs are written.
 */
#include "tk_kernels.h"
#include "tk_quant.h"

static uint32_t patch_length(const tk_op *op)
{
    const uint32_t length = (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
    return (length + 3u) & ~3u;
}

uint64_t tk_conv_scratch(const tk_op *op)
{
    const uint64_t length = (uint64_t)op->kernel_h * op->kernel_w * op->in_c;
    return ((length + 3u) & ~(uint64_t)3u) * 2u * sizeof(int16_t);
}

static int16_t *fill(int16_t *to, uint32_t count, int16_t value)
{
    while (count-- > 0) {
        *to++ = value;
    }
    return to;
}

static int16_t *widen(int16_t *to, const int8_t *from, uint32_t count)
{
#if TK_DSP
    for (; count >= 4; count -= 4, from += 4, to += 4) {
        const uint32_t word = tk_load32(from);
        const uint32_t even = tk_sxtb16(word), odd = tk_sxtb16_odd(word);
        uint32_t low, high;
        __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(low) : "r"(even), "r"(odd));
        __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(high) : "r"(odd), "r"(even));
        tk_store32(to, low);
        tk_store32(to + 2, high);
    }
#endif
    while (count-- > 0) {
        *to++ = *from++;
    }
    return to;
}

/* Widen what lies under the kernel for output (row, column). */
static void gather(const tk_op *op, const int8_t *in, int32_t row, int32_t column, int16_t *patch)
{
    const int32_t left = column * op->stride_w - op->pad_left;
    const uint32_t depth = op->in_c;
    int32_t y = row * op->stride_h - op->pad_top;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
        if (y < 0 || y >= op->in_h) {
            patch = fill(patch, op->kernel_w * depth, op->zero0);
            continue;
        }
        const int8_t *line = in + (uint32_t)y * op->in_w * depth;
        if (op->dilation_w == 1) {
            const int32_t width = op->kernel_w, right = left + width;
            const int32_t before = left >= 0 ? 0 : left > -width ? -left : width;
            const int32_t from = left < 0 ? 0 : left;
            const int32_t to = right < op->in_w ? right : op->in_w;
            const int32_t inside = to > from ? to - from : 0;
            patch = fill(patch, (uint32_t)before * depth, op->zero0);
            patch = widen(patch, line + (uint32_t)from * depth, (uint32_t)inside * depth);
            patch = fill(patch, (uint32_t)(width - before - inside) * depth, op->zero0);
        } else {
            int32_t x = left;
            for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
                if (x < 0 || x >= op->in_w) {
                    patch = fill(patch, depth, op->zero0);
                } else {
                    patch = widen(patch, line + (uint32_t)x * depth, depth);
                }
            }
        }
    }
}

/* All output channels of two outputs, from their patches; `second` is NULL when there is only one. */
static void multiply(const tk_op *op, const uint8_t *weights, const tk_channel *channels,
                     const int16_t *patches, uint32_t length, int8_t *first, int8_t *second)
{
    const uint32_t out_c = op->out_c;
    for (uint32_t o = 0; o < out_c; o += 2) {
        const tk_channel *a = channels + o;
        const tk_channel *b = o + 1 < out_c ? a + 1 : a;
        const int16_t *p = patches;
        const int16_t *const end = patches + length;
        int32_t a0 = a->bias, a1 = a->bias, b0 = b->bias, b1 = b->bias;
        while (p < end) {
            const uint32_t wa = tk_load32(weights), wb = tk_load32(weights + 4);
            const uint32_t x0 = tk_load32(p), y0 = tk_load32(p + 2);
            const uint32_t x1 = tk_load32(p + length), y1 = tk_load32(p + length + 2);
            const uint32_t wa0 = tk_sxtb16(wa), wa1 = tk_sxtb16_odd(wa);
            const uint32_t wb0 = tk_sxtb16(wb), wb1 = tk_sxtb16_odd(wb);
            a0 = tk_smlad(wa0, x0, a0);
            b0 = tk_smlad(wb0, x0, b0);
            a1 = tk_smlad(wa0, x1, a1);
            b1 = tk_smlad(wb0, x1, b1);
            a0 = tk_smlad(wa1, y0, a0);
            b0 = tk_smlad(wb1, y0, b0);
            a1 = tk_smlad(wa1, y1, a1);
            b1 = tk_smlad(wb1, y1, b1);
            weights += 8;
            p += 4;
        }
        first[o] = tk_finish(a0, a, op);
        if (second != NULL) {
            second[o] = tk_finish(a1, a, op);
        }
        if (o + 1 < out_c) {
            first[o + 1] = tk_finish(b0, b, op);
            if (second != NULL) {
                second[o + 1] = tk_finish(b1, b, op);
            }
        }
    }
}

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *in = (const int8_t *)(arena + op->in0);
    int8_t *out = (int8_t *)(arena + op->out);
    int16_t *patches = (int16_t *)(void *)(arena + op->scratch);
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels);
    const uint32_t length = patch_length(op);
    int32_t row = 0, column = 0;
    uint32_t left = (uint32_t)op->out_h * op->out_w;

    memset(patches, 0, length * 2u * sizeof *patches); /* the rounding-up's values must be finite */
    while (left > 0) {
        const uint32_t count = left >= 2 ? 2 : 1;
        for (uint32_t i = 0; i < count; i++) {
            gather(op, in, row, column, patches + i * length);
            if (++column == op->out_w) {
                column = 0;
                row++;
            }
        }
        multiply(op, plan + op->data, channels, patches, length, out, count == 2 ? out + op->out_c : NULL);
        out += count * op->out_c;
        left -= count;
    }
}
