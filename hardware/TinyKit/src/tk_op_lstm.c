/* LSTM over a sequence: int8 values and weights (TK_LSTM) or int16 values and int8 weights (TK_LSTM_16);
 * cells are int16.
 *
 * in_h sequences of in_w steps of in_c values give as many steps of out_c values; sequence first, or
 * step first where kernel_h is 1. The state at in1 (TK_STATE): in_h * out_c cells, then as many outputs
 * of the last step, in the output's type, then 3 bytes that are only read. p[0]: largest cell, 0 for
 * no limit. p[1], p[2]: a cell times p[1], shifted right by p[2] with rounding, is 3 * 2^12 times what
 * tanh sees.
 *
 * data: 256 uint16, 2^16 times the sigmoid of i / 24. Eight pairs of multiplier and shift, for each gate
 * (input, forget, cell, output) of its inputs' sum and of its past outputs' sum, in units of 2^-12; a
 * pair each for forget gate * cell, input gate * cell gate, output gate * tanh of the cell. Then for each
 * unit 32 bytes: four int32 biases for the inputs and four for the past outputs, their zero points folded
 * in (TK_LSTM); or four int64 biases for the inputs (TK_LSTM_16, whose zero points are 0). Then for each
 * unit the four gates' weights for the inputs, filled up to a multiple of 4 with zeros and interleaved by
 * words, and those for the past outputs likewise. TK_FLAG_SIMPLE: no shift is to the left, and the gates'
 * sums are below 2^30 (the host has checked it; products of two numbers of 16 bits always are). TK_LSTM reads up to 3 bytes behind the input.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_mac16.h"
#include "tk_quant.h"

#define GATES 4u
#define TABLE_BYTES 512u
#define PAIRS 11u
#define UNIT_BYTES 32u
#define MOST_SCALE (3 << 14)

enum { INPUT, FORGET, CELL, OUTPUT };

static uint32_t up4(uint32_t n)
{
    return (n + 3u) & ~3u;
}

static tk_status check(const tk_plan *plan, const tk_op *op, uint32_t size)
{
    const uint32_t arena = plan->header->arena_bytes, row = up4(op->in_c) + up4(op->out_c);
    const uint64_t cells = (uint64_t)op->in_h * op->out_c, steps = (uint64_t)op->in_h * op->in_w;
    const uint32_t over = size == 1 ? up4(op->in_c) - op->in_c : 0;
    tk_status status;
    if (op->out_h != op->in_h || op->out_w != op->in_w || op->kernel_h > 1) {
        return TK_ERR_SHAPE;
    }
    if (op->in1 % 2 != 0 || ((op->in0 | op->out) & (size - 1)) != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (!tk_within(op->in0, steps * op->in_c * size + over, arena) ||
        !tk_within(op->out, steps * op->out_c * size, arena) ||
        !tk_within(op->in1, cells * (2 + size) + 3, arena)) {
        return TK_ERR_BOUNDS;
    }
    status = tk_check_constants(plan, op->data, TABLE_BYTES + 8u * PAIRS +
                                                    (uint64_t)op->out_c * (UNIT_BYTES + (uint64_t)GATES * row));
    if (status != TK_OK) {
        return status;
    }
    if (op->p[0] < 0 || op->p[0] > 32767 || op->p[1] < 1 || op->p[1] > MOST_SCALE || op->p[2] < 0 || op->p[2] > 15) {
        return TK_ERR_PARAMETER;
    }
    if (steps * op->out_c > TK_MAX_WORK || steps * op->out_c * GATES * row > TK_MAX_WORK) {
        return TK_ERR_TOO_LARGE;
    }
    const int32_t *pairs = (const int32_t *)(const void *)(plan->bytes + op->data + TABLE_BYTES);
    const int simple = (op->flags & TK_FLAG_SIMPLE) != 0;
    for (uint32_t i = 0; i < PAIRS; i++) {
        /* The sums of int16 values are long, and their product knows fewer shifts. */
        if (tk_check_multiplier(pairs[2 * i], pairs[2 * i + 1]) != TK_OK ||
            (size == 2 && i < 2 * GATES && pairs[2 * i + 1] > 7) ||
            (simple && (pairs[2 * i + 1] > 0 || pairs[2 * i + 1] < -30))) {
            return TK_ERR_PARAMETER;
        }
    }
    return TK_OK;
}

tk_status tk_check_lstm(const tk_plan *plan, const tk_op *op)
{
    return check(plan, op, 1);
}

tk_status tk_check_lstm_16(const tk_plan *plan, const tk_op *op)
{
    return check(plan, op, 2);
}

/* tk_requantize by a pair; `simple`: the op has TK_FLAG_SIMPLE. A constant where it is called. */
TK_INLINE int32_t rescale(int32_t x, const int32_t *pair, int simple)
{
    return simple ? tk_requantize_right(x, pair[0], -pair[1]) : tk_requantize(x, pair[0], pair[1]);
}

TK_INLINE int32_t clamp16(int32_t x)
{
    return tk_clamp(x, -32768, 32767);
}

/* Sigmoid of x / 2^12, in units of 2^-15, between the table's entries by a straight line. */
static int32_t sigmoid(const uint16_t *table, int32_t x)
{
    const int32_t scaled = 3 * x;
    const uint32_t size = (uint32_t)(scaled < 0 ? -scaled : scaled), at = size >> 9;
    uint32_t value = 0x7FFFu << 10;
    if (at < 255) {
        value = ((uint32_t)table[at] << 9) + (size & 0x1FFu) * (uint32_t)(table[at + 1] - table[at]);
    }
    return (int32_t)((scaled >= 0 ? value + 512u : (1u << 25) - value + 511u) >> 10);
}

/* Hyperbolic tangent of scaled / (3 * 2^12), in units of 2^-15: 2 * sigmoid of twice that - 1. */
static int32_t tangent(const uint16_t *table, int32_t scaled)
{
    const uint32_t size = (uint32_t)(scaled < 0 ? -scaled : scaled), at = size >> 8;
    int32_t value = 0xFFFF << 8;
    if (at < 255) {
        value = (int32_t)(((uint32_t)table[at] << 8) + (size & 0xFFu) * (uint32_t)(table[at + 1] - table[at]));
    }
    return scaled >= 0 ? (value - (1 << 23) + 128) >> 8 : ((1 << 23) - value + 127) >> 8;
}

/* Four gates' inner products with the same values, and biases; `length` is a multiple of 4. */
TK_LOOP const uint8_t *dot4(int32_t *sums, const int32_t *biases, const uint8_t *x, const uint8_t *w, uint32_t length)
{
    const uint8_t *const end = x + length;
    int32_t s0 = biases[0], s1 = biases[1], s2 = biases[2], s3 = biases[3];
    if (length & 4u) {
        tk_mac16(&s0, &s1, &s2, &s3, &x, &w);
    }
    while (x != end) {
        tk_mac16(&s0, &s1, &s2, &s3, &x, &w);
        tk_mac16(&s0, &s1, &s2, &s3, &x, &w);
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
    return w;
}

/* The same of int16 values; `count` need not be a multiple of 4. */
static const uint8_t *dot4_16(int64_t *sums, const int16_t *x, const uint8_t *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const int8_t *four = (const int8_t *)w + i / 4 * 16 + i % 4;
        for (uint32_t gate = 0; gate < GATES; gate++) {
            sums[gate] = (int64_t)((uint64_t)sums[gate] + (uint64_t)(int64_t)(x[i] * four[4 * gate])); /* may wrap */
        }
    }
    return w + GATES * up4(count);
}

typedef struct unit {
    const uint16_t *table;
    const int32_t *pairs;
    const uint8_t *biases, *weights; /* of this unit; the weights move on */
} unit;

/* What goes into the four gates, in units of 2^-12. `wide` and `simple` are constants where it is called. */
TK_INLINE void gates_of(const tk_op *op, unit *u, const uint8_t *x, const uint8_t *past, int32_t *gates, int wide,
                        int simple)
{
    if (wide) {
        int64_t inputs[GATES], outputs[GATES] = {0, 0, 0, 0};
        memcpy(inputs, u->biases, sizeof inputs);
        u->weights = dot4_16(inputs, (const int16_t *)(const void *)x, u->weights, op->in_c);
        u->weights = dot4_16(outputs, (const int16_t *)(const void *)past, u->weights, op->out_c);
        for (uint32_t g = 0; g < GATES; g++) {
            const int32_t *p = u->pairs + 4 * g;
            gates[g] = clamp16(clamp16(tk_requantize_long(inputs[g], p[0], p[1])) +
                               clamp16(tk_requantize_long(outputs[g], p[2], p[3])));
        }
    } else {
        int32_t sums[2 * GATES];
        const int32_t *biases = (const int32_t *)(const void *)u->biases;
        u->weights = dot4(sums, biases, x, u->weights, up4(op->in_c));
        u->weights = dot4(sums + GATES, biases + GATES, past, u->weights, up4(op->out_c));
        for (uint32_t g = 0; g < GATES; g++) {
            const int32_t *p = u->pairs + 4 * g;
            gates[g] = clamp16(clamp16(rescale(sums[g], p, simple)) + clamp16(rescale(sums[GATES + g], p + 2, simple)));
        }
    }
}

/* One unit's step: its cell changes; returns its output in units of the pairs' last. */
TK_INLINE int32_t step_of(const tk_op *op, const unit *u, const int32_t *gates, int16_t *cell, int simple)
{
    const int32_t *p = u->pairs + 4 * GATES;
    const int32_t kept = clamp16(rescale(sigmoid(u->table, gates[FORGET]) * *cell, p, simple));
    const int32_t candidate = tangent(u->table, 3 * gates[CELL]);
    const int32_t added = clamp16(rescale(sigmoid(u->table, gates[INPUT]) * candidate, p + 2, simple));
    int32_t value = clamp16(kept + added);
    if (op->p[0] > 0) {
        value = tk_clamp(value, -op->p[0], op->p[0]);
    }
    *cell = (int16_t)value;
    const int32_t half = op->p[2] > 0 ? 1 << (op->p[2] - 1) : 0;
    const int32_t squashed = tangent(u->table, (value * op->p[1] + half) >> op->p[2]);
    return rescale(squashed * sigmoid(u->table, gates[OUTPUT]), p + 4, simple);
}

TK_INLINE void lstm(const tk_op *op, const uint8_t *plan, uint8_t *arena, int wide, int simple)
{
    const uint32_t units = op->out_c, size = wide ? 2u : 1u;
    const uint8_t *const block = plan + op->data;
    const uint8_t *const biases = block + TABLE_BYTES + 8u * PAIRS;
    int16_t *cells = (int16_t *)(void *)(arena + op->in1);
    uint8_t *pasts = arena + op->in1 + 2u * op->in_h * units;
    for (uint32_t sequence = 0; sequence < op->in_h; sequence++, cells += units, pasts += units * size) {
        for (uint32_t step = 0; step < op->in_w; step++) {
            const uint32_t at = op->kernel_h ? step * op->in_h + sequence : sequence * op->in_w + step;
            const uint8_t *x = arena + op->in0 + at * op->in_c * size;
            uint8_t *out = arena + op->out + at * units * size;
            unit u = {(const uint16_t *)(const void *)block, (const int32_t *)(const void *)(block + TABLE_BYTES),
                      biases, biases + units * UNIT_BYTES};
            for (uint32_t i = 0; i < units; i++, u.biases += UNIT_BYTES) {
                int32_t gates[GATES];
                gates_of(op, &u, x, pasts, gates, wide, simple);
                const int32_t value = tk_add_wrap(step_of(op, &u, gates, cells + i, simple), op->zero_out);
                if (wide) {
                    ((int16_t *)(void *)out)[i] = (int16_t)clamp16(value);
                } else {
                    ((int8_t *)out)[i] = (int8_t)tk_clamp(value, -128, 127);
                }
            }
            memmove(pasts, out, units * size);
        }
    }
}

void tk_op_lstm(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    if (op->flags & TK_FLAG_SIMPLE) {
        lstm(op, plan, arena, 0, 1);
    } else {
        lstm(op, plan, arena, 0, 0);
    }
}

void tk_op_lstm_16(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    lstm(op, plan, arena, 1, 0);
}
