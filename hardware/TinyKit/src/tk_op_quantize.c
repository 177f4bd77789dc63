/* From one kind of number to another, at the ends of a network: in_h * in_w * in_c values.
 *
 * TK_RESCALE: integers to integers. p[0], p[1]: types of input and output (below); p[2], p[3]:
 * multiplier and shift; p[4], p[5]: zero points. TK_QUANTIZE: float32 to integers. p[1]: type of the
 * output, int8 or int16; p[2]: the scale, a float32; p[5]: zero point. TK_DEQUANTIZE: integers to
 * float32. p[0]: type of the input, at most 16 bits; p[2]: the scale, a float32; p[4]: zero point.
 * An output may be written onto its input if its values are not larger.
 *
 * Each float goes through one operation that rounds, so there is nothing that a compiler could fuse:
 * the same answers on every machine. Not a number becomes the smallest integer, and what is beyond
 * all integers the nearest (TensorFlow Lite Micro leaves both to the compiler).
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

enum { TYPE_INT8 = 1, TYPE_UINT8 = 2, TYPE_INT16 = 3, TYPE_INT32 = 4 };

static uint32_t bytes_of(int32_t type)
{
    return type == TYPE_INT32 ? 4 : type == TYPE_INT16 ? 2 : 1;
}

static tk_status check_sizes(const tk_plan *plan, const tk_op *op, uint32_t in_bytes, uint32_t out_bytes)
{
    const uint64_t count = (uint64_t)op->in_h * op->in_w * op->in_c;
    const uint32_t arena = plan->header->arena_bytes;
    if (!tk_same_shape(op)) {
        return TK_ERR_SHAPE;
    }
    return tk_within(op->in0, count * in_bytes, arena) && tk_within(op->out, count * out_bytes, arena) ? TK_OK
                                                                                                       : TK_ERR_BOUNDS;
}

tk_status tk_check_rescale(const tk_plan *plan, const tk_op *op)
{
    if (op->p[0] < TYPE_INT8 || op->p[0] > TYPE_INT32 || op->p[1] < TYPE_INT8 || op->p[1] > TYPE_INT32 ||
        tk_check_multiplier(op->p[2], op->p[3]) != TK_OK) {
        return TK_ERR_PARAMETER;
    }
    return check_sizes(plan, op, bytes_of(op->p[0]), bytes_of(op->p[1]));
}

tk_status tk_check_quantize(const tk_plan *plan, const tk_op *op)
{
    if ((op->p[1] != TYPE_INT8 && op->p[1] != TYPE_INT16) || op->p[5] < INT16_MIN || op->p[5] > INT16_MAX) {
        return TK_ERR_PARAMETER;
    }
    return check_sizes(plan, op, 4, bytes_of(op->p[1]));
}

tk_status tk_check_dequantize(const tk_plan *plan, const tk_op *op)
{
    if (op->p[0] < TYPE_INT8 || op->p[0] > TYPE_INT16 || op->p[4] < INT16_MIN || op->p[4] > INT16_MAX) {
        return TK_ERR_PARAMETER;
    }
    return check_sizes(plan, op, bytes_of(op->p[0]), 4);
}

TK_INLINE int32_t get(const uint8_t *at, int32_t type)
{
    switch (type) {
    case TYPE_INT8:
        return (int8_t)*at;
    case TYPE_UINT8:
        return *at;
    case TYPE_INT16:
        return (int16_t)(uint16_t)(at[0] | at[1] << 8);
    default:
        return (int32_t)tk_load32(at);
    }
}

/* Clamped to the type's range. */
TK_INLINE void put(uint8_t *at, int32_t value, int32_t type)
{
    switch (type) {
    case TYPE_INT8:
        *at = (uint8_t)tk_clamp(value, -128, 127);
        break;
    case TYPE_UINT8:
        *at = (uint8_t)tk_clamp(value, 0, 255);
        break;
    case TYPE_INT16: {
        const uint32_t half = (uint32_t)tk_clamp(value, INT16_MIN, INT16_MAX);
        at[0] = (uint8_t)(half & 0xFFu);
        at[1] = (uint8_t)(half >> 8 & 0xFFu);
        break;
    }
    default:
        tk_store32(at, (uint32_t)value);
    }
}

typedef union number {
    uint32_t bits;
    float value;
} number;

TK_INLINE float as_float(uint32_t bits)
{
    const number n = {.bits = bits};
    return n.value;
}

TK_INLINE uint32_t as_bits(float value)
{
    const number n = {.value = value};
    return n.bits;
}

void tk_op_rescale(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint8_t *out = arena + op->out;
    const int32_t from = op->p[0], to = op->p[1], multiplier = op->p[2], shift = op->p[3];
    const uint32_t zero = (uint32_t)op->p[4];
    const int32_t zero_out = op->p[5];
    (void)plan;
    for (uint32_t i = (uint32_t)op->in_h * op->in_w * op->in_c; i > 0; i--) {
        const int32_t x = (int32_t)((uint32_t)get(in, from) - zero);
        put(out, tk_add_wrap(tk_requantize(x, multiplier, shift), zero_out), to);
        in += bytes_of(from);
        out += bytes_of(to);
    }
}

void tk_op_quantize(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint8_t *out = arena + op->out;
    const int wide = op->p[1] == TYPE_INT16;
    const int32_t zero = op->p[5];
    /* At whole numbers, a clamp before rounding is one after it. */
    const float low = (float)((wide ? INT16_MIN : -128) - zero), high = (float)((wide ? INT16_MAX : 127) - zero);
    const float scale = as_float((uint32_t)op->p[2]);
    (void)plan;
    for (uint32_t i = (uint32_t)op->in_h * op->in_w * op->in_c; i > 0; i--) {
        float x = as_float(tk_load32(in)) / scale;
        x = x > low ? x : low; /* also if it is not a number */
        x = x < high ? x : high;
        const int32_t twice = (int32_t)(x + x);
        const uint32_t value = (uint32_t)((twice + (twice < 0 ? -1 : 1)) / 2 + zero); /* half away from zero */
        *out++ = (uint8_t)(value & 0xFFu);
        if (wide) {
            *out++ = (uint8_t)(value >> 8 & 0xFFu);
        }
        in += 4;
    }
}

void tk_op_dequantize(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint8_t *out = arena + op->out;
    const int32_t from = op->p[0], zero = op->p[4];
    const float scale = as_float((uint32_t)op->p[2]);
    (void)plan;
    for (uint32_t i = (uint32_t)op->in_h * op->in_w * op->in_c; i > 0; i--) {
        tk_store32(out, as_bits((float)(get(in, from) - zero) * scale));
        in += bytes_of(from);
        out += 4;
    }
}
