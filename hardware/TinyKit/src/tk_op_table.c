/* Any function of one int8: relu, sigmoid, a change of scale... data: 256 int8, for -128 first.
 * The output may be written onto the input. */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_table(const tk_plan *plan, const tk_op *op)
{
    return tk_same_shape(op) ? tk_check_constants(plan, op->data, 256) : TK_ERR_SHAPE;
}

void tk_op_table(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0, *table = plan + op->data;
    uint8_t *out = arena + op->out;
    const uint32_t count = (uint32_t)op->in_h * op->in_w * op->in_c;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = table[in[i] ^ 0x80u];
    }
}
