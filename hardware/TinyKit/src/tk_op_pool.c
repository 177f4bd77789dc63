/* Average and maximum over a window. What lies outside the picture doesn't count. */
#include "tk_kernels.h"
#include "tk_quant.h"

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

void tk_op_average_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *in = (const int8_t *)(arena + op->in0);
    int8_t *out = (int8_t *)(arena + op->out);
    (void)plan;
    for (int32_t row = 0; row < op->out_h; row++) {
        for (int32_t column = 0; column < op->out_w; column++) {
            const window w = under(op, row, column);
            const int32_t count = (w.bottom - w.top) * (w.right - w.left);
            for (uint32_t c = 0; c < op->in_c; c++) {
                int32_t sum = 0;
                for (int32_t y = w.top; y < w.bottom; y++) {
                    const int8_t *p = in + (uint32_t)(y * op->in_w + w.left) * op->in_c + c;
                    for (int32_t x = w.left; x < w.right; x++, p += op->in_c) {
                        sum += *p;
                    }
                }
                sum = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
                *out++ = (int8_t)tk_clamp(sum, op->low, op->high);
            }
        }
    }
}

void tk_op_max_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const int8_t *in = (const int8_t *)(arena + op->in0);
    int8_t *out = (int8_t *)(arena + op->out);
    (void)plan;
    for (int32_t row = 0; row < op->out_h; row++) {
        for (int32_t column = 0; column < op->out_w; column++) {
            const window w = under(op, row, column);
            for (uint32_t c = 0; c < op->in_c; c++) {
                int32_t most = op->low;
                for (int32_t y = w.top; y < w.bottom; y++) {
                    const int8_t *p = in + (uint32_t)(y * op->in_w + w.left) * op->in_c + c;
                    for (int32_t x = w.left; x < w.right; x++, p += op->in_c) {
                        most = *p > most ? *p : most;
                    }
                }
                *out++ = (int8_t)(most > op->high ? op->high : most);
            }
        }
    }
}
