/* Moving values without changing them: cutting, turning round, joining, padding, repeating.
 *
 * TK_COPY and TK_PAD: runs of neighbouring bytes in five nested loops, each with a step through the
 * input (0 repeats, below 0 goes backwards) and one through the output. data: a `loops`; p[0]: where
 * the first run begins, bytes from in0; p[1]: where it goes, bytes from out; p[2]: so many bytes of
 * the output are first filled with zero_out. With TK_FLAG_VALUES the input are constants: the bytes
 * behind the loops. in_h.. and out_h.. are for people; a value may have more than one byte.
 * Runs are copied in order, each from its first byte on: the output may follow the reading.
 *
 * TK_PICK: p[0] pictures, p[1] bytes apart, each of p[2] rows times p[4] columns of p[6] bytes, out of
 * a picture whose rows are p[3] and whose columns are p[5] bytes apart. data: the number of each row,
 * then of each column, 16 bits each. Both must not overlap.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

#define MAX_BYTES ((int32_t)1 << 28) /* as for an arena */

typedef struct loops {
    int32_t run;         /* neighbouring bytes, at least 1 */
    int32_t count[5];    /* at least 1; the last changes fastest */
    int32_t in_step[5];  /* bytes */
    int32_t out_step[5]; /* bytes, at least 0 */
} loops;

/* A run, from its first byte on. */
TK_INLINE void move(uint8_t *out, const uint8_t *in, uint32_t run)
{
    for (; run >= 8; run -= 8, in += 8, out += 8) {
        const uint32_t a = tk_load32(in), b = tk_load32(in + 4);
        tk_store32(out, a);
        tk_store32(out + 4, b);
    }
    for (; run >= 4; run -= 4, in += 4, out += 4) {
        tk_store32(out, tk_load32(in));
    }
    for (; run > 0; run--) {
        *out++ = *in++;
    }
}

tk_status tk_check_copy(const tk_plan *plan, const tk_op *op)
{
    const tk_status status = tk_check_constants(plan, op->data, sizeof(loops));
    if (status != TK_OK) {
        return status;
    }
    const loops *l = (const loops *)(const void *)(plan->bytes + op->data);
    if (l->run < 1 || l->run > MAX_BYTES || op->p[0] < 0 || op->p[1] < 0 || op->p[2] < 0) {
        return TK_ERR_PARAMETER;
    }
    int64_t first = op->p[0], last = first + l->run, end = (int64_t)op->p[1] + l->run;
    uint64_t work = (uint64_t)l->run;
    for (uint32_t i = 0; i < 5; i++) {
        if (l->count[i] < 1 || l->count[i] > MAX_BYTES || l->in_step[i] < -MAX_BYTES || l->in_step[i] > MAX_BYTES ||
            l->out_step[i] < 0 || l->out_step[i] > MAX_BYTES) {
            return TK_ERR_PARAMETER;
        }
        const int64_t way = (int64_t)(l->count[i] - 1) * l->in_step[i];
        first += way < 0 ? way : 0;
        last += way < 0 ? 0 : way;
        end += (int64_t)(l->count[i] - 1) * l->out_step[i];
        work *= (uint64_t)l->count[i];
        if (work > TK_MAX_WORK) {
            return TK_ERR_TOO_LARGE;
        }
    }
    const uint32_t arena = plan->header->arena_bytes;
    if (work > (uint64_t)(end - op->p[1])) { /* some bytes would be written twice */
        return TK_ERR_SHAPE;
    }
    if (first < 0 || !tk_within(op->out, (uint64_t)end, arena) || !tk_within(op->out, (uint32_t)op->p[2], arena)) {
        return TK_ERR_BOUNDS;
    }
    if ((op->flags & TK_FLAG_VALUES) != 0) {
        return tk_check_constants(plan, op->data, sizeof(loops) + (uint64_t)last);
    }
    return tk_within(op->in0, (uint64_t)last, arena) ? TK_OK : TK_ERR_BOUNDS;
}

/* The two innermost loops. Offsets wrap: a step may go backwards. */
TK_LOOP void plane(uint8_t *out, const uint8_t *in, const loops *l)
{
    const uint32_t run = (uint32_t)l->run, in_step = (uint32_t)l->in_step[4], out_step = (uint32_t)l->out_step[4];
    const uint32_t rows = (uint32_t)l->count[3], columns = (uint32_t)l->count[4];
    const uint32_t in_row = (uint32_t)l->in_step[3], out_row = (uint32_t)l->out_step[3];
    for (uint32_t y = 0; y < rows; y++) {
        uint32_t from = y * in_row, to = y * out_row, left = columns;
        if (run == 1) {
            for (; left >= 4; left -= 4) {
                const uint8_t a = in[(int32_t)from], b = in[(int32_t)(from + in_step)];
                const uint8_t c = in[(int32_t)(from + 2 * in_step)], d = in[(int32_t)(from + 3 * in_step)];
                out[to] = a;
                out[to + out_step] = b;
                out[to + 2 * out_step] = c;
                out[to + 3 * out_step] = d;
                from += 4 * in_step;
                to += 4 * out_step;
            }
            for (; left > 0; left--, from += in_step, to += out_step) {
                out[to] = in[(int32_t)from];
            }
        } else {
            for (; left > 0; left--, from += in_step, to += out_step) {
                move(out + to, in + (int32_t)from, run);
            }
        }
    }
}

void tk_op_copy(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const loops *l = (const loops *)(const void *)(plan + op->data);
    const uint8_t *in = (op->flags & TK_FLAG_VALUES) != 0 ? plan + op->data + sizeof *l : arena + op->in0;
    uint8_t *out = arena + op->out;
    if (op->p[2] > 0) {
        memset(out, op->zero_out, (uint32_t)op->p[2]);
    }
    for (int32_t a = 0; a < l->count[0]; a++) {
        const int32_t from_a = op->p[0] + a * l->in_step[0], to_a = op->p[1] + a * l->out_step[0];
        for (int32_t b = 0; b < l->count[1]; b++) {
            int32_t from = from_a + b * l->in_step[1], to = to_a + b * l->out_step[1];
            for (int32_t c = l->count[2]; c > 0; c--) {
                plane(out + to, in + from, l);
                from += l->in_step[2];
                to += l->out_step[2];
            }
        }
    }
}

tk_status tk_check_pick(const tk_plan *plan, const tk_op *op)
{
    for (uint32_t i = 0; i < 7; i++) {
        if (op->p[i] < (i % 2 == 0) || op->p[i] > MAX_BYTES) { /* counts at least 1, steps at least 0 */
            return TK_ERR_PARAMETER;
        }
    }
    const uint32_t rows = (uint32_t)op->p[2], columns = (uint32_t)op->p[4];
    const tk_status status = tk_check_constants(plan, op->data, 2 * ((uint64_t)rows + columns));
    if (status != TK_OK) {
        return status;
    }
    const uint16_t *row = (const uint16_t *)(const void *)(plan->bytes + op->data), *column = row + rows;
    uint64_t lowest = 0, rightmost = 0;
    for (uint32_t i = 0; i < rows; i++) {
        lowest = row[i] > lowest ? row[i] : lowest;
    }
    for (uint32_t i = 0; i < columns; i++) {
        rightmost = column[i] > rightmost ? column[i] : rightmost;
    }
    /* At most 2^27 rows and columns, as they lie in the plan; pictures and bytes at most 2^28 each. */
    const uint64_t pictures = (uint64_t)op->p[0] * rows, pieces = (uint64_t)columns * (uint32_t)op->p[6];
    if (pictures > TK_MAX_WORK || pieces > TK_MAX_WORK || pictures * pieces > TK_MAX_WORK) {
        return TK_ERR_TOO_LARGE;
    }
    const uint64_t reach = (uint64_t)(op->p[0] - 1) * (uint32_t)op->p[1] + lowest * (uint32_t)op->p[3] +
                           rightmost * (uint32_t)op->p[5] + (uint32_t)op->p[6];
    return tk_within(op->in0, reach, plan->header->arena_bytes) &&
                   tk_within(op->out, pictures * pieces, plan->header->arena_bytes)
               ? TK_OK
               : TK_ERR_BOUNDS;
}

/* One row of the output. */
TK_LOOP void row_of(uint8_t *out, const uint8_t *in, const uint16_t *column, uint32_t columns, uint32_t step,
                    uint32_t run)
{
    for (; columns > 0; columns--, out += run) {
        move(out, in + *column++ * step, run);
    }
}

void tk_op_pick(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t rows = (uint32_t)op->p[2], columns = (uint32_t)op->p[4], run = (uint32_t)op->p[6];
    const uint16_t *row = (const uint16_t *)(const void *)(plan + op->data);
    uint8_t *out = arena + op->out;
    for (uint32_t i = 0; i < (uint32_t)op->p[0]; i++) {
        const uint8_t *picture = arena + op->in0 + i * (uint32_t)op->p[1];
        for (uint32_t y = 0; y < rows; y++) {
            row_of(out, picture + row[y] * (uint32_t)op->p[3], row + rows, columns, (uint32_t)op->p[5], run);
            out += columns * run;
        }
    }
}
