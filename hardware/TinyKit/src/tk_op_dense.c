/* Fully connected layer: in_h rows of in_c inputs, each to out_c outputs.
 *
 * Inputs are widened into scratch in pieces of at most p[0] fours, so that scratch stays small; four
 * outputs at a time take their products with a piece, as tk_halves.h says. Between pieces the sums
 * wait in scratch. Channels are in short form (TK_FLAG_SIMPLE); TK_DENSE_PLAIN takes what can't be.
 *
 * Weights (op->data): rows rounded up to a multiple of 4 with zeros, and rows of zeros up to a
 * multiple of 4, and as many channels. For each piece, each four outputs and each four inputs: a
 * word h of either output. One pointer runs through them.
 *
 * Scratch: a widened piece (2 words for four inputs); with more than one piece a word for each output,
 * rounded up to a multiple of 4.
 *
 * With one row all inputs are read before the first output is written. Reads up to 3 bytes beyond a
 * row of inputs; their weights are zero.
 */
#include "tk_check.h"
#include "tk_halves.h"
#include "tk_kernels.h"

#define OUTPUTS 4u /* at a time */

tk_status tk_check_dense(const tk_plan *plan, const tk_op *op)
{
    const uint64_t quads = (op->in_c + 3u) / 4u, rows = (op->out_c + 3u) & ~3u;
    tk_status status;
    if (op->in_w != 1 || op->out_w != 1 || op->out_h != op->in_h) {
        return TK_ERR_SHAPE;
    }
    if (!tk_within(op->in0, (uint64_t)(op->in_h - 1u) * op->in_c + quads * 4u, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    if (op->p[0] < 1 || op->p[0] > 65535) {
        return TK_ERR_PARAMETER;
    }
    const uint64_t piece = (uint32_t)op->p[0];
    if (op->scratch_bytes < (quads > piece ? 8u * piece + 4u * rows : 8u * quads)) {
        return TK_ERR_PARAMETER;
    }
    status = tk_check_constants(plan, op->data, quads * 4u * rows);
    if (status == TK_OK) {
        status = tk_check_short_channels(plan, op, (uint32_t)rows);
    }
    if (status == TK_OK && op->in_h * rows * quads * 4u > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

/* Products of a widened piece with the weights of all outputs, four at a time.
 *
 * weights   as above, of the outputs from `channels` up to `end`
 * x         the piece, 2 words for four inputs
 * sums      where sums wait: read unless this is the first piece, written unless it is the last
 * out       the outputs, after the last piece
 * last      whether this is the last piece: 1, or 2 for an op that tk_is_floored
 * quads     fours of inputs in the piece, at least one
 */
#if TK_DSP
/*   r0 weights  r1 piece  r2 its end  r3-r6 words h  r7, r8 inputs  r9-r12 sums  lr channels
 *
 * Estimated cycles: 19 for four inputs of four outputs, 4 more every eighth time; 60 for four outputs,
 * 67 if not floored. Written whole in assembly for the reasons in tk_halves_tiles.c.
 */
#define QUAD                                                                                        \
    "ldr.n r4, [r0, #4]\n\t"                                                                        \
    "ldr.n r5, [r0, #8]\n\t"                                                                        \
    "ldr.n r6, [r0, #12]\n\t"                                                                       \
    "ldr.n r7, [r1, #4]\n\t"                                                                        \
    "ldr.w r3, [r0], #16\n\t"                                                                       \
    "ldr.w r8, [r1], #8\n\t"                                                                        \
    "smlad r9, r3, r7, r9\n\t"                                                                      \
    "smlad r10, r4, r7, r10\n\t"                                                                    \
    "smlad r11, r5, r7, r11\n\t"                                                                    \
    "smlad r12, r6, r7, r12\n\t"                                                                    \
    "sxtb16 r3, r3\n\t"                                                                             \
    "sxtb16 r4, r4\n\t"                                                                             \
    "sxtb16 r5, r5\n\t"                                                                             \
    "sxtb16 r6, r6\n\t"                                                                             \
    "smlad r9, r3, r8, r9\n\t"                                                                      \
    "smlad r10, r4, r8, r10\n\t"                                                                    \
    "smlad r11, r5, r8, r11\n\t"                                                                    \
    "smlad r12, r6, r8, r12\n\t"
#define QUAD_BYTES "64"

/* The channels of two outputs, at lr + `a` and lr + `b`; then an output by either's short form. */
#define CHANNELS(a, b)                                                                              \
    "ldr r5, [lr, #" a " + 4]\n\t"                                                                  \
    "ldr r6, [lr, #" a " + 8]\n\t"                                                                  \
    "ldr r7, [lr, #" a " + 12]\n\t"                                                                 \
    "ldr r1, [lr, #" b " + 4]\n\t"                                                                  \
    "ldr r4, [lr, #" b " + 8]\n\t"                                                                  \
    "ldr r8, [lr, #" b " + 12]\n\t"
#define FLOORED(sum, multiplier, offset, shift)                                                     \
    "smmla " sum ", " sum ", " multiplier ", " offset "\n\t"                                        \
    "asr.w " sum ", " sum ", " shift "\n\t"                                                         \
    "ssat " sum ", #8, " sum "\n\t"                                                                 \
    "strb " sum ", [r2], #1\n\t"
#define ANY(sum, multiplier, offset, shift)                                                         \
    "asr.w r3, " sum ", #31\n\t"                                                                    \
    "smmla " sum ", " sum ", " multiplier ", " offset "\n\t"                                        \
    "add.w " sum ", " sum ", r3, lsl #7\n\t"                                                        \
    "asr.w " sum ", " sum ", " shift "\n\t"                                                         \
    "ssat " sum ", #8, " sum "\n\t"                                                                 \
    "strb " sum ", [r2], #1\n\t"
#define OUTPUTS_BY(FINISH)                                                                          \
    CHANNELS("0", "16") FINISH("r9", "r5", "r6", "r7") FINISH("r10", "r1", "r4", "r8")              \
    CHANNELS("32", "48") FINISH("r11", "r5", "r6", "r7") FINISH("r12", "r1", "r4", "r8")

/* The next four outputs, if there are more. */
#define NEXT                                                                                        \
    "str r2, [sp, #52]\n\t"                                                                         \
    "ldr r3, [sp, #60]\n\t"                                                                         \
    "add.w lr, lr, #64\n\t"                                                                         \
    "cmp lr, r3\n\t"                                                                                \
    "bne.w 1b\n\t"

#pragma GCC diagnostic ignored "-Wunused-parameter"

/* On the stack: 0 weights, 4 piece, 8 channels, 12 end of piece, 16 r4-r11, 48 lr, 52 out, 56 sums,
 * 60 end of channels, 64 quads, then where the loop is entered, 68 first, 72 last. */
static TK_NAKED void products(const uint8_t *weights, const uint32_t *x, const tk_channel *channels,
                                            const uint32_t *x_end, int8_t *out, int32_t *sums,
                                            const tk_channel *end, uint32_t quads, int first, int last)
{
    __asm__ volatile("push {r0-r11, lr}\n\t"
                     "mov lr, r2\n\t"
                     "ldr r4, [sp, #64]\n\t" /* entry = loop + (-quads & 7) * QUAD_BYTES */
                     "rsb r4, r4, #0\n\t"
                     "and r4, r4, #7\n\t"
                     "movs r5, #" QUAD_BYTES "\n\t"
                     "adr.w r6, 2f\n\t"
                     "orr r6, r6, #1\n\t"
                     "mla r4, r4, r5, r6\n\t"
                     "str r4, [sp, #64]\n"
                     "1:\n\t"
                     "ldr r3, [sp, #68]\n\t"
                     "ldr r1, [sp, #4]\n\t"
                     "ldr r2, [sp, #12]\n\t"
                     "cbz r3, 3f\n\t"
                     "ldr r9, [lr]\n\t"
                     "ldr r10, [lr, #16]\n\t"
                     "ldr r11, [lr, #32]\n\t"
                     "ldr r12, [lr, #48]\n\t"
                     "ldr pc, [sp, #64]\n"
                     "3:\n\t"
                     "ldr r3, [sp, #56]\n\t"
                     "ldm r3!, {r9-r12}\n\t"
                     "str r3, [sp, #56]\n\t"
                     "ldr pc, [sp, #64]\n\t"
                     ".p2align 2\n"
                     "2:\n\t" QUAD QUAD QUAD QUAD QUAD QUAD QUAD QUAD
                     "cmp r1, r2\n\t"
                     "bne.w 2b\n\t"
                     "ldr r3, [sp, #72]\n\t"
                     "ldr r2, [sp, #52]\n\t"
                     "cmp r3, #1\n\t"
                     "beq.w 5f\n\t"
                     "blo.w 4f\n\t"
                     OUTPUTS_BY(FLOORED) NEXT
                     "6:\n\t"
                     "add sp, #16\n\t"
                     "pop {r4-r11, pc}\n"
                     "5:\n\t" OUTPUTS_BY(ANY) NEXT
                     "b 6b\n"
                     "4:\n\t"
                     "ldr r3, [sp, #56]\n\t"
                     "ldr r4, [sp, #68]\n\t"
                     "cmp r4, #0\n\t"
                     "it eq\n\t" /* they were read, and the pointer has moved on */
                     "subeq r3, #16\n\t"
                     "stm r3!, {r9-r12}\n\t"
                     "str r3, [sp, #56]\n\t" NEXT
                     "b 6b\n\t"
                     ".p2align 2\n\t");
}
#else
static void products(const uint8_t *weights, const uint32_t *x, const tk_channel *channels, const uint32_t *x_end,
                     int8_t *out, int32_t *sums, const tk_channel *end, uint32_t quads, int first, int last)
{
    for (; channels != end; channels += OUTPUTS, weights += 16u * quads) {
        for (uint32_t i = 0; i < OUTPUTS; i++) {
            int32_t sum = first ? channels[i].bias : sums[i];
            const uint8_t *h = weights + 4u * i;
            for (const uint32_t *at = x; at != x_end; at += 2, h += 16) {
                const uint32_t word = tk_load32(h);
                sum = tk_mac_pair(word, at[1], tk_mac_pair(tk_sxtb16(word), at[0], sum));
            }
            if (last) {
                *out++ = tk_short(sum, channels + i, last == 2);
            } else {
                sums[i] = sum;
            }
        }
        sums += OUTPUTS;
    }
}
#endif

void tk_op_dense(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    const tk_channel *const channels = (const tk_channel *)(const void *)(plan + op->channels);
    const uint32_t quads = (op->in_c + 3u) / 4u, piece = (uint32_t)op->p[0];
    const uint32_t whole = op->out_c & ~(OUTPUTS - 1u), rest = op->out_c - whole;
    uint32_t *const x = (uint32_t *)(void *)(arena + op->scratch);
    int32_t *const sums = (int32_t *)(void *)(x + 2u * piece);
    const uint8_t *in = arena + op->in0;
    int8_t *out = (int8_t *)(arena + op->out);
    for (uint32_t row = 0; row < op->in_h; row++, in += op->in_c, out += op->out_c) {
        const uint8_t *weights = plan + op->data;
        for (uint32_t done = 0; done < quads; done += piece) {
            const uint32_t count = quads - done < piece ? quads - done : piece;
            const int last = done + count < quads ? 0 : tk_is_floored(op) ? 2 : 1;
            tk_halves_widen_row(x, in + 4u * done, count);
            if (whole > 0) {
                products(weights, x, channels, x + 2u * count, out, sums, channels + whole, count, done == 0, last);
            }
            if (rest > 0) {
                int8_t some[OUTPUTS];
                products(weights + (size_t)whole * 4u * count, x, channels + whole, x + 2u * count, some,
                         sums + whole, channels + whole + OUTPUTS, count, done == 0, last);
                for (uint32_t i = 0; last && i < rest; i++) {
                    out[whole + i] = some[i];
                }
            }
            weights += (size_t)(whole + (rest > 0 ? OUTPUTS : 0)) * 4u * count;
        }
    }
    tk_clamp_output(op, arena);
}
