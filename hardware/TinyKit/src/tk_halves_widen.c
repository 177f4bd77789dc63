#include "tk_halves.h"

#if TK_DSP

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

/* Arguments are taken from the registers by the assembly. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* On the stack: 0 to, 4 from, 8 r4-r11, 40 lr. */
TK_NAKED void tk_halves_widen_pixels(uint32_t *to, const uint8_t *from, uint32_t quads,
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

TK_NAKED void tk_halves_widen_row(uint32_t *to, const uint8_t *from, uint32_t quads)
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
TK_NAKED void tk_halves_copy(uint8_t *to, const uint8_t *from, uint32_t width, const tk_halves_place *place)
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

#endif
