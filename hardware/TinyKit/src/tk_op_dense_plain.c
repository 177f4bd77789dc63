/* Fully connected layer: in_h rows of in_c inputs, each to out_c outputs.
 *
 * Weights (op->data): rows rounded up to a multiple of 4 with zeros; four outputs' rows interleaved
 * by words (missing ones are zeros), so that one pointer runs through them. Reads up to 3 bytes
 * beyond a row of inputs; their weights are zero.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_mac16.h"
#include "tk_quant.h"

tk_status tk_check_dense_plain(const tk_plan *plan, const tk_op *op)
{
    const uint64_t length = (op->in_c + 3u) & ~3u;
    tk_status status;
    if (op->in_w != 1 || op->out_w != 1 || op->out_h != op->in_h) {
        return TK_ERR_SHAPE;
    }
    if (!tk_within(op->in0, (uint64_t)(op->in_h - 1u) * op->in_c + length, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    status = tk_check_constants(plan, op->data, length * ((op->out_c + 3u) & ~3u));
    if (status == TK_OK) {
        status = tk_check_channels(plan, op);
    }
    if (status == TK_OK && (uint64_t)op->in_h * op->out_c * length > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

TK_INLINE void row(const uint8_t *in, int8_t *out, uint32_t length, uint32_t out_c, const uint8_t *weights,
                   const tk_channel *channels, tk_output output, int quick)
{
    const uint8_t *const end = in + length;
    for (uint32_t o = 0; o < out_c; o += 4) {
        const uint32_t n = out_c - o < 4 ? out_c - o : 4;
        const uint8_t *x = in;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        if (length & 4u) {
            tk_mac16(&s0, &s1, &s2, &s3, &x, &weights);
        }
        while (x != end) {
            tk_mac16(&s0, &s1, &s2, &s3, &x, &weights);
            tk_mac16(&s0, &s1, &s2, &s3, &x, &weights);
        }
        for (uint32_t i = 0; i < n; i++, channels++) {
            *out++ = tk_finish(s0, channels, &output, quick);
            s0 = s1, s1 = s2, s2 = s3;
        }
    }
}

void tk_op_dense_plain(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels);
    const uint32_t length = (op->in_c + 3u) & ~3u;
    const tk_output output = tk_output_of(op);
    const uint8_t *in = arena + op->in0;
    int8_t *out = (int8_t *)(arena + op->out);
    for (uint32_t i = 0; i < op->in_h; i++, in += op->in_c, out += op->out_c) {
        if (tk_is_short(op)) {
            row(in, out, length, op->out_c, plan + op->data, channels, output, 1);
        } else {
            row(in, out, length, op->out_c, plan + op->data, channels, output, 0);
        }
    }
    if (tk_is_short(op)) {
        tk_clamp_output(op, arena);
    }
}
