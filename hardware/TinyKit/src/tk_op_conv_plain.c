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
 * The output may overlap the input as far as both patches are in scratch before their outputs are
 * written (tinykit/engine/convolutions.py reckons how far): a 1x1 convolution with out_c <= in_c may write
 * right onto its input.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

static uint64_t scratch_needed(const tk_op *op)
{
    const uint64_t length = (uint64_t)op->kernel_h * op->kernel_w * op->in_c;
    return ((length + 3u) & ~(uint64_t)3u) * 2u * sizeof(int16_t);
}

tk_status tk_check_conv_plain(const tk_plan *plan, const tk_op *op)
{
    const uint64_t length = ((uint64_t)op->kernel_h * op->kernel_w * op->in_c + 3u) & ~(uint64_t)3u;
    tk_status status = tk_check_window(op);
    if (status == TK_OK) {
        status = tk_check_constants(plan, op->data, length * ((op->out_c + 1u) & ~1u));
    }
    if (status == TK_OK) {
        status = tk_check_channels(plan, op);
    }
    if (status == TK_OK && op->scratch_bytes < scratch_needed(op)) {
        status = TK_ERR_PARAMETER;
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * op->out_c * length > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

static uint32_t patch_length(const tk_op *op)
{
    const uint32_t length = (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
    return (length + 3u) & ~3u;
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

/* Widen one row under the kernel: columns x, x + dilation... of `line`, some of them outside. */
TK_LOOP int16_t *gather_edge(const tk_op *op, const int8_t *line, int32_t x, int16_t *patch)
{
    const int32_t columns = op->kernel_w, in_w = op->in_w;
    const uint32_t depth = op->in_c;
    if (op->dilation_w == 1) {
        const int32_t before = x >= 0 ? 0 : x > -columns ? -x : columns;
        const int32_t end = x + columns < in_w ? x + columns : in_w;
        const int32_t inside = end > x + before ? end - x - before : 0;
        patch = fill(patch, (uint32_t)before * depth, op->zero0);
        if (inside > 0) {
            patch = widen(patch, line + (uint32_t)(x + before) * depth, (uint32_t)inside * depth);
        }
        return fill(patch, (uint32_t)(columns - before - inside) * depth, op->zero0);
    }
    for (int32_t k = 0; k < columns; k++, x += op->dilation_w) {
        if (x < 0 || x >= in_w) {
            patch = fill(patch, depth, op->zero0);
        } else {
            patch = widen(patch, line + (uint32_t)x * depth, depth);
        }
    }
    return patch;
}

/* Widen what lies under the kernel whose first tap is at (y, x). */
static void gather(const tk_op *op, const int8_t *in, int32_t y, int32_t x, int16_t *patch)
{
    const uint32_t depth = op->in_c, width = op->kernel_w * depth;
    const int32_t in_h = op->in_h, in_w = op->in_w;
    const int32_t below = y + op->kernel_h * op->dilation_h;
    const int whole = op->dilation_w == 1 && x >= 0 && x + op->kernel_w <= in_w;
    for (; y < below; y += op->dilation_h) {
        if (y < 0 || y >= in_h) {
            patch = fill(patch, width, op->zero0);
        } else if (whole) {
            patch = widen(patch, in + (uint32_t)(y * in_w + x) * depth, width);
        } else {
            patch = gather_edge(op, in + (uint32_t)(y * in_w) * depth, x, patch);
        }
    }
}

/* Four values of two patches times four weights of two output channels; pointers move on. */
TK_INLINE void mac16(int32_t *a0, int32_t *a1, int32_t *b0, int32_t *b1, const uint8_t **weights,
                     const int16_t **p0, const int16_t **p1)
{
#if TK_DSP
    uint32_t wa, wb, w, x0, x1;
    __asm__("ldr %[wa], [%[w]], #8\n\t"
            "ldr %[wb], [%[w], #-4]\n\t"
            "ldr %[x0], [%[p0]], #4\n\t"
            "ldr %[x1], [%[p1]], #4\n\t"
            "sxtb16 %[t], %[wa]\n\t"
            "smlad %[a0], %[t], %[x0], %[a0]\n\t"
            "smlad %[a1], %[t], %[x1], %[a1]\n\t"
            "sxtb16 %[t], %[wb]\n\t"
            "smlad %[b0], %[t], %[x0], %[b0]\n\t"
            "smlad %[b1], %[t], %[x1], %[b1]\n\t"
            "ldr %[x0], [%[p0]], #4\n\t"
            "ldr %[x1], [%[p1]], #4\n\t"
            "sxtb16 %[wa], %[wa], ror #8\n\t"
            "sxtb16 %[wb], %[wb], ror #8\n\t"
            "smlad %[a0], %[wa], %[x0], %[a0]\n\t"
            "smlad %[a1], %[wa], %[x1], %[a1]\n\t"
            "smlad %[b0], %[wb], %[x0], %[b0]\n\t"
            "smlad %[b1], %[wb], %[x1], %[b1]"
            : [a0] "+r"(*a0), [a1] "+r"(*a1), [b0] "+r"(*b0), [b1] "+r"(*b1), [w] "+r"(*weights),
              [p0] "+r"(*p0), [p1] "+r"(*p1), [wa] "=&r"(wa), [wb] "=&r"(wb), [t] "=&r"(w), [x0] "=&r"(x0),
              [x1] "=&r"(x1)
            :
            : "memory");
#else
    const int8_t *wa = (const int8_t *)*weights, *wb = wa + 4;
    const int16_t *x = *p0, *y = *p1;
    *a0 = tk_add_wrap(*a0, x[0] * wa[0] + x[1] * wa[2] + x[2] * wa[1] + x[3] * wa[3]);
    *b0 = tk_add_wrap(*b0, x[0] * wb[0] + x[1] * wb[2] + x[2] * wb[1] + x[3] * wb[3]);
    *a1 = tk_add_wrap(*a1, y[0] * wa[0] + y[1] * wa[2] + y[2] * wa[1] + y[3] * wa[3]);
    *b1 = tk_add_wrap(*b1, y[0] * wb[0] + y[1] * wb[2] + y[2] * wb[1] + y[3] * wb[3]);
    *weights += 8;
    *p0 += 4;
    *p1 += 4;
#endif
}

/* What all pairs of pixels of an op have in common. */
typedef struct work {
    const uint8_t *weights;
    const tk_channel *channels;
    const int16_t *patches;
    uint32_t length, out_c;
    tk_output output;
} work;

/* All output channels of two outputs, from their patches; `second` is NULL when there is only one. */
TK_INLINE void pair(const work *job, int8_t *first, int8_t *second, int quick)
{
    const uint8_t *weights = job->weights;
    const tk_channel *channels = job->channels;
    const tk_output output = job->output;
    for (uint32_t left = job->out_c; left > 0; channels += 2) {
        const tk_channel *other = left > 1 ? channels + 1 : channels;
        const int16_t *p0 = job->patches, *p1 = p0 + job->length;
        const int16_t *const end = p1;
        int32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;
        if (job->length & 4u) {
            mac16(&a0, &a1, &b0, &b1, &weights, &p0, &p1);
        }
        while (p0 != end) {
            mac16(&a0, &a1, &b0, &b1, &weights, &p0, &p1);
            mac16(&a0, &a1, &b0, &b1, &weights, &p0, &p1);
        }
        *first++ = tk_finish(a0, channels, &output, quick);
        if (second != NULL) {
            *second++ = tk_finish(a1, channels, &output, quick);
        }
        if (left == 1) {
            break;
        }
        *first++ = tk_finish(b0, other, &output, quick);
        if (second != NULL) {
            *second++ = tk_finish(b1, other, &output, quick);
        }
        left -= 2;
    }
}

TK_LOOP void quick_pair(const work *job, int8_t *first, int8_t *second)
{
    pair(job, first, second, 1);
}

TK_LOOP void any_pair(const work *job, int8_t *first, int8_t *second)
{
    pair(job, first, second, 0);
}

void tk_op_conv_plain(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *in = (const int8_t *)(arena + op->in0);
    int8_t *out = (int8_t *)(arena + op->out);
    int16_t *patches = (int16_t *)(void *)(arena + op->scratch);
    const uint32_t length = patch_length(op);
    const work job = {plan + op->data,
                      (const tk_channel *)(const void *)(plan + op->channels),
                      patches,
                      length,
                      op->out_c,
                      tk_output_of(op)};
    int32_t y = -op->pad_top, x = -op->pad_left; /* first tap of the next output */
    const int32_t last = (op->out_w - 1) * op->stride_w - op->pad_left;
    uint32_t left = (uint32_t)op->out_h * op->out_w;

    memset(patches, 0, length * 2u * sizeof *patches); /* the rounding-up's values must be finite */
    while (left > 0) {
        const uint32_t count = left >= 2 ? 2 : 1;
        for (uint32_t i = 0; i < count; i++) {
            gather(op, in, y, x, patches + i * length);
            x += op->stride_w;
            if (x > last) {
                x = -op->pad_left;
                y += op->stride_h;
            }
        }
        int8_t *const second = count == 2 ? out + op->out_c : NULL;
        if (tk_is_short(op)) {
            quick_pair(&job, out, second);
        } else {
            any_pair(&job, out, second);
        }
        out += count * op->out_c;
        left -= count;
    }
    if (tk_is_short(op)) {
        tk_clamp_output(op, arena);
    }
}
