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
    tk_status status;
    if (op->out_h != op->in_h || op->out_w != op->in_w) {
        return TK_ERR_SHAPE;
    }
    status = tk_check_halves(plan, op, quads);
    if (status == TK_OK && op->scratch_bytes < quads * 4u * TK_QUAD_WORDS) {
        status = TK_ERR_PARAMETER;
    }
    if (status == TK_OK &&
        !tk_within(op->in0, (uint64_t)op->in_h * op->in_w * op->in_c + (op->in_c % 4u ? 3u : 0u),
                   plan->header->arena_bytes)) {
        status = TK_ERR_BOUNDS;
    }
    return status;
}

void tk_op_conv_1x1(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint32_t *const patches = (uint32_t *)(void *)(arena + op->scratch);
    const uint32_t quads = (op->in_c + 3u) / 4u;
    uint32_t left = (uint32_t)op->out_h * op->out_w;
    int8_t *out = (int8_t *)(arena + op->out);

    for (;;) {
        const tk_halves_place place = {1, 0, left < TK_PIXELS ? left : TK_PIXELS, op->in_c};
        tk_halves_widen_pixels(patches, in, quads, &place);
        for (uint32_t i = place.count; i < TK_PIXELS; i++) { /* the last once more */
            const tk_halves_place last = {1, 0, 1, 0};
            tk_halves_widen_pixels(patches + i, in + (left - 1u) * op->in_c, quads, &last);
        }
        tk_halves_pixels(op, plan, patches, quads, out, left);
        if (left <= TK_PIXELS) {
            break;
        }
        in += TK_PIXELS * op->in_c;
        out += TK_PIXELS * op->out_c;
        left -= TK_PIXELS;
    }
    tk_clamp_output(op, arena);
}
