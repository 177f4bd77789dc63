/* Sum and product of two pictures, value by value.
 *
 * The second has p[6] values and is used again and again, so that one value a channel (or a single
 * one) can go with a whole picture; in_h * in_w * in_c is a multiple of p[6]. With TK_FLAG_CONST it
 * lies in the plan: in1 is a plan offset. TK_ADD: p[0], p[1] multiplier and shift of the first
 * input, p[2], p[3] of the second, p[4], p[5] of the sum; inputs are first raised by 20 bits.
 * TK_MUL: p[0], p[1] of the product. The output may be written onto either input of its size.
 */
#include "tk_kernels.h"
#include "tk_quant.h"

void tk_op_add(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *a = (const int8_t *)(arena + op->in0);
    const int8_t *b = (const int8_t *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    int8_t *out = (int8_t *)(arena + op->out);
    const uint32_t period = (uint32_t)op->p[6];
    const uint32_t count = (uint32_t)op->in_h * op->in_w * op->in_c;
    for (uint32_t start = 0; start < count; start += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t x = tk_requantize((*a++ - op->zero0) * (1 << 20), op->p[0], op->p[1]);
            const int32_t y = tk_requantize((b[i] - op->zero1) * (1 << 20), op->p[2], op->p[3]);
            const int32_t sum = tk_requantize(tk_add_wrap(x, y), op->p[4], op->p[5]);
            *out++ = (int8_t)tk_clamp(tk_add_wrap(sum, op->zero_out), op->low, op->high);
        }
    }
}

void tk_op_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *a = (const int8_t *)(arena + op->in0);
    const int8_t *b = (const int8_t *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    int8_t *out = (int8_t *)(arena + op->out);
    const uint32_t period = (uint32_t)op->p[6];
    const uint32_t count = (uint32_t)op->in_h * op->in_w * op->in_c;
    for (uint32_t start = 0; start < count; start += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t product = (*a++ - op->zero0) * (b[i] - op->zero1);
            const int32_t value = tk_requantize(product, op->p[0], op->p[1]);
            *out++ = (int8_t)tk_clamp(tk_add_wrap(value, op->zero_out), op->low, op->high);
        }
    }
}
