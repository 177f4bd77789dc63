/* Moving values without changing them: padding, joining and cutting pictures. */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_pad(const tk_plan *plan, const tk_op *op)
{
    (void)plan;
    if ((uint32_t)op->pad_top + op->in_h > op->out_h || (uint32_t)op->pad_left + op->in_w > op->out_w ||
        op->p[0] < 0 || op->p[0] > 65535 || (uint32_t)op->p[0] + op->in_c > op->out_c) {
        return TK_ERR_SHAPE;
    }
    return TK_OK;
}

tk_status tk_check_copy(const tk_plan *plan, const tk_op *op)
{
    const uint64_t bytes = (uint64_t)op->in_w * op->in_c, steps = op->in_h - 1u;
    if (op->p[0] < 0 || op->p[1] < 0) {
        return TK_ERR_PARAMETER;
    }
    if (!tk_within(op->in0, steps * (uint32_t)op->p[0] + bytes, plan->header->arena_bytes) ||
        !tk_within(op->out, steps * (uint32_t)op->p[1] + bytes, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return TK_OK;
}

/* The input in the middle of a picture of zero_out: pad_top rows above, pad_left columns left, p[0]
 * channels before. */
void tk_op_pad(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint8_t *out = arena + op->out;
    (void)plan;
    memset(out, op->zero_out, (uint32_t)op->out_h * op->out_w * op->out_c);
    out += ((uint32_t)op->pad_top * op->out_w + op->pad_left) * op->out_c + (uint32_t)op->p[0];
    for (uint32_t y = 0; y < op->in_h; y++) {
        for (uint32_t x = 0; x < op->in_w; x++) {
            memmove(out + (y * op->out_w + x) * op->out_c, in, op->in_c);
            in += op->in_c;
        }
    }
}

/* in_h pieces of in_w * in_c bytes, from every p[0] bytes to every p[1] bytes. */
void tk_op_copy(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t bytes = (uint32_t)op->in_w * op->in_c;
    (void)plan;
    for (uint32_t i = 0; i < op->in_h; i++) {
        memmove(arena + op->out + i * (uint32_t)op->p[1], arena + op->in0 + i * (uint32_t)op->p[0], bytes);
    }
}
