#include "tk_halves.h"

#if TK_DSP

/* The loops take all fourteen registers, so these functions are written whole in assembly: no
 * compiler, and no frame pointer, has a say. Arguments beyond the fourth are where the caller put
 * them, above what is pushed here; they are ours to change.
 *
 *   r0 weights  r1 patches  r2 their end  r3, r4 words h  r5-r7 inputs of three pixels
 *   r8-r10 sums of the first channel  r11, r12, lr of the second
 *
 * Estimated cycles: 24 for four inputs of six outputs, 4 more every eighth time; 60 for six outputs.
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
    "ldr r4, [sp, #68]\n\t" /* loop + (-quads & 7) * bytes */                                       \
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

TK_NAKED void tk_halves_tiles(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                              const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                              const tk_channel *end, uint32_t quads)
{
    TILES(FINISH_ANY, "str r0, [sp, #0]\n\t", "ldr r0, [sp, #0]\n\t");
}

TK_NAKED void tk_halves_tiles_floored(const uint8_t *weights, const uint32_t *patches,
                                      const tk_channel *channels, const uint32_t *patches_end, int8_t *out0,
                                      int8_t *out1, int8_t *out2, const tk_channel *end, uint32_t quads)
{
    TILES(FINISH_FLOORED, "", "");
}

TK_NAKED void tk_halves_single(const uint8_t *weights, const uint32_t *patches, const tk_channel *channels,
                               const uint32_t *patches_end, int8_t *out0, int8_t *out1, int8_t *out2,
                               const tk_channel *end, uint32_t quads)
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

#else

/* One channel of a pair; its words h are every other one. */
static void channel_of(const uint8_t *weights, const uint32_t *patches, const uint32_t *patches_end,
                       const tk_channel *channel, int8_t *out[TK_PIXELS], int floored)
{
    int32_t s0 = channel->bias, s1 = s0, s2 = s0;
    for (const uint32_t *x = patches; x != patches_end; x += TK_QUAD_WORDS, weights += 8) {
        const uint32_t h = tk_load32(weights), even = tk_sxtb16(h);
        s0 = tk_mac_pair(h, x[3], tk_mac_pair(even, x[0], s0));
        s1 = tk_mac_pair(h, x[4], tk_mac_pair(even, x[1], s1));
        s2 = tk_mac_pair(h, x[5], tk_mac_pair(even, x[2], s2));
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
                sum = tk_mac_pair(word, x[TK_PIXELS], tk_mac_pair(tk_sxtb16(word), x[0], sum));
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
