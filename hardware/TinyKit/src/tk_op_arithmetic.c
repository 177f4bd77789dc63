/* Sum (or difference) and product of two pictures, value by value.
 *
 * The second has p[6] values and is used again and again, so that one value a channel (or a single
 * one) can go with a whole picture; in_h * in_w * in_c is a multiple of p[6]. With TK_FLAG_CONST it
 * lies in the plan: in1 is a plan offset. TK_ADD: p[0], p[1] multiplier and shift of the first
 * input, p[2], p[3] of the second, p[4], p[5] of the sum; inputs are first raised by 20 bits.
 * TK_MUL: p[0], p[1] of the product. The output may be written onto either input of its size.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_arithmetic(const tk_plan *plan, const tk_op *op)
{
    const uint32_t bytes = (uint32_t)op->in_h * op->in_w * op->in_c; /* lies in the arena: below 2^28 */
    const int sum = op->kind == TK_ADD;
    if (!tk_same_shape(op) || op->p[6] < 1 || bytes % (uint32_t)op->p[6] != 0) {
        return TK_ERR_SHAPE;
    }
    if (op->flags & TK_FLAG_CONST) {
        const tk_status status = tk_check_constants(plan, op->in1, (uint32_t)op->p[6]);
        if (status != TK_OK) {
            return status;
        }
    } else if (!tk_within(op->in1, (uint32_t)op->p[6], plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    if (tk_check_multiplier(op->p[0], op->p[1]) != TK_OK ||
        (sum && (tk_check_multiplier(op->p[2], op->p[3]) != TK_OK ||
                 tk_check_multiplier(op->p[4], op->p[5]) != TK_OK))) {
        return TK_ERR_PARAMETER;
    }
    return TK_OK;
}

/* tk_requantize for |x| < 2^30 and a shift to the right, or none. */
TK_INLINE int32_t scale(int32_t x, int32_t multiplier, int32_t right)
{
    const int32_t value = tk_smmulr((int32_t)((uint32_t)x << 1), multiplier);
    return right == 0 ? value : (value + (value >> 31) + (1 << (right - 1))) >> right;
}

void tk_op_add(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *a = (const int8_t *)(arena + op->in0);
    const int8_t *b = (const int8_t *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    int8_t *out = (int8_t *)(arena + op->out);
    const uint32_t period = (uint32_t)op->p[6];
    const uint32_t count = (uint32_t)op->in_h * op->in_w * op->in_c;
    const int32_t ma = op->p[0], sa = op->p[1], mb = op->p[2], sb = op->p[3], mc = op->p[4], sc = op->p[5];
    const int32_t za = op->zero0, zb = op->zero1, zc = op->zero_out, low = op->low, high = op->high;
    const int subtract = (op->flags & TK_FLAG_SUBTRACT) != 0;
    /* Inputs are below 2^28 when raised, and with shifts to the right they stay so. */
    const int quick = sa <= 0 && sb <= 0 && sc <= 0 && sa > -31 && sb > -31 && sc > -31;
    for (uint32_t start = 0; start < count; start += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t x = (*a++ - za) * (1 << 20), y = (b[i] - zb) * (1 << 20);
            int32_t sum;
            if (quick) {
                const int32_t second = scale(y, mb, -sb);
                sum = scale(scale(x, ma, -sa) + (subtract ? -second : second), mc, -sc);
            } else {
                const uint32_t second = (uint32_t)tk_requantize(y, mb, sb);
                const int32_t first = tk_requantize(x, ma, sa);
                sum = tk_requantize(tk_add_wrap(first, (int32_t)(subtract ? 0u - second : second)), mc, sc);
            }
            *out++ = (int8_t)tk_clamp(tk_add_wrap(sum, zc), low, high);
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
    const int32_t multiplier = op->p[0], shift = op->p[1];
    const int32_t za = op->zero0, zb = op->zero1, zc = op->zero_out, low = op->low, high = op->high;
    const int quick = shift <= 0 && shift > -31;
    for (uint32_t start = 0; start < count; start += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t product = (*a++ - za) * (b[i] - zb);
            const int32_t value =
                quick ? scale(product, multiplier, -shift) : tk_requantize(product, multiplier, shift);
            *out++ = (int8_t)tk_clamp(tk_add_wrap(value, zc), low, high);
        }
    }
}
