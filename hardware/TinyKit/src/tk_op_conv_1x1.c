/* Convolution with a kernel of one value and a stride of one, without padding: every output value
 * sees the in_c inputs of its own pixel, so pixels lie one behind the other and need no gathering.
 * Otherwise as tk_op_conv.c.
 *
 * Scratch: three widened pixels (6 words for four inputs).
 *
 * Reads up to 3 bytes beyond the input; their weights are zero.
 */
#include "tk_check.h"
#include "tk_halves.h"
#include "tk_kernels.h"

tk_status tk_check_conv_1x1(const tk_plan *plan, const tk_op *op)
{
    const uint64_t quads = (op->in_c + 3u) / 4u;
    if (op->out_h != op->in_h || op->out_w != op->in_w) {
        return TK_ERR_SHAPE;
    }
    return tk_check_halves(plan, op, quads, quads * 4u * TK_QUAD_WORDS);
}

void tk_op_conv_1x1(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    uint32_t *const patches = (uint32_t *)(void *)(arena + op->scratch);
    const uint32_t quads = (op->in_c + 3u) / 4u, in_c = op->in_c;
    const tk_halves_job job = tk_halves_job_of(op, plan, patches, quads);
    const uint8_t *in = arena + op->in0;
    uint32_t left = (uint32_t)op->out_h * op->out_w;
    int8_t *out = (int8_t *)(arena + op->out);
    tk_halves_place place = {1, 0, TK_PIXELS, in_c, 0, 0};

    for (; left >= TK_PIXELS; left -= TK_PIXELS) {
        tk_halves_widen_pixels(patches, in, quads, &place);
        tk_halves_pixels(&job, out, TK_PIXELS);
        in += TK_PIXELS * in_c;
        out += TK_PIXELS * job.out_c;
    }
    if (left > 0) {
        place.count = left;
        tk_halves_widen_pixels(patches, in, quads, &place);
        if (left == 2) { /* the last once more */
            place.count = 1;
            tk_halves_widen_pixels(patches + 2, in + in_c, quads, &place);
        }
        tk_halves_pixels(&job, out, left);
    }
    tk_clamp_output(op, arena);
}
