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
    const tk_status status = tk_check_second(plan, op, (uint32_t)op->p[6]);
    if (status != TK_OK) {
        return status;
    }
    if (tk_check_multiplier(op->p[0], op->p[1]) != TK_OK ||
        (sum && (tk_check_multiplier(op->p[2], op->p[3]) != TK_OK ||
                 tk_check_multiplier(op->p[4], op->p[5]) != TK_OK))) {
        return TK_ERR_PARAMETER;
    }
    return TK_OK;
}

/* A factor for values below 2^30: multiplier / 2^31 * 2^-right, right 1 to 30, so that the second
 * rounding is one multiplication by -2^(32 - right) (which is an int32 for all of them). */
typedef struct factor {
    int32_t multiplier, unit;
} factor;

static int is_short(int32_t shift)
{
    return shift <= -1 && shift >= -30;
}

static factor factor_of(int32_t multiplier, int32_t shift)
{
    const factor f = {multiplier, (int32_t)(0u - (1u << (32 + shift)))};
    return f;
}

/* tk_requantize of half of `twice`, and an offset on top. */
TK_INLINE int32_t scale(int32_t twice, factor f, int32_t offset)
{
    const int32_t value = tk_smmulr(twice, f.multiplier);
    return tk_smmlsr(tk_add_wrap(value, value >> 31), f.unit, offset);
}

/* The value in byte `at` of a word. */
TK_INLINE int32_t byte(uint32_t word, uint32_t at)
{
    return (int8_t)(word >> 8u * at);
}

TK_INLINE uint8_t clip(int32_t value)
{
    return (uint8_t)tk_ssat8(value);
}

/* Sums of two inputs, when the first has the larger scale and so a factor of exactly 1/2. (The
 * assembly below knows the order.) */
typedef struct sum {
    factor second, out;
    int32_t zeros;  /* -(zero point of the first) * 2^19 */
    int32_t zero;   /* zero point of the second, times 2^21 */
    int32_t zero_out;
} sum;

TK_INLINE uint8_t sum_of(const sum *s, int32_t x, int32_t y)
{
    const int32_t both = scale((int32_t)((uint32_t)y << 21) - s->zero, s->second, s->zeros) + x * (1 << 19);
    return clip(scale(2 * both, s->out, s->zero_out));
}

#if TK_DSP_FPU
/* Four values at a time, `fours` at least 1. Registers: r4-r10 the sum's fields in order, r11 and r12 four
 * values of each input, r0 and lr one at work; s0 how many fours are left. */
#define SUM(from)                                                                                             \
    "sbfx lr, r12, #" from ", #8\n rsb lr, r9, lr, lsl #21\n smmulr lr, lr, r4\n add lr, lr, lr, asr #31\n"    \
    "smmlsr lr, lr, r5, r8\n sbfx r0, r11, #" from ", #8\n add lr, lr, r0, lsl #19\n lsl lr, lr, #1\n"        \
    "smmulr lr, lr, r6\n add lr, lr, lr, asr #31\n smmlsr lr, lr, r7, r10\n ssat lr, #8, lr\n"               \
    "strb lr, [r3], #1\n"
static __attribute__((naked, noinline)) void sums_4(__attribute__((unused)) const sum *s,
                                                    __attribute__((unused)) const uint8_t *a,
                                                    __attribute__((unused)) const uint8_t *b,
                                                    __attribute__((unused)) uint8_t *out,
                                                    __attribute__((unused)) uint32_t fours)
{
    __asm__ volatile("push {r4-r11, lr}\n"
                     "ldr r12, [sp, #36]\n"
                     "vmov s0, r12\n"
                     "ldm r0, {r4-r10}\n"
                     "1: ldr r11, [r1], #4\n"
                     "ldr r12, [r2], #4\n" SUM("0") SUM("8") SUM("16") SUM("24")
                     "vmov r0, s0\n"
                     "subs r0, #1\n"
                     "vmov s0, r0\n"
                     "bne 1b\n"
                     "pop {r4-r11, pc}\n");
}
#undef SUM
#else
static void sums_4(const sum *s, const uint8_t *a, const uint8_t *b, uint8_t *out, uint32_t fours)
{
    for (uint32_t i = 0; i < 4u * fours; i++) {
        *out++ = sum_of(s, (int8_t)*a++, (int8_t)*b++);
    }
}
#endif

static void sums(const sum *s, const uint8_t *a, const uint8_t *b, uint8_t *out, uint32_t count)
{
    const uint32_t most = count & ~3u;
    if (most > 0) {
        sums_4(s, a, b, out, most / 4u);
    }
    for (uint32_t i = most; i < count; i++) {
        out[i] = sum_of(s, (int8_t)a[i], (int8_t)b[i]);
    }
}

/* Any sum or difference. */
TK_LOOP void any_sums(const tk_op *op, const uint8_t *a, const uint8_t *b, uint8_t *out, uint32_t count)
{
    const int32_t za = op->zero0, zb = op->zero1, zero = op->zero_out;
    const int subtract = (op->flags & TK_FLAG_SUBTRACT) != 0;
    for (; count > 0; count--) {
        const int32_t x = ((int8_t)*a++ - za) * (1 << 20), y = ((int8_t)*b++ - zb) * (1 << 20);
        const int32_t first = tk_requantize(x, op->p[0], op->p[1]);
        const uint32_t second = (uint32_t)tk_requantize(y, op->p[2], op->p[3]);
        const int32_t both = tk_add_wrap(first, (int32_t)(subtract ? 0u - second : second));
        *out++ = clip(tk_add_wrap(tk_requantize(both, op->p[4], op->p[5]), zero));
    }
}

void tk_op_add(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *a = arena + op->in0, *b = (op->flags & TK_FLAG_CONST ? plan : arena) + op->in1;
    uint8_t *out = arena + op->out;
    const uint32_t period = (uint32_t)op->p[6], count = (uint32_t)op->in_h * op->in_w * op->in_c;
    const int32_t half = 1 << 30;
    const int first = op->p[0] == half && op->p[1] == 0 && is_short(op->p[3]);
    const int second = op->p[2] == half && op->p[3] == 0 && is_short(op->p[1]);
    const int quick = is_short(op->p[5]) && (op->flags & TK_FLAG_SUBTRACT) == 0;
    for (uint32_t start = 0; start < count; start += period, a += period, out += period) {
        if (quick && first) {
            const sum s = {factor_of(op->p[2], op->p[3]), factor_of(op->p[4], op->p[5]), -op->zero0 * (1 << 19),
                           op->zero1 * (1 << 21), op->zero_out};
            sums(&s, a, b, out, period);
        } else if (quick && second) {
            const sum s = {factor_of(op->p[0], op->p[1]), factor_of(op->p[4], op->p[5]), -op->zero1 * (1 << 19),
                           op->zero0 * (1 << 21), op->zero_out};
            sums(&s, b, a, out, period);
        } else {
            any_sums(op, a, b, out, period);
        }
    }
    tk_clamp_output(op, arena);
}

/* Products, when they become smaller. */
typedef struct product {
    factor out;
    int32_t zero_a, zero_b, zero_out; /* that of the second twice */
} product;

TK_INLINE uint8_t product_of(const product *p, int32_t x, int32_t y)
{
    return clip(scale((x - p->zero_a) * (2 * y - p->zero_b), p->out, p->zero_out));
}

TK_LOOP void products(product p, const uint8_t *a, const uint8_t *b, uint8_t *out, uint32_t count)
{
    for (; count >= 4; count -= 4, a += 4, b += 4, out += 4) {
        const uint32_t x = tk_load32(a), y = tk_load32(b);
        out[0] = product_of(&p, byte(x, 0), byte(y, 0));
        out[1] = product_of(&p, byte(x, 1), byte(y, 1));
        out[2] = product_of(&p, byte(x, 2), byte(y, 2));
        out[3] = product_of(&p, byte(x, 3), byte(y, 3));
    }
    for (; count > 0; count--) {
        *out++ = product_of(&p, (int8_t)*a++, (int8_t)*b++);
    }
}

TK_LOOP void any_products(const tk_op *op, const uint8_t *a, const uint8_t *b, uint8_t *out, uint32_t count)
{
    for (; count > 0; count--) {
        const int32_t value = ((int8_t)*a++ - op->zero0) * ((int8_t)*b++ - op->zero1);
        *out++ = clip(tk_add_wrap(tk_requantize(value, op->p[0], op->p[1]), op->zero_out));
    }
}

void tk_op_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *a = arena + op->in0, *b = (op->flags & TK_FLAG_CONST ? plan : arena) + op->in1;
    uint8_t *out = arena + op->out;
    const uint32_t period = (uint32_t)op->p[6], count = (uint32_t)op->in_h * op->in_w * op->in_c;
    for (uint32_t start = 0; start < count; start += period, a += period, out += period) {
        if (is_short(op->p[1])) {
            const product p = {factor_of(op->p[0], op->p[1]), op->zero0, 2 * op->zero1, op->zero_out};
            products(p, a, b, out, period);
        } else {
            any_products(op, a, b, out, period);
        }
    }
    tk_clamp_output(op, arena);
}
