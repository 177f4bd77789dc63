/* Softmax over in_c values, for in_h rows; output scale 1/256, zero point -128; or int16, 1/65536 and
 * -32768 (TK_SOFTMAX_16, at an even offset).
 *
 * data: table of exp(-scale * i) for i = 0..p[0]-1, in units of 2^-31; what lies further below the
 * row's largest value counts as 0. The reciprocal of the sum is found by three Newton steps from
 * 48/17 - 32/17 d, which is within 1/17 for d in 1/2..1 (gemmlowp's public fixed-point arithmetic,
 * which TensorFlow Lite Micro uses, taken step for step, so that the roundings agree).
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

#define MAX_ROW 4096u /* values in a row: their sum must stay below 2^31 */

tk_status tk_check_softmax(const tk_plan *plan, const tk_op *op)
{
    if (!tk_same_shape(op) || op->in_w != 1 || op->in_c > MAX_ROW) {
        return TK_ERR_SHAPE;
    }
    if (op->p[0] < 1 || op->p[0] > 256) {
        return TK_ERR_PARAMETER;
    }
    return tk_check_constants(plan, op->data, (uint64_t)(uint32_t)op->p[0] * 4u);
}

tk_status tk_check_softmax_16(const tk_plan *plan, const tk_op *op)
{
    if (op->out % 2 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (!tk_within(op->out, 2 * (uint64_t)op->out_h * op->out_w * op->out_c, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return tk_check_softmax(plan, op);
}

/* x * 2^n, saturated. */
static int32_t shift_left(int32_t x, int n)
{
    const int64_t value = (int64_t)x * ((int64_t)1 << n);
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* 1 / (1 + a); a and the result in units of 2^-31, a in 0..1. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2); /* (1 + a) / 2 */
    int32_t x = tk_add_wrap(1515870810, tk_high_mul(half, -1010580540)); /* units of 2^-29 from here */
    for (int i = 0; i < 3; i++) {
        const int32_t error = tk_add_wrap(1 << 29, (int32_t)(0u - (uint32_t)tk_high_mul(half, x)));
        x = tk_add_wrap(x, shift_left(tk_high_mul(x, error), 2));
    }
    return shift_left(x, 1);
}

/* `wide` is a constant where it is called. */
TK_INLINE void softmax(const tk_op *op, const uint8_t *plan, uint8_t *arena, int wide)
{
    const int32_t *table = (const int32_t *)(const void *)(plan + op->data);
    const int32_t entries = op->p[0];
    for (uint32_t row = 0; row < op->in_h; row++) {
        const int8_t *in = (const int8_t *)(arena + op->in0) + row * op->in_c;
        uint8_t *out = arena + op->out + row * op->in_c * (wide ? 2u : 1u);
        int32_t most = -128, bits = 0, scale;
        uint32_t sum = 0; /* units of 2^-19 */
        for (uint32_t c = 0; c < op->in_c; c++) {
            most = in[c] > most ? in[c] : most;
        }
        for (uint32_t c = 0; c < op->in_c; c++) {
            if (most - in[c] < entries) {
                sum += (uint32_t)tk_round_shift(table[most - in[c]], 12);
            }
        }
        while (sum != 0 && bits < 31 && (sum & 0x80000000u) == 0) {
            sum <<= 1;
            bits++;
        }
        scale = reciprocal((int32_t)(sum & 0x7FFFFFFFu));
        bits = tk_clamp(12 - bits + 31 - (wide ? 16 : 8), 0, 31);
        for (uint32_t c = 0; c < op->in_c; c++) {
            const int32_t below = most - in[c];
            int32_t value = wide ? -32768 : -128;
            /* Not below 0, which is what an output laid over the row can make of it. */
            if ((uint32_t)below < (uint32_t)entries) {
                value = tk_add_wrap(value, tk_round_shift(tk_high_mul(scale, table[below]), bits));
            }
            if (wide) {
                ((int16_t *)(void *)out)[c] = (int16_t)tk_clamp(value, -32768, 32767);
            } else {
                ((int8_t *)out)[c] = (int8_t)tk_clamp(value, -128, 127);
            }
        }
    }
}

void tk_op_softmax(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    softmax(op, plan, arena, 0);
}

void tk_op_softmax_16(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    softmax(op, plan, arena, 1);
}
