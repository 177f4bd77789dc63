/* Mean over the middle axis: (in_h, in_w, in_c) -> (in_h, in_c), with a change of scale.
 *
 * p[0], p[1]: multiplier and shift, 1 / in_w included; p[2]: -in_w * zero point of the input.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"
#include "tk_sums.h"

tk_status tk_check_mean(const tk_plan *plan, const tk_op *op)
{
    (void)plan;
    if (op->out_h != op->in_h || op->out_w != 1 || op->out_c != op->in_c) {
        return TK_ERR_SHAPE;
    }
    return tk_check_multiplier(op->p[0], op->p[1]);
}

static int8_t mean_of(int32_t sum, const tk_op *op)
{
    sum = tk_add_wrap(tk_requantize(tk_add_wrap(sum, op->p[2]), op->p[0], op->p[1]), op->zero_out);
    return (int8_t)tk_clamp(sum, op->low, op->high);
}

void tk_op_mean(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t depth = op->in_c;
    int8_t *out = (int8_t *)(arena + op->out);
    (void)plan;
    for (uint32_t row = 0; row < op->in_h; row++) {
        const uint8_t *in = arena + op->in0 + row * op->in_w * depth;
        uint32_t c = 0;
        for (; c + 4u <= depth; c += 4u, out += 4) {
            int32_t sums[4] = {0, 0, 0, 0};
            tk_sum4(in + c, depth, op->in_w, sums);
            for (uint32_t i = 0; i < 4; i++) {
                out[i] = mean_of(sums[i], op);
            }
        }
        for (; c < depth; c++) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < op->in_w; i++) {
                sum += (int8_t)in[i * depth + c];
            }
            *out++ = mean_of(sum, op);
        }
    }
}
