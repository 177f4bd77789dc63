/* Where along the middle axis the largest value (p[0] 1: the smallest) stands; the first of equal ones.
 *
 * (in_h, in_w, in_c) -> (in_h, in_c) numbers of p[1] bytes each, 4 or 8. Input and output must not overlap.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_argmax(const tk_plan *plan, const tk_op *op)
{
    if (op->out_h != op->in_h || op->out_w != 1 || op->out_c != op->in_c) {
        return TK_ERR_SHAPE;
    }
    if ((op->p[0] != 0 && op->p[0] != 1) || (op->p[1] != 4 && op->p[1] != 8)) {
        return TK_ERR_PARAMETER;
    }
    const uint64_t bytes = (uint64_t)op->in_h * op->in_c * (uint32_t)op->p[1];
    return tk_within(op->out, bytes, plan->header->arena_bytes) ? TK_OK : TK_ERR_BOUNDS;
}

void tk_op_argmax(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int32_t sign = op->p[0] == 0 ? 1 : -1;
    const uint32_t depth = op->in_c, size = (uint32_t)op->p[1];
    uint8_t *out = arena + op->out;
    (void)plan;
    for (uint32_t row = 0; row < op->in_h; row++) {
        for (uint32_t c = 0; c < depth; c++) {
            const int8_t *in = (const int8_t *)(arena + op->in0) + row * op->in_w * depth + c;
            int32_t most = *in * sign;
            uint32_t where = 0;
            for (uint32_t i = 1; i < op->in_w; i++) {
                in += depth;
                if (*in * sign > most) {
                    most = *in * sign;
                    where = i;
                }
            }
            tk_store32(out, where);
            if (size == 8) {
                tk_store32(out + 4, 0);
            }
            out += size;
        }
    }
}
