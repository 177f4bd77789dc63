/* Moving values without changing them: padding, joining and cutting pictures. */
#include "tk_kernels.h"
#include "tk_quant.h"

/* The input in the middle of a picture of zero_out: pad_top rows above, pad_left columns left, p[0]
 * channels before. */
void tk_op_pad(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint8_t *in = arena + op->in0;
    uint8_t *out = arena + op->out;
    (void)plan;
    memset(out, op->zero_out, (uint32_t)op->out_h * op->out_w * op->out_c);
    out += ((uint32_t)op->pad_top * op->out_w + op->pad_left) * op->out_c + (uint32_t)op->p[0];
    for (uint32_t y = 0; y < op->in_h; y++) {
        for (uint32_t x = 0; x < op->in_w; x++) {
            memmove(out + (y * op->out_w + x) * op->out_c, in, op->in_c);
            in += op->in_c;
        }
    }
}

/* in_h pieces of in_w * in_c bytes, from every p[0] bytes to every p[1] bytes. */
void tk_op_copy(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const uint32_t bytes = (uint32_t)op->in_w * op->in_c;
    (void)plan;
    for (uint32_t i = 0; i < op->in_h; i++) {
        memmove(arena + op->out + i * (uint32_t)op->p[1], arena + op->in0 + i * (uint32_t)op->p[0], bytes);
    }
}
