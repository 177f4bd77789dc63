/* Mean over the middle axis: (in_h, in_w, in_c) -> (in_h, in_c), with a change of scale.
 *
 * p[0], p[1]: multiplier and shift, 1 / in_w included; p[2]: -in_w * zero point of the input.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_mean(const tk_plan *plan, const tk_op *op)
{
    (void)plan;
    if (op->out_h != op->in_h || op->out_w != 1 || op->out_c != op->in_c) {
        return TK_ERR_SHAPE;
    }
    return tk_check_multiplier(op->p[0], op->p[1]);
}

void tk_op_mean(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *in = (const int8_t *)(arena + op->in0);
    int8_t *out = (int8_t *)(arena + op->out);
    (void)plan;
    for (uint32_t row = 0; row < op->in_h; row++) {
        for (uint32_t c = 0; c < op->in_c; c++) {
            const int8_t *p = in + row * op->in_w * op->in_c + c;
            int32_t sum = op->p[2];
            for (uint32_t i = 0; i < op->in_w; i++, p += op->in_c) {
                sum = tk_add_wrap(sum, *p);
            }
            sum = tk_add_wrap(tk_requantize(sum, op->p[0], op->p[1]), op->zero_out);
            *out++ = (int8_t)tk_clamp(sum, op->low, op->high);
        }
    }
}
