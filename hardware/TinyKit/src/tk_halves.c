#include "tk_halves.h"

#include "tk_check.h"

#if TK_DSP

/* The loops take all fourteen registers, so these functions are written whole in assembly: no
 * compiler, and no frame pointer, has a say. Arguments beyond the fourth are where the caller put
 * them, above what is pushed here; they are ours to change.
 *
 *   r0 weights  r1 patches  r2 their end  r3, r4 words h  r5-r7 inputs of three pixels
 *   r8-r10 sums of the first channel  r11, r12, lr of the second
 *
 * Estimated cycles: 24 for four inputs of six outputs, 4 more every eighth time; 59 for six outputs.
 * The loop is entered in its middle when the number of fours is not a multiple of eight.
 */
#define QUAD                                                                                        \
    "ldr.n r5, [r1, #12]\n\t"                                                                       \
    "ldr.n r6, [r1, #16]\n\t"                                                                       \
    "ldr.n r7, [r1, #20]\n\t"                                                                       \
    "ldr.n r4, [r0, #4]\n\t"                                                                        \
    "ldr.w r3, [r0], #8\n\t"                                                                        \
    "smlad r8, r3, r5, r8\n\t"                                                                      \
    "smlad r9, r3, r6, r9\n\t"                                                                      \
    "smlad r10, r3, r7, r10\n\t"                                                                    \
    "smlad r11, r4, r5, r11\n\t"                                                                    \
    "smlad r12, r4, r6, r12\n\t"                                                                    \
    "smlad lr, r4, r7, lr\n\t"                                                                      \
    "sxtb16 r3, r3\n\t"                                                                             \
    "sxtb16 r4, r4\n\t"                                                                             \
    "ldr.n r6, [r1, #4]\n\t"                                                                        \
    "ldr.n r7, [r1, #8]\n\t"                                                                        \
    "ldr.w r5, [r1], #24\n\t"                                                                       \
    "smlad r8, r3, r5, r8\n\t"                                                                      \
    "smlad r9, r3, r6, r9\n\t"                                                                      \
    "smlad r10, r3, r7, r10\n\t"                                                                    \
    "smlad r11, r4, r5, r11\n\t"                                                                    \
    "smlad r12, r4, r6, r12\n\t"                                                                    \
    "smlad lr, r4, r7, lr\n\t"
#define QUAD_BYTES "76"

/* Where a loop is entered that begins at label 2, to r4; the number of fours is on the stack. */
#define ENTRY(bytes)                                                                                \
    "ldr r4, [sp, #68]\n\t" /* loop + (-quads & 7) * bytes */                                        \
    "rsb r4, r4, #0\n\t"                                                                            \
    "and r4, r4, #7\n\t"                                                                            \
    "movs r5, #" bytes "\n\t"                                                                       \
    "adr.w r6, 2f\n\t"                                                                              \
    "orr r6, r6, #1\n\t"                                                                            \
    "mla r4, r4, r5, r6\n\t"                                                                        \
    "str r4, [sp, #68]\n"

/* One output: `sum` becomes an int8 at [out], which moves on. r5-r7: the channel. */
#define FINISH_FLOORED(sum, out)                                                                    \
    "smmla " sum ", " sum ", r5, r6\n\t"                                                            \
    "asr.w " sum ", " sum ", r7\n\t"                                                                \
    "ssat " sum ", #8, " sum "\n\t"                                                                 \
    "strb " sum ", [" out "], #1\n\t"
#define FINISH_ANY(sum, out)                                                                        \
    "asr.w r0, " sum ", #31\n\t"                                                                    \
    "smmla " sum ", " sum ", r5, r6\n\t"                                                            \
    "add.w " sum ", " sum ", r0, lsl #7\n\t"                                                        \
    "asr.w " sum ", " sum ", r7\n\t"                                                                \
    "ssat " sum ", #8, " sum "\n\t"                                                                 \
    "strb " sum ", [" out "], #1\n\t"

/* On the stack: 0 weights, 4 patches, 8 channels, 12 end of patches, 16 r4-r11, 48 lr, 52 out0..2,
 * 64 end of channels, 68 quads, then where the loop is entered. */
#define TILES(FINISH, KEEP, AGAIN)                                                                  \
    __asm__ volatile("push {r0-r11, lr}\n\t" ENTRY(QUAD_BYTES)                                      \
                     "1:\n\t"                                                                       \
                     "ldr r8, [r2]\n\t"                                                             \
                     "ldr r11, [r2, #16]\n\t" AGAIN                                                 \
                     "ldr r1, [sp, #4]\n\t"                                                         \
                     "ldr r2, [sp, #12]\n\t"                                                        \
                     "mov r9, r8\n\t"                                                               \
                     "mov r10, r8\n\t"                                                              \
                     "mov r12, r11\n\t"                                                             \
                     "mov lr, r11\n\t"                                                              \
                     "ldr pc, [sp, #68]\n\t"                                                        \
                     ".p2align 2\n"                                                                 \
                     "2:\n\t" QUAD QUAD QUAD QUAD QUAD QUAD QUAD QUAD                               \
                     "cmp r1, r2\n\t"                                                               \
                     "bne.w 2b\n\t"                                                                 \
                     "ldr r1, [sp, #8]\n\t"                                                         \
                     "ldr r2, [sp, #52]\n\t"                                                        \
                     "ldr r3, [sp, #56]\n\t"                                                        \
                     "ldr r4, [sp, #60]\n\t"                                                        \
                     "ldr r5, [r1, #4]\n\t"                                                         \
                     "ldr r6, [r1, #8]\n\t"                                                         \
                     "ldr r7, [r1, #12]\n\t" KEEP                                                   \
                     FINISH("r8", "r2") FINISH("r9", "r3") FINISH("r10", "r4")                      \
                     "ldr r5, [r1, #20]\n\t"                                                        \
                     "ldr r6, [r1, #24]\n\t"                                                        \
                     "ldr r7, [r1, #28]\n\t"                                                        \
                     "ldr r8, [sp, #64]\n\t"                                                        \
                     FINISH("r11", "r2") FINISH("r12", "r3") FINISH("lr", "r4")                     \
                     "str r2, [sp, #52]\n\t"                                                        \
                     "add.w r2, r1, #32\n\t"                                                        \
                     "str r3, [sp, #56]\n\t"                                                        \
                     "str r4, [sp, #60]\n\t"                                                        \
                     "str r2, [sp, #8]\n\t"                                                         \
                     "cmp r2, r8\n\t"                                                               \
                     "bne.w 1b\n\t"                                                                 \
                     "add sp, #16\n\t"                                                              \
                     "pop {r4-r11, pc}\n\t"                                                         \
                     ".p2align 2\n\t")

/* r0 to  r1 from  r2 turns of a row  r3 place  r4 where a row is entered: r10, or 1 if there is more
 * than one turn  r7 turns left  r8 127s  r9 mask of odd bytes  r11 rows left  r12 from a row's end
 * to the next  lr pixels left
 *
 * Estimated cycles: 7 for four inputs, 4 more every eighth time; 8 for a row, or 12 if it is long; 14
 * for a pixel.
 */
#define WIDEN_QUAD(a_at, step)                                                                      \
    "ldr.w r5, [r1], #4\n\t"                                                                        \
    "sxtab16 r6, r8, r5, ror #8\n\t"                                                                \
    "and.w r5, r9, r5, lsl #8\n\t"                                                                  \
    "ssub16 r5, r5, r6\n\t"                                                                         \
    "str.w r6, [r0, #" a_at "]\n\t"                                                                 \
    "str.w r5, [r0], #" step "\n\t"
#define WIDEN_QUAD_BYTES "24"
#define FOUR(quad) quad quad quad quad

/* Registers that are the same for both. */
#define WIDEN_START                                                                                 \
    "rsb r10, r2, #0\n\t" /* entry = loop + (-quads & 7) * WIDEN_QUAD_BYTES */                      \
    "and r10, r10, #7\n\t"                                                                          \
    "movs r5, #" WIDEN_QUAD_BYTES "\n\t"                                                            \
    "adr.w r6, 2f\n\t"                                                                              \
    "orr r6, r6, #1\n\t"                                                                            \
    "mla r10, r10, r5, r6\n\t"                                                                      \
    "adds r2, #7\n\t"                                                                               \
    "lsrs r2, r2, #3\n\t"                                                                           \
    "mvn r8, #0x007E007E\n\t" /* two times -127 */                                                  \
    "mov.w r9, #0xFF00FF00\n\t"

/* The same for one pixel: r5, r6 its inputs, r8 and r9 the sums.
 *
 * Estimated cycles: 11 for four inputs of two outputs.
 */
#define SINGLE                                                                                      \
    "ldr.n r5, [r1, #12]\n\t"                                                                       \
    "ldr.n r4, [r0, #4]\n\t"                                                                        \
    "ldr.w r3, [r0], #8\n\t"                                                                        \
    "ldr.w r6, [r1], #24\n\t"                                                                       \
    "smlad r8, r3, r5, r8\n\t"                                                                      \
    "smlad r9, r4, r5, r9\n\t"                                                                      \
    "sxtb16 r3, r3\n\t"                                                                             \
    "sxtb16 r4, r4\n\t"                                                                             \
    "smlad r8, r3, r6, r8\n\t"                                                                      \
    "smlad r9, r4, r6, r9\n\t"
#define SINGLE_BYTES "36"

/* Arguments are taken from the registers by the assembly. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

__attribute__((naked)) void tk_halves_tiles(const uint8_t *weights, const uint32_t *patches,
                                            const tk_channel *channels, const uint32_t *patches_end,
                                            int8_t *out0, int8_t *out1, int8_t *out2, const tk_channel *end,
                                            uint32_t quads)
{
    TILES(FINISH_ANY, "str r0, [sp, #0]\n\t", "ldr r0, [sp, #0]\n\t");
}

__attribute__((naked)) void tk_halves_tiles_floored(const uint8_t *weights, const uint32_t *patches,
                                                    const tk_channel *channels, const uint32_t *patches_end,
                                                    int8_t *out0, int8_t *out1, int8_t *out2,
                                                    const tk_channel *end, uint32_t quads)
{
    TILES(FINISH_FLOORED, "", "");
}

__attribute__((naked)) void tk_halves_single(const uint8_t *weights, const uint32_t *patches,
                                             const tk_channel *channels, const uint32_t *patches_end,
                                             int8_t *out0, int8_t *out1, int8_t *out2, const tk_channel *end,
                                             uint32_t quads)
{
    __asm__ volatile("push {r0-r11, lr}\n\t" ENTRY(SINGLE_BYTES)
                     "ldr r10, [sp, #52]\n\t"
                     "ldr r12, [sp, #64]\n\t"
                     "mov lr, r2\n"
                     "1:\n\t"
                     "ldr r8, [lr]\n\t"
                     "ldr r9, [lr, #16]\n\t"
                     "ldr r1, [sp, #4]\n\t"
                     "ldr r2, [sp, #12]\n\t"
                     "ldr pc, [sp, #68]\n\t"
                     ".p2align 2\n"
                     "2:\n\t" SINGLE SINGLE SINGLE SINGLE SINGLE SINGLE SINGLE SINGLE
                     "cmp r1, r2\n\t"
                     "bne.w 2b\n\t"
                     "mov r4, r0\n\t"
                     "ldr r5, [lr, #4]\n\t"
                     "ldr r6, [lr, #8]\n\t"
                     "ldr r7, [lr, #12]\n\t" FINISH_ANY("r8", "r10")
                     "ldr r5, [lr, #20]\n\t"
                     "ldr r6, [lr, #24]\n\t"
                     "ldr r7, [lr, #28]\n\t" FINISH_ANY("r9", "r10")
                     "mov r0, r4\n\t"
                     "add.w lr, lr, #32\n\t"
                     "cmp lr, r12\n\t"
                     "bne.w 1b\n\t"
                     "add sp, #16\n\t"
                     "pop {r4-r11, pc}\n\t"
                     ".p2align 2\n\t");
}

/* On the stack: 0 to, 4 from, 8 r4-r11, 40 lr. */
__attribute__((naked)) void tk_halves_widen_pixels(uint32_t *to, const uint8_t *from, uint32_t quads,
                                                   const tk_halves_place *place)
{
    __asm__ volatile("push {r0, r1, r4-r11, lr}\n\t"
                     "ldr r12, [r3, #4]\n\t"
                     "ldr lr, [r3, #8]\n\t"
                     "sub.w r12, r12, r2, lsl #2\n\t" WIDEN_START
                     "adr.w r4, 1f\n\t"
                     "orr r4, r4, #1\n\t"
                     "cmp r2, #1\n\t"
                     "it eq\n\t"
                     "moveq r4, r10\n"
                     "3:\n\t"
                     "ldr r11, [r3]\n"
                     "1:\n\t"
                     "mov r7, r2\n\t"
                     "bx r10\n\t"
                     ".p2align 2\n"
                     "2:\n\t" FOUR(WIDEN_QUAD("12", "24")) FOUR(WIDEN_QUAD("12", "24"))
                     "subs r7, #1\n\t"
                     "bgt.w 2b\n\t"
                     "add r1, r12\n\t"
                     "subs r11, #1\n\t"
                     "it ne\n\t"
                     "bxne r4\n\t"
                     "ldr r0, [sp, #0]\n\t"
                     "ldr r1, [sp, #4]\n\t"
                     "ldr r5, [r3, #12]\n\t"
                     "adds r0, #4\n\t"
                     "add r1, r5\n\t"
                     "str r0, [sp, #0]\n\t"
                     "str r1, [sp, #4]\n\t"
                     "subs.w lr, lr, #1\n\t"
                     "bne.w 3b\n\t"
                     "add sp, #8\n\t"
                     "pop {r4-r11, pc}\n\t"
                     ".p2align 2\n\t");
}

__attribute__((naked)) void tk_halves_widen_row(uint32_t *to, const uint8_t *from, uint32_t quads)
{
    __asm__ volatile("push {r4-r10}\n\t" WIDEN_START
                     "bx r10\n\t"
                     ".p2align 2\n"
                     "2:\n\t" FOUR(WIDEN_QUAD("4", "8")) FOUR(WIDEN_QUAD("4", "8"))
                     "subs r2, #1\n\t"
                     "bgt.w 2b\n\t"
                     "pop {r4-r10}\n\t"
                     "bx lr\n\t"
                     ".p2align 2\n\t");
}

/* r0 to  r1 from  r2 width  r3 place  r4 where a row is entered  r5 rows left  r6 pixels left  r7-r10
 * bytes  r11 to_line  r12 line. On the stack: 0 to, 4 from, 8 r4-r11, 40 lr. */
__attribute__((naked)) void tk_halves_copy(uint8_t *to, const uint8_t *from, uint32_t width,
                                           const tk_halves_place *place)
{
    __asm__ volatile("push {r0, r1, r4-r11, lr}\n\t"
                     "adr.w r4, 2f\n\t"
                     "orr r4, r4, #1\n\t"
                     "subs r5, r2, #1\n\t" /* from the last load 4 bytes of code back for each word more */
                     "bic r5, r5, #3\n\t"
                     "sub.w r4, r4, r5\n\t"
                     "ldr r12, [r3, #4]\n\t"
                     "ldr r6, [r3, #8]\n\t"
                     "ldr r11, [r3, #16]\n"
                     "3:\n\t"
                     "ldr r5, [r3]\n\t"
                     "bx r4\n\t"
                     ".p2align 2\n"
                     "1:\n\t"
                     "ldr.w r10, [r1, #12]\n\t"
                     "ldr.w r9, [r1, #8]\n\t"
                     "ldr.w r8, [r1, #4]\n"
                     "2:\n\t"
                     "ldr.w r7, [r1]\n\t"
                     "str r8, [r0, #4]\n\t"
                     "str r9, [r0, #8]\n\t"
                     "str r10, [r0, #12]\n\t"
                     "str r7, [r0]\n\t"
                     "add r0, r11\n\t"
                     "add r1, r12\n\t"
                     "subs r5, #1\n\t"
                     "it ne\n\t"
                     "bxne r4\n\t"
                     "ldr r0, [sp, #0]\n\t"
                     "ldr r1, [sp, #4]\n\t"
                     "ldr r7, [r3, #20]\n\t"
                     "ldr r8, [r3, #12]\n\t"
                     "add r0, r7\n\t"
                     "add r1, r8\n\t"
                     "str r0, [sp, #0]\n\t"
                     "str r1, [sp, #4]\n\t"
                     "subs r6, #1\n\t"
                     "bne 3b\n\t"
                     "add sp, #8\n\t"
                     "pop {r4-r11, pc}\n\t"
                     ".p2align 2\n\t");
}

#else

static void widen(uint32_t *to, uint32_t a_at, uint32_t step, const uint8_t *from, uint32_t quads, uint32_t rows,
                  uint32_t line)
{
    const uint32_t offsets = 0xFF81FF81u; /* two times -127 */
    for (; rows > 0; rows--, from += line) {
        for (uint32_t i = 0; i < quads; i++, to += step) {
            const uint32_t word = tk_load32(from + 4u * i), odd = tk_sxtb16_odd(word);
            const uint32_t even = word << 8 & 0xFF00FF00u;
            const uint32_t a = ((odd + offsets) & 0xFFFFu) | ((odd & 0xFFFF0000u) + (offsets & 0xFFFF0000u));
            to[0] = ((even - a) & 0xFFFFu) | ((even & 0xFFFF0000u) - (a & 0xFFFF0000u));
            to[a_at] = a;
        }
    }
}

void tk_halves_widen_pixels(uint32_t *to, const uint8_t *from, uint32_t quads, const tk_halves_place *place)
{
    for (uint32_t i = 0; i < place->count; i++) {
        widen(to + i, TK_PIXELS, TK_QUAD_WORDS, from + i * place->step, quads, place->rows, place->line);
    }
}

void tk_halves_widen_row(uint32_t *to, const uint8_t *from, uint32_t quads)
{
    widen(to, 1, 2, from, quads, 1, 0);
}

void tk_halves_copy(uint8_t *to, const uint8_t *from, uint32_t width, const tk_halves_place *place)
{
    for (uint32_t i = 0; i < place->count; i++) {
        for (uint32_t row = 0; row < place->rows; row++) {
            /* A plan may say that scratch lies over the input. */
            memmove(to + i * place->to_step + row * place->to_line, from + i * place->step + row * place->line, width);
        }
    }
}

/* One channel of a pair; its words h are every other one. */
static void channel_of(const uint8_t *weights, const uint32_t *patches, const uint32_t *patches_end,
                       const tk_channel *channel, int8_t *out[TK_PIXELS], int floored)
{
    int32_t s0 = channel->bias, s1 = s0, s2 = s0;
    for (const uint32_t *x = patches; x != patches_end; x += TK_QUAD_WORDS, weights += 8) {
        const uint32_t h = tk_load32(weights), even = tk_sxtb16(h);
        s0 = tk_smlad(h, x[3], tk_smlad(even, x[0], s0));
        s1 = tk_smlad(h, x[4], tk_smlad(even, x[1], s1));
        s2 = tk_smlad(h, x[5], tk_smlad(even, x[2], s2));
    }
    *out[0]++ = tk_short(s0, channel, floored);
    *out[1]++ = tk_short(s1, channel, floored);
    *out[2]++ = tk_short(s2, channel, floored);
}

void tk_halves_single(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                      const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2, const tk_channel *end,
                      uint32_t quads)
{
    (void)out1, (void)out2;
    for (; channels != end; channels += 2, weights += 8u * quads) {
        for (uint32_t i = 0; i < 2; i++) {
            const uint8_t *h = weights + 4u * i;
            int32_t sum = channels[i].bias;
            for (const uint32_t *x = patches; x != patches_end; x += TK_QUAD_WORDS, h += 8) {
                const uint32_t word = tk_load32(h);
                sum = tk_smlad(word, x[TK_PIXELS], tk_smlad(tk_sxtb16(word), x[0], sum));
            }
            *out0++ = tk_short(sum, channels + i, 0);
        }
    }
}

static void tiles(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                  const uint32_t *patches_end, int8_t *out[TK_PIXELS], const tk_channel *end, uint32_t quads,
                  int floored)
{
    for (; channels != end; channels += 2, weights += 8u * quads) {
        channel_of(weights, patches, patches_end, channels, out, floored);
        channel_of(weights + 4, patches, patches_end, channels + 1, out, floored);
    }
}

void tk_halves_tiles(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                     const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                     const tk_channel *end, uint32_t quads)
{
    int8_t *out[TK_PIXELS] = {out0, out1, out2};
    tiles(weights, patches, channels, patches_end, out, end, quads, 0);
}

void tk_halves_tiles_floored(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                             const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                             const tk_channel *end, uint32_t quads)
{
    int8_t *out[TK_PIXELS] = {out0, out1, out2};
    tiles(weights, patches, channels, patches_end, out, end, quads, 1);
}

#endif

tk_halves_job tk_halves_job_of(const tk_op *op, const uint8_t *plan, const uint32_t *patches, uint32_t quads)
{
    const tk_channel *const channels = (const tk_channel *)(const void *)(plan + op->channels);
    const tk_halves_job job = {plan + op->data,
                               patches,
                               patches + TK_QUAD_WORDS * quads,
                               channels,
                               channels + (op->out_c & ~1u),
                               quads,
                               op->out_c,
                               tk_is_floored(op) ? tk_halves_tiles_floored : tk_halves_tiles};
    return job;
}

void tk_halves_last(const tk_halves_job *job, int8_t *out, uint32_t count)
{
    const uint32_t even = job->out_c - 1u;
    int8_t pair[TK_PIXELS][2]; /* its partner is empty */
    (count > 1 ? job->tiles : tk_halves_single)(job->weights + (size_t)even * job->quads * 4u, job->patches, job->end,
                                                job->patches_end, pair[0], pair[1], pair[2], job->end + 2, job->quads);
    for (uint32_t i = 0; i < count; i++) {
        out[i * job->out_c + even] = pair[i][0];
    }
}

tk_status tk_check_halves(const tk_plan *plan, const tk_op *op, uint64_t quads)
{
    const uint32_t rows = (op->out_c + 1u) & ~1u;
    tk_status status = tk_check_constants(plan, op->data, quads * 4u * rows);
    if (status == TK_OK) {
        status = tk_check_short_channels(plan, op, rows);
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * rows * quads * 4u > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}
