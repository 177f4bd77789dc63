/* Average and maximum over a window. What lies outside the picture doesn't count. */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"
#include "tk_sums.h"

tk_status tk_check_pool(const tk_plan *plan, const tk_op *op)
{
    (void)plan;
    const uint64_t rows = op->kernel_h < op->in_h ? op->kernel_h : op->in_h;
    const uint64_t columns = op->kernel_w < op->in_w ? op->kernel_w : op->in_w;
    const tk_status status = tk_check_window(op);
    if (status != TK_OK) {
        return status;
    }
    if (op->dilation_h != 1 || op->dilation_w != 1) {
        return TK_ERR_PARAMETER;
    }
    /* All windows, from the first to the last, must reach into the picture: a mean divides by what
     * is inside. */
    if (op->out_c != op->in_c || op->pad_top >= op->kernel_h || op->pad_left >= op->kernel_w ||
        (op->out_h - 1) * op->stride_h >= op->in_h + op->pad_top ||
        (op->out_w - 1) * op->stride_w >= op->in_w + op->pad_left) {
        return TK_ERR_SHAPE;
    }
    if (op->kind == TK_AVERAGE_POOL && rows * columns > 1u << 23) { /* a sum of 128s is an int32 */
        return TK_ERR_TOO_LARGE;
    }
    return (uint64_t)op->out_h * op->out_w * op->out_c * rows * columns > TK_MAX_WORK ? TK_ERR_TOO_LARGE : TK_OK;
}

typedef struct window {
    int32_t top, bottom, left, right; /* rows top..bottom-1 and columns left..right-1 */
} window;

static window under(const tk_op *op, int32_t row, int32_t column)
{
    const int32_t y = row * op->stride_h - op->pad_top, x = column * op->stride_w - op->pad_left;
    window w;
    w.top = y < 0 ? 0 : y;
    w.left = x < 0 ? 0 : x;
    w.bottom = y + op->kernel_h < op->in_h ? y + op->kernel_h : op->in_h;
    w.right = x + op->kernel_w < op->in_w ? x + op->kernel_w : op->in_w;
    return w;
}

static int8_t average(int32_t sum, int32_t count)
{
    return (int8_t)(sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count);
}

void tk_op_average_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    int8_t *out = (int8_t *)(arena + op->out);
    (void)plan;
    for (int32_t row = 0; row < op->out_h; row++) {
        for (int32_t column = 0; column < op->out_w; column++) {
            const window w = under(op, row, column);
            const uint8_t *corner = arena + op->in0 + (uint32_t)w.top * line + (uint32_t)w.left * depth;
            uint32_t rows = (uint32_t)(w.bottom - w.top), columns = (uint32_t)(w.right - w.left), c = 0;
            const int32_t count = (int32_t)(rows * columns);
            if (columns == op->in_w) { /* whole rows lie in one piece */
                columns *= rows;
                rows = 1;
            }
            for (; c + 4u <= depth; c += 4u, out += 4) {
                int32_t sums[4] = {0, 0, 0, 0};
                for (uint32_t y = 0; y < rows; y++) {
                    tk_sum4(corner + c + y * line, depth, columns, sums);
                }
                for (uint32_t i = 0; i < 4; i++) {
                    out[i] = average(sums[i], count);
                }
            }
            for (; c < depth; c++) {
                int32_t sum = 0;
                for (uint32_t y = 0; y < rows; y++) {
                    const uint8_t *p = corner + c + y * line;
                    for (uint32_t x = 0; x < columns; x++, p += depth) {
                        sum += (int8_t)*p;
                    }
                }
                *out++ = average(sum, count);
            }
        }
    }
    tk_clamp_output(op, arena);
}

/* Largest of each of four int8. */
TK_INLINE uint32_t max4(uint32_t a, uint32_t b)
{
#if TK_DSP
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\t"
            "sel %0, %1, %2"
            : "=&r"(result)
            : "r"(a), "r"(b)
            : "cc");
    return result;
#else
    uint32_t result = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        const int8_t x = (int8_t)(a >> shift & 0xFFu), y = (int8_t)(b >> shift & 0xFFu);
        result |= (uint32_t)(uint8_t)(x > y ? x : y) << shift;
    }
    return result;
#endif
}

/* Four channels' largest values in a window. */
TK_INLINE uint32_t most4(const uint8_t *from, uint32_t rows, uint32_t columns, uint32_t depth, uint32_t line)
{
    uint32_t most = 0x80808080u;
    for (; rows > 0; rows--, from += line) {
        const uint8_t *p = from;
        uint32_t x = columns;
        for (; x >= 2; x -= 2, p += 2u * depth) {
            const uint32_t a = tk_load32(p), b = tk_load32(p + depth);
            most = max4(max4(a, most), b);
        }
        if (x > 0) {
            most = max4(tk_load32(p), most);
        }
    }
    return most;
}

void tk_op_max_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t depth = op->in_c, line = op->in_w * depth;
    uint8_t *out = arena + op->out;
    (void)plan;
    for (int32_t row = 0; row < op->out_h; row++) {
        for (int32_t column = 0; column < op->out_w; column++) {
            const window w = under(op, row, column);
            const uint8_t *corner = arena + op->in0 + (uint32_t)w.top * line + (uint32_t)w.left * depth;
            const uint32_t rows = (uint32_t)(w.bottom - w.top), columns = (uint32_t)(w.right - w.left);
            uint32_t c = 0;
            for (; c + 4u <= depth; c += 4u, out += 4) {
                tk_store32(out, most4(corner + c, rows, columns, depth, line));
            }
            for (; c < depth; c++) {
                const uint8_t *p = corner + c;
                int32_t most = -128;
                for (uint32_t y = 0; y < rows; y++, p += line - columns * depth) {
                    for (uint32_t x = 0; x < columns; x++, p += depth) {
                        most = (int8_t)*p > most ? (int8_t)*p : most;
                    }
                }
                *out++ = (uint8_t)most;
            }
        }
    }
    tk_clamp_output(op, arena);
}
