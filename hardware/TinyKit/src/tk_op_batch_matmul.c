/* Products of matrices, batch by batch: (m, k) times (k, n) gives (m, n), both int8 or both int16.
 *
 * out_h batches of out_w * out_c = m * n values; k = p[2]. The first input has in_h matrices of in_w * in_c
 * values, m * k, or k * m with TK_FLAG_TURN_A; the second has k * n, or n * k with TK_FLAG_TURN_B, and lies
 * in the plan with TK_FLAG_CONST. The batches have up to three axes: kernel_h, kernel_w and stride_h of
 * them, the last fastest; bit i of dilation_h says that the first input has axis i too, without it the
 * same matrix serves for the whole axis; dilation_w says so of the second. p[0], p[1]: multiplier and
 * shift; TK_FLAG_SIMPLE: not to the left, and all sums are below 2^30 (the host has checked it).
 *
 * TK_BATCH_MATMUL: scratch of 9 * k bytes, k rounded up to 4. Four columns at a time are unpacked into
 * halves there, less their zero point, in the order in which the rows' bytes are: 0 and 2, 1 and 3. Reads up
 * to 3 bytes behind the first input; the columns have zeros there.
 * TK_BATCH_MATMUL_16: zero points are 0; inputs and output are int16 at even offsets; no scratch.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

#define COLUMNS 4u

static tk_status check(const tk_plan *plan, const tk_op *op, uint32_t size)
{
    const tk_walk w = tk_walk_of(op, 1); /* three 16-bit sizes: no product leaves 64 bits */
    const uint32_t arena = plan->header->arena_bytes, m = op->out_w, n = op->out_c;
    const uint64_t k = (uint32_t)op->p[2], padded = (k + 3) & ~(uint64_t)3;
    if (op->p[2] < 1 || op->p[2] > 65535 || w.all != op->out_h || w.of_a != op->in_h ||
        (uint64_t)m * k != (uint64_t)op->in_w * op->in_c) {
        return TK_ERR_SHAPE;
    }
    /* No more than out_h batches, of matrices with sides below 2^16: nothing leaves 64 bits. */
    const uint64_t bytes_a = w.of_a * m * k * size, bytes_b = w.of_b * k * n * size;
    const uint64_t over = size == 1 && (op->flags & TK_FLAG_TURN_A) == 0 ? padded - k : 0;
    if (!tk_within(op->in0, bytes_a + over, arena) ||
        !tk_within(op->out, (uint64_t)op->out_h * m * n * size, arena) ||
        (size == 1 && op->scratch_bytes < 9 * padded)) {
        return TK_ERR_BOUNDS;
    }
    if (((op->in0 | op->in1 | op->out) & (size - 1)) != 0) {
        return TK_ERR_ALIGNMENT;
    }
    const tk_status status = tk_check_second(plan, op, bytes_b);
    if (status != TK_OK) {
        return status;
    }
    if (w.all * m * n * padded > TK_MAX_WORK) {
        return TK_ERR_TOO_LARGE;
    }
    if ((op->flags & TK_FLAG_SIMPLE) != 0 && (op->p[1] > 0 || op->p[1] < -30)) {
        return TK_ERR_PARAMETER;
    }
    return tk_check_multiplier(op->p[0], op->p[1]);
}

tk_status tk_check_batch_matmul(const tk_plan *plan, const tk_op *op)
{
    return check(plan, op, 1);
}

tk_status tk_check_batch_matmul_16(const tk_plan *plan, const tk_op *op)
{
    /* The long product knows fewer shifts. */
    return op->p[1] > 7 ? TK_ERR_PARAMETER : check(plan, op, 2);
}

/* Where element (row, column) lies: row * step_row + column * step_column. */
typedef struct matrix {
    uint32_t step_row, step_column;
} matrix;

static matrix matrix_of(uint32_t rows, uint32_t columns, int turned)
{
    const matrix upright = {columns, 1}, lying = {1, rows};
    return turned ? lying : upright;
}

/* Up to four columns into halves. Missing ones are zeros. `sums` gets their sums. */
TK_LOOP void unpack(uint32_t *to, const int8_t *from, matrix at, uint32_t k, uint32_t columns, int32_t zero, int32_t *sums)
{
    for (uint32_t j = 0; j < COLUMNS; j++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < k; i += 4) {
            int32_t v[4] = {0, 0, 0, 0};
            for (uint32_t d = 0; d < 4 && i + d < k && j < columns; d++) {
                v[d] = from[(i + d) * at.step_row + j * at.step_column] - zero;
                sum += v[d];
            }
            uint32_t *pair = to + (i / 4) * 2 * COLUMNS + 2 * j;
            pair[0] = ((uint32_t)v[0] & 0xFFFFu) | (uint32_t)v[2] << 16;
            pair[1] = ((uint32_t)v[1] & 0xFFFFu) | (uint32_t)v[3] << 16;
        }
        sums[j] = sum;
    }
}

/* Four values of a row times four of each column. */
TK_INLINE void quad(int32_t *s0, int32_t *s1, int32_t *s2, int32_t *s3, const uint8_t **row, const uint32_t **pair)
{
#if TK_DSP
    uint32_t even, odd, a, b, c, d;
    __asm__("ldr %[odd], [%[row]], #4\n\t"
            "ldr %[a], [%[pair]], #32\n\t"
            "ldr %[b], [%[pair], #-28]\n\t"
            "ldr %[c], [%[pair], #-24]\n\t"
            "ldr %[d], [%[pair], #-20]\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[s0], %[a], %[even], %[s0]\n\t"
            "smlad %[s0], %[b], %[odd], %[s0]\n\t"
            "smlad %[s1], %[c], %[even], %[s1]\n\t"
            "smlad %[s1], %[d], %[odd], %[s1]\n\t"
            "ldr %[a], [%[pair], #-16]\n\t"
            "ldr %[b], [%[pair], #-12]\n\t"
            "ldr %[c], [%[pair], #-8]\n\t"
            "ldr %[d], [%[pair], #-4]\n\t"
            "smlad %[s2], %[a], %[even], %[s2]\n\t"
            "smlad %[s2], %[b], %[odd], %[s2]\n\t"
            "smlad %[s3], %[c], %[even], %[s3]\n\t"
            "smlad %[s3], %[d], %[odd], %[s3]"
            : [s0] "+r"(*s0), [s1] "+r"(*s1), [s2] "+r"(*s2), [s3] "+r"(*s3), [row] "+r"(*row), [pair] "+r"(*pair),
              [even] "=&r"(even), [odd] "=&r"(odd), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
            :
            : "memory");
#else
    const uint32_t bytes = tk_load32(*row), even = tk_sxtb16(bytes), odd = tk_sxtb16_odd(bytes);
    const uint32_t *p = *pair;
    *s0 = tk_mac_pair(odd, p[1], tk_mac_pair(even, p[0], *s0));
    *s1 = tk_mac_pair(odd, p[3], tk_mac_pair(even, p[2], *s1));
    *s2 = tk_mac_pair(odd, p[5], tk_mac_pair(even, p[4], *s2));
    *s3 = tk_mac_pair(odd, p[7], tk_mac_pair(even, p[6], *s3));
    *row += 4;
    *pair += 2 * COLUMNS;
#endif
}

/* `rows` rows of up to four columns, to `out` and on by a row: sums begin with `start`. */
TK_LOOP void rows_of(const tk_op *op, int8_t *out, const uint8_t *from, uint32_t rows, uint32_t quads,
                     const uint32_t *columns, const int32_t *start, uint32_t count)
{
    const int32_t multiplier = op->p[0], right = -op->p[1], zero = op->zero_out;
    const int simple = (op->flags & TK_FLAG_SIMPLE) != 0;
    const uint32_t n = op->out_c, step = (uint32_t)op->p[2];
    for (; rows > 0; rows--, from += step, out += n) {
        const uint8_t *row = from, *const end = from + 4 * quads;
        const uint32_t *pair = columns;
        int32_t s0 = start[0], s1 = start[1], s2 = start[2], s3 = start[3];
        if (quads & 1u) {
            quad(&s0, &s1, &s2, &s3, &row, &pair);
        }
        while (row != end) {
            quad(&s0, &s1, &s2, &s3, &row, &pair);
            quad(&s0, &s1, &s2, &s3, &row, &pair);
        }
        if (simple && count == COLUMNS && right > 0) {
            const int32_t half = 1 << (right - 1);
            const int32_t v0 = tk_smmulr((int32_t)((uint32_t)s0 << 1), multiplier);
            const int32_t v1 = tk_smmulr((int32_t)((uint32_t)s1 << 1), multiplier);
            const int32_t v2 = tk_smmulr((int32_t)((uint32_t)s2 << 1), multiplier);
            const int32_t v3 = tk_smmulr((int32_t)((uint32_t)s3 << 1), multiplier);
            out[0] = (int8_t)tk_ssat8(((v0 + (v0 >> 31) + half) >> right) + zero);
            out[1] = (int8_t)tk_ssat8(((v1 + (v1 >> 31) + half) >> right) + zero);
            out[2] = (int8_t)tk_ssat8(((v2 + (v2 >> 31) + half) >> right) + zero);
            out[3] = (int8_t)tk_ssat8(((v3 + (v3 >> 31) + half) >> right) + zero);
            continue;
        }
        for (uint32_t c = 0; c < count; c++) {
            out[c] = (int8_t)tk_ssat8(tk_add_wrap(tk_requantize(s0, multiplier, -right), zero));
            s0 = s1, s1 = s2, s2 = s3;
        }
    }
}

void tk_op_batch_matmul(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const tk_walk w = tk_walk_of(op, 1);
    const uint32_t m = op->out_w, n = op->out_c, k = (uint32_t)op->p[2], quads = (k + 3) / 4;
    const int turn_a = (op->flags & TK_FLAG_TURN_A) != 0;
    const matrix at_a = matrix_of(m, k, turn_a), at_b = matrix_of(k, n, (op->flags & TK_FLAG_TURN_B) != 0);
    const int8_t *first = (const int8_t *)(arena + op->in0);
    const int8_t *second = (const int8_t *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    uint32_t *columns = (uint32_t *)(void *)(arena + op->scratch);
    uint8_t *gathered = (uint8_t *)(columns + quads * 2 * COLUMNS);
    int8_t *out = (int8_t *)(arena + op->out);
    const int32_t zero_a = op->zero0, zero_b = op->zero1;
    for (uint32_t batch = 0; batch < op->out_h; batch++, out += m * n) {
        const uint32_t z = batch % w.size[2], y = batch / w.size[2] % w.size[1], x = batch / w.size[2] / w.size[1];
        const int8_t *a = first + (x * w.step_a[0] + y * w.step_a[1] + z * w.step_a[2]) * m * k;
        const int8_t *b = second + (x * w.step_b[0] + y * w.step_b[1] + z * w.step_b[2]) * k * n;
        for (uint32_t j = 0; j < n; j += COLUMNS) {
            const uint32_t count = n - j < COLUMNS ? n - j : COLUMNS;
            int32_t start[COLUMNS];
            unpack(columns, b + j * at_b.step_column, at_b, k, count, zero_b, start);
            for (uint32_t c = 0; c < COLUMNS; c++) {
                start[c] = (int32_t)(0u - (uint32_t)start[c] * (uint32_t)zero_a);
            }
            if (!turn_a) {
                rows_of(op, out + j, (const uint8_t *)a, m, quads, columns, start, count);
            }
            for (uint32_t i = 0; i < m && turn_a; i++) {
                for (uint32_t d = 0; d < 4 * quads; d++) {
                    gathered[d] = d < k ? (uint8_t)a[i * at_a.step_row + d * at_a.step_column] : 0;
                }
                rows_of(op, out + i * n + j, gathered, 1, quads, columns, start, count);
            }
        }
    }
}

void tk_op_batch_matmul_16(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const tk_walk w = tk_walk_of(op, 1);
    const uint32_t m = op->out_w, n = op->out_c, k = (uint32_t)op->p[2];
    const matrix at_a = matrix_of(m, k, (op->flags & TK_FLAG_TURN_A) != 0);
    const matrix at_b = matrix_of(k, n, (op->flags & TK_FLAG_TURN_B) != 0);
    const int16_t *first = (const int16_t *)(const void *)(arena + op->in0);
    const int16_t *second = (const int16_t *)(const void *)((op->flags & TK_FLAG_CONST ? plan : arena) + op->in1);
    int16_t *out = (int16_t *)(void *)(arena + op->out);
    for (uint32_t batch = 0; batch < op->out_h; batch++) {
        const uint32_t z = batch % w.size[2], y = batch / w.size[2] % w.size[1], x = batch / w.size[2] / w.size[1];
        const int16_t *a = first + (x * w.step_a[0] + y * w.step_a[1] + z * w.step_a[2]) * m * k;
        const int16_t *b = second + (x * w.step_b[0] + y * w.step_b[1] + z * w.step_b[2]) * k * n;
        for (uint32_t i = 0; i < m; i++) {
            for (uint32_t j = 0; j < n; j++) {
                int64_t sum = 0;
                for (uint32_t d = 0; d < k; d++) {
                    sum += (int32_t)a[i * at_a.step_row + d * at_a.step_column] *
                           b[d * at_b.step_row + j * at_b.step_column];
                }
                *out++ = (int16_t)tk_clamp(tk_requantize_long(sum, op->p[0], op->p[1]), -32768, 32767);
            }
        }
    }
}
