/* Fully connected layer: in_h rows of in_c inputs, each to out_c outputs.
 *
 * Weights (op->data): rows rounded up to a multiple of 4 with zeros; four outputs' rows interleaved
 * by words (missing ones are zeros), so that one pointer runs through them. Reads up to 3 bytes
 * beyond a row of inputs; their weights are zero.
 */
#include "tk_kernels.h"
#include "tk_quant.h"

void tk_op_dense(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels);
    const uint32_t length = (op->in_c + 3u) & ~3u;
    for (uint32_t row = 0; row < op->in_h; row++) {
        const uint8_t *in = arena + op->in0 + row * op->in_c;
        int8_t *out = (int8_t *)(arena + op->out) + row * op->out_c;
        const uint8_t *w = plan + op->data;
        for (uint32_t o = 0; o < op->out_c; o += 4) {
            const uint32_t n = op->out_c - o < 4 ? op->out_c - o : 4;
            int32_t sum[4];
            int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (uint32_t k = 0; k < length; k += 4, w += 16) {
                const uint32_t x = tk_load32(in + k);
                const uint32_t even = tk_sxtb16(x), odd = tk_sxtb16_odd(x);
                const uint32_t w0 = tk_load32(w), w1 = tk_load32(w + 4);
                const uint32_t w2 = tk_load32(w + 8), w3 = tk_load32(w + 12);
                s0 = tk_smlad(tk_sxtb16_odd(w0), odd, tk_smlad(tk_sxtb16(w0), even, s0));
                s1 = tk_smlad(tk_sxtb16_odd(w1), odd, tk_smlad(tk_sxtb16(w1), even, s1));
                s2 = tk_smlad(tk_sxtb16_odd(w2), odd, tk_smlad(tk_sxtb16(w2), even, s2));
                s3 = tk_smlad(tk_sxtb16_odd(w3), odd, tk_smlad(tk_sxtb16(w3), even, s3));
            }
            sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
            for (uint32_t i = 0; i < n; i++) {
                out[o + i] = tk_finish(tk_add_wrap(sum[i], channels[o + i].bias), channels + o + i, op);
            }
        }
    }
}
