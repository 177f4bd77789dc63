/* SVDF: a dense layer whose features are remembered, and filtered over time.
 *
 * in_h examples of in_c values; out_c units of kernel_h filters each (the rank), that look at kernel_w
 * runs. The state at in1, which outlives a run (TK_STATE): for each example and filter, kernel_w features,
 * the newest last; int8 with zero point zero1, or int16 with zero point 0 (TK_SVDF_16). p[0], p[1]:
 * multiplier and shift of a feature, p[2], p[3] of an output.
 *
 * data, for F = out_c * kernel_h filters: F int32, -zero point * sum of the filter's feature weights;
 * out_c int32, the biases; F * kernel_w weights over time, of the state's type, filled up to a multiple
 * of 4 bytes; F rows of feature weights, int8, each filled up to a multiple of 4 with zeros. Reads up to
 * 3 bytes behind the input.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

static uint32_t up4(uint32_t n)
{
    return (n + 3u) & ~3u;
}

static tk_status check(const tk_plan *plan, const tk_op *op, uint32_t size)
{
    const uint32_t arena = plan->header->arena_bytes, row = up4(op->in_c);
    const uint64_t filters = (uint64_t)op->out_c * op->kernel_h, taps = filters * op->kernel_w;
    tk_status status;
    if (op->in_w != 1 || op->out_w != 1 || op->out_h != op->in_h || op->kernel_h == 0 || op->kernel_w == 0) {
        return TK_ERR_SHAPE;
    }
    if (op->in1 % size != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (!tk_within(op->in0, (uint64_t)op->in_h * op->in_c + (row - op->in_c), arena) || taps > TK_MAX_WORK ||
        !tk_within(op->in1, op->in_h * taps * size, arena)) {
        return TK_ERR_BOUNDS;
    }
    status = tk_check_constants(plan, op->data, 4 * (filters + op->out_c) + ((taps * size + 3) & ~(uint64_t)3) +
                                                    filters * row);
    if (status != TK_OK) {
        return status;
    }
    if (op->in_h * (taps + filters * row) > TK_MAX_WORK) {
        return TK_ERR_TOO_LARGE;
    }
    status = tk_check_multiplier(op->p[0], op->p[1]);
    return status != TK_OK ? status : tk_check_multiplier(op->p[2], op->p[3]);
}

tk_status tk_check_svdf(const tk_plan *plan, const tk_op *op)
{
    return check(plan, op, 1);
}

tk_status tk_check_svdf_16(const tk_plan *plan, const tk_op *op)
{
    return check(plan, op, 2);
}

/* Inner product of int8 values; the weights' pointer moves on by `length`, a multiple of 4. */
TK_INLINE int32_t dot(const uint8_t *x, const uint8_t **weights, uint32_t length)
{
    const uint8_t *w = *weights, *const end = w + length;
    int32_t sum = 0;
    for (; w != end; w += 4, x += 4) {
        const uint32_t a = tk_load32(x), b = tk_load32(w);
        sum = tk_mac_pair(tk_sxtb16_odd(a), tk_sxtb16_odd(b), tk_mac_pair(tk_sxtb16(a), tk_sxtb16(b), sum));
    }
    *weights = w;
    return sum;
}

/* `wide` is a constant where it is called. */
TK_INLINE void svdf(const tk_op *op, const uint8_t *plan, uint8_t *arena, int wide)
{
    const uint32_t filters = (uint32_t)op->out_c * op->kernel_h, memory = op->kernel_w, row = up4(op->in_c);
    const int32_t *starts = (const int32_t *)(const void *)(plan + op->data), *bias = starts + filters;
    const uint8_t *const over_time = (const uint8_t *)(bias + op->out_c);
    const uint8_t *const features = over_time + up4(filters * memory * (wide ? 2u : 1u));
    const int32_t zero = wide ? 0 : op->zero1;
    uint8_t *state = arena + op->in1;
    for (uint32_t example = 0; example < op->in_h; example++) {
        const uint8_t *x = arena + op->in0 + example * op->in_c;
        int8_t *out = (int8_t *)(arena + op->out + example * op->out_c);
        const uint8_t *weights = features;
        for (uint32_t unit = 0, filter = 0; unit < op->out_c; unit++) {
            int32_t sum = bias[unit];
            for (uint32_t r = 0; r < op->kernel_h; r++, filter++) {
                const int32_t product = tk_add_wrap(dot(x, &weights, row), starts[filter]);
                const int32_t feature = tk_requantize(product, op->p[0], op->p[1]);
                if (wide) {
                    int16_t *past = (int16_t *)(void *)state;
                    const int16_t *w = (const int16_t *)(const void *)over_time + filter * memory;
                    memmove(past, past + 1, 2 * (memory - 1));
                    past[memory - 1] = (int16_t)tk_clamp(feature, -32768, 32767);
                    for (uint32_t i = 0; i < memory; i++) {
                        sum = tk_add_wrap(sum, w[i] * past[i]);
                    }
                    state += 2 * memory;
                } else {
                    int8_t *past = (int8_t *)state;
                    const int8_t *w = (const int8_t *)over_time + filter * memory;
                    memmove(past, past + 1, memory - 1);
                    /* As the reference: clamped before the zero point, and cut to eight bits after it. */
                    past[memory - 1] = (int8_t)(uint8_t)(uint32_t)(tk_clamp(feature, -128, 127) + zero);
                    for (uint32_t i = 0; i < memory; i++) {
                        sum = tk_add_wrap(sum, w[i] * (past[i] - zero));
                    }
                    state += memory;
                }
            }
            sum = tk_add_wrap(tk_requantize(sum, op->p[2], op->p[3]), op->zero_out);
            out[unit] = (int8_t)tk_clamp(sum, op->low, op->high);
        }
    }
}

void tk_op_svdf(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    svdf(op, plan, arena, 0);
}

void tk_op_svdf_16(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    svdf(op, plan, arena, 1);
}
