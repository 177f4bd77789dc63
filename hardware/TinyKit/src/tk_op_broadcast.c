/* Two tensors, value by value, either of them used again along axes where it has one value only.
 *
 * The output has four axes (as many values as out_h * out_w * out_c): kernel_h, kernel_w, stride_h and
 * stride_w values along them, the last fastest. Bit i of dilation_h says that the first input has axis i
 * too (bit 0 is the outermost); without it the same values serve for the whole axis. dilation_w says so
 * of the second. With TK_FLAG_CONST the second lies in the plan. The output may be written onto an
 * input that has all four axes.
 *
 * TK_BROADCAST_ADD and TK_BROADCAST_MUL have the parameters of TK_ADD and TK_MUL, but for p[6].
 * TK_SQUARED_DIFFERENCE: p[0], p[1] multiplier and shift of the first, p[2], p[3] of the second, both
 * raised by 7 bits; p[4], p[5] of the square. TK_MAXIMUM, TK_MINIMUM: none; all scales are the same.
 * TK_PRELU: p[0], p[1] multiplier and shift of the first, where it is not below zero, p[2], p[3] of its
 * product with the second elsewhere.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_broadcast(const tk_plan *plan, const tk_op *op)
{
    const tk_walk w = tk_walk_of(op, op->stride_w); /* four 16-bit sizes: no product leaves 64 bits */
    const uint32_t factors = op->kind == TK_BROADCAST_ADD || op->kind == TK_SQUARED_DIFFERENCE ? 3
                             : op->kind == TK_PRELU                                            ? 2
                             : op->kind == TK_BROADCAST_MUL                                    ? 1
                                                                                               : 0;
    if (w.all != (uint64_t)op->out_h * op->out_w * op->out_c || w.of_a > (uint64_t)op->in_h * op->in_w * op->in_c ||
        w.all == 0) {
        return TK_ERR_SHAPE;
    }
    const tk_status status = tk_check_second(plan, op, w.of_b);
    if (status != TK_OK) {
        return status;
    }
    for (uint32_t i = 0; i < factors; i++) {
        if (tk_check_multiplier(op->p[2 * i], op->p[2 * i + 1]) != TK_OK) {
            return TK_ERR_PARAMETER;
        }
    }
    return TK_OK;
}

/* One row: `count` values, each input moving on by its step. */
typedef void row_function(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                          int8_t *out, uint32_t count);

TK_INLINE void each_row(const tk_op *op, const uint8_t *plan, uint8_t *arena, row_function *row)
{
    const tk_walk w = tk_walk_of(op, op->stride_w);
    const int8_t *a = (const int8_t *)(arena + op->in0);
    const int8_t *b = (const int8_t *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    int8_t *out = (int8_t *)(arena + op->out);
    for (uint32_t i = 0; i < w.size[0]; i++) {
        for (uint32_t j = 0; j < w.size[1]; j++) {
            for (uint32_t k = 0; k < w.size[2]; k++) {
                row(op, a + i * w.step_a[0] + j * w.step_a[1] + k * w.step_a[2], w.step_a[3],
                    b + i * w.step_b[0] + j * w.step_b[1] + k * w.step_b[2], w.step_b[3], out, w.size[3]);
                out += w.size[3];
            }
        }
    }
}

/* tk_requantize; `quick`: for |x| < 2^30 and a shift to the right, or none. A constant where it is called. */
TK_INLINE int32_t rescale(int32_t x, const int32_t *pair, int quick)
{
    if (quick) {
        return tk_requantize_right(x, pair[0], -pair[1]);
    }
    return tk_requantize(x, pair[0], pair[1]);
}

/* What a row's loop needs of the record, apart from it: bytes that are written might change that. */
typedef struct row_numbers {
    int32_t first[2], second[2], last[2]; /* multiplier and shift */
    int32_t zero0, zero1, zero_out, low, high;
} row_numbers;

static row_numbers numbers_of(const tk_op *op)
{
    const row_numbers n = {{op->p[0], op->p[1]}, {op->p[2], op->p[3]}, {op->p[4], op->p[5]}, op->zero0,
                           op->zero1,            op->zero_out,         op->low,              op->high};
    return n;
}

static int is_right(const int32_t *pair)
{
    return pair[1] <= 0 && pair[1] > -31;
}

TK_INLINE int8_t finish(const row_numbers *n, int32_t value)
{
    return (int8_t)tk_clamp(tk_add_wrap(value, n->zero_out), n->low, n->high);
}

/* Sums, differences (sign -1) and, raised by fewer bits, squares of differences: each side is scaled first,
 * and the second only when it changes, which it seldom does where it is used again and again. Quick is
 * right: raised by 20 bits, a side is below 2^28, two together below 2^29; a square below 2^30. */
TK_INLINE void scaled_row(row_numbers n, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                          int8_t *out, uint32_t count, int bits, int sign, int square, int quick)
{
    int32_t seen = 256, y = 0;
    for (; count > 0; count--, a += step_a, b += step_b) {
        const int32_t x = rescale((*a - n.zero0) * (1 << bits), n.first, quick);
        if (*b != seen) {
            seen = *b;
            y = rescale((seen - n.zero1) * (1 << bits), n.second, quick);
        }
        uint32_t value = (uint32_t)x + (sign > 0 ? (uint32_t)y : 0u - (uint32_t)y);
        value = square ? value * value : value;
        *out++ = finish(&n, rescale((int32_t)value, n.last, quick));
    }
}

static void add_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                    int8_t *out, uint32_t count)
{
    const row_numbers n = numbers_of(op);
    const int sign = op->flags & TK_FLAG_SUBTRACT ? -1 : 1;
    if (is_right(n.first) && is_right(n.second) && is_right(n.last)) {
        scaled_row(n, a, step_a, b, step_b, out, count, 20, sign, 0, 1);
    } else {
        scaled_row(n, a, step_a, b, step_b, out, count, 20, sign, 0, 0);
    }
}

static void squared_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                        int8_t *out, uint32_t count)
{
    const row_numbers n = numbers_of(op);
    if (is_right(n.first) && is_right(n.second) && is_right(n.last)) {
        scaled_row(n, a, step_a, b, step_b, out, count, 7, -1, 1, 1);
    } else {
        scaled_row(n, a, step_a, b, step_b, out, count, 7, -1, 1, 0);
    }
}

TK_INLINE void product_row(row_numbers n, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                           int8_t *out, uint32_t count, int quick)
{
    for (; count > 0; count--, a += step_a, b += step_b) {
        *out++ = finish(&n, rescale((*a - n.zero0) * (*b - n.zero1), n.first, quick));
    }
}

static void mul_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                    int8_t *out, uint32_t count)
{
    const row_numbers n = numbers_of(op);
    if (is_right(n.first)) {
        product_row(n, a, step_a, b, step_b, out, count, 1);
    } else {
        product_row(n, a, step_a, b, step_b, out, count, 0);
    }
}

static void maximum_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                        int8_t *out, uint32_t count)
{
    (void)op;
    for (; count > 0; count--, a += step_a, b += step_b) {
        *out++ = *a > *b ? *a : *b;
    }
}

static void minimum_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                        int8_t *out, uint32_t count)
{
    (void)op;
    for (; count > 0; count--, a += step_a, b += step_b) {
        *out++ = *a < *b ? *a : *b;
    }
}

static void prelu_row(const tk_op *op, const int8_t *a, uint32_t step_a, const int8_t *b, uint32_t step_b,
                      int8_t *out, uint32_t count)
{
    const row_numbers n = numbers_of(op);
    for (; count > 0; count--, a += step_a, b += step_b) {
        const int32_t x = *a - n.zero0;
        *out++ = finish(&n, x >= 0 ? rescale(x, n.first, 0) : rescale(x * (*b - n.zero1), n.second, 0));
    }
}

void tk_op_broadcast_add(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, add_row);
}

void tk_op_broadcast_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, mul_row);
}

void tk_op_squared_difference(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, squared_row);
}

void tk_op_maximum(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, maximum_row);
}

void tk_op_minimum(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, minimum_row);
}

void tk_op_prelu(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    each_row(op, plan, arena, prelu_row);
}
