/* Depthwise convolution with a 3x3 kernel, dilation 1, a stride of 1 (TK_DEPTHWISE_3X3) or 2
 * (TK_DEPTHWISE_3X3_2) along its lines, any stride across them; p[1] outputs from each input channel.
 *
 * Lines run along rows (p[0] = 0) or along columns (p[0] = 1); kernel, strides and padding below are
 * along and across lines. Four output channels at a time go through the whole picture: each line of
 * their input channels is turned into pairs (tk_pairs.h) in a ring of three, and a line of outputs is
 * computed channel by channel, with the channel's weights, the last pair of each ring line and four
 * sums in registers. For outputs e and o at an even position and behind it, a ring line's pair
 * A = (x0, x1) and the next one B = (x2, x3):
 *
 *   e += SMLAD(A, (w0, w1)) + B's first * w2        o += A's second * w0 + SMLAD(B, (w1, w2))
 *
 * Weights (op->data): for each output channel the rows of its kernel (along lines), each w0, w1, w2, 0.
 * The channels are in short form (TK_FLAG_SIMPLE).
 *
 * The output may be written onto the input, a whole number of pixels before it (of lines, for lines
 * along columns), if no line is overwritten before it is in the ring: the host has checked that.
 *
 * Scratch: ring (48 bytes a word of a line), four channels' records of 64 bytes.
 */
#include "tk_kernels.h"
#include "tk_pairs.h"

#define SLOTS 3u
#define CHANNELS 4u

/* One output channel at work. */
typedef struct record {
    tk_line_channel channel;
    uint32_t weights[5][2]; /* rows 0, 1, 2, 0, 1 of the kernel, each (w0, w1), (w1, w2) */
} record;

/* One line of outputs. The assembly below knows the offsets. */
typedef struct job {
    const uint32_t *ring;    /* 0 */
    uint8_t *out;            /* 4: first channel, first output */
    uint32_t step;           /* 8: bytes from one output to the next */
    const record *channels;  /* 12 */
    uint32_t turn;           /* 16: bytes to the row of weights that goes with the ring's first line */
    uint32_t fours;          /* 20: bytes of ring in all blocks of four outputs */
    uint32_t rest;           /* 24: outputs behind them, 0 to 3 */
    uint32_t count;          /* 28: channels, at least 1 */
} job;

/* Words of a ring line. */
static uint32_t words_of(const tk_lines *lines)
{
    return ((lines->out + 1u) & ~1u) / (3u - lines->stride) + 1u;
}

tk_status tk_check_depthwise_3x3(const tk_plan *plan, const tk_op *op)
{
    const tk_status status = tk_check_lines(plan, op, 3);
    if (status != TK_OK) {
        return status;
    }
    const tk_lines lines = tk_lines_of(op);
    if (op->kernel_h != 3 || op->kernel_w != 3 || op->dilation_h != 1 || op->dilation_w != 1 ||
        lines.stride != (op->kind == TK_DEPTHWISE_3X3 ? 1u : 2u)) {
        return TK_ERR_PARAMETER;
    }
    if (op->scratch_bytes < (uint64_t)words_of(&lines) * SLOTS * 4u * CHANNELS + sizeof(record) * CHANNELS) {
        return TK_ERR_PARAMETER;
    }
    return TK_OK;
}

#if TK_DSP_FPU
/* Registers: r0-r5 weights of the ring's three lines, r6-r8 a pair of each, r9 r10 r11 lr sums, r12 where
 * in the ring. s0-s3 the channel's constants, s4 output, s5 step, s6 where the blocks of four end, s7 job,
 * s8 outputs behind them, s9 how many of those are left. r8 is the third line's next pair at the start of
 * each block. */
#define NEXT "ldr r7, [r12, #16]\n ldr r6, [r12], #48\n vmov lr, s0\n"
#define PAIR "ldr r7, [r12, #16]\n ldr r8, [r12, #32]\n ldr r6, [r12], #48\n"
#define LAST "ldr r6, [r12]\n ldr r7, [r12, #16]\n ldr r8, [r12, #32]\n"
/* An output's products with the first pair, from sum `a`; and with the second. */
#define EVEN(s, a)                                                                                            \
    "smlad " s ", r6, r0, " a "\n smlad " s ", r7, r2, " s "\n smlad " s ", r8, r4, " s "\n"
#define EVEN_END(s) "smlabt " s ", r6, r1, " s "\n smlabt " s ", r7, r3, " s "\n smlabt " s ", r8, r5, " s "\n"
#define ODD(s, a)                                                                                             \
    "smlatb " s ", r6, r0, " a "\n smlatb " s ", r7, r2, " s "\n smlatb " s ", r8, r4, " s "\n"
#define ODD_END(s) "smlad " s ", r6, r1, " s "\n smlad " s ", r7, r3, " s "\n smlad " s ", r8, r5, " s "\n"

#define FOUR_1                                                                                                \
    NEXT EVEN("r9", "lr") ODD("r10", "lr") PAIR EVEN_END("r9") ODD_END("r10")                                 \
        EVEN("r11", "lr") ODD("lr", "lr") LAST EVEN_END("r11") ODD_END("lr")
#define TWO_1 NEXT EVEN("r9", "lr") ODD("r10", "lr") LAST EVEN_END("r9") ODD_END("r10")
#define FOUR_2                                                                                                \
    NEXT EVEN("r9", "lr") PAIR EVEN_END("r9") EVEN("r10", "lr") PAIR EVEN_END("r10") EVEN("r11", "lr") PAIR   \
        EVEN_END("r11") EVEN("lr", "lr") LAST EVEN_END("lr")
#define TWO_2 NEXT EVEN("r9", "lr") PAIR EVEN_END("r9") EVEN("r10", "lr") LAST EVEN_END("r10")

/* Two sums to int8: with a floor as tk_short says; without, with both roundings by SMMULR and SMMLSR. */
#define SCALE_FLOORED_2(a, b) "smmla " a ", " a ", r6, r7\n smmla " b ", " b ", r6, r7\n"
#define SHIFT_2(a, b) "asr " a ", " a ", r6\n asr " b ", " b ", r6\n"
#define SCALE_2(a, b) "smmulr " a ", " a ", r6\n smmulr " b ", " b ", r6\n"
#define AWAY_2(a, b) "add " a ", " a ", " a ", asr #31\n add " b ", " b ", " b ", asr #31\n"
#define ROUND_2(a, b) "smmlsr " a ", " a ", r6, r7\n smmlsr " b ", " b ", r6, r7\n"
#define CLIP_2(a, b) "ssat " a ", #8, " a "\n ssat " b ", #8, " b "\n"
#define FINISH_FLOORED_4                                                                                      \
    "vmov r6, s1\n vmov r7, s2\n" SCALE_FLOORED_2("r9", "r10") SCALE_FLOORED_2("r11", "lr") "vmov r6, s3\n"   \
        SHIFT_2("r9", "r10") SHIFT_2("r11", "lr") CLIP_2("r9", "r10") CLIP_2("r11", "lr")
#define FINISH_FLOORED_2                                                                                      \
    "vmov r6, s1\n vmov r7, s2\n" SCALE_FLOORED_2("r9", "r10") "vmov r6, s3\n" SHIFT_2("r9", "r10")          \
        CLIP_2("r9", "r10")
#define FINISH_4                                                                                              \
    "vmov r6, s1\n" SCALE_2("r9", "r10") SCALE_2("r11", "lr") AWAY_2("r9", "r10") AWAY_2("r11", "lr")         \
        "vmov r6, s3\n vmov r7, s2\n" ROUND_2("r9", "r10") ROUND_2("r11", "lr") CLIP_2("r9", "r10")            \
            CLIP_2("r11", "lr")
#define FINISH_2                                                                                              \
    "vmov r6, s1\n" SCALE_2("r9", "r10") AWAY_2("r9", "r10") "vmov r6, s3\n vmov r7, s2\n"                    \
        ROUND_2("r9", "r10") CLIP_2("r9", "r10")

#define LINE(FOUR, TWO, END_4, END_2)                                                                         \
    "push {r4-r11, lr}\n"                                                                                     \
    "vmov s7, r0\n"                                                                                           \
    "1: ldr r9, [r0, #12]\n" /* the next channel */                                                           \
    "ldr r12, [r0]\n"                                                                                         \
    "ldr r10, [r0, #4]\n"                                                                                     \
    "ldr r11, [r0, #8]\n"                                                                                     \
    "ldr r7, [r0, #20]\n"                                                                                     \
    "ldr r8, [r0, #16]\n"                                                                                     \
    "ldr r6, [r0, #24]\n"                                                                                     \
    "vmov s4, r10\n"                                                                                          \
    "vmov s5, r11\n"                                                                                          \
    "vmov s9, r6\n"                                                                                           \
    "add r10, #1\n"                                                                                           \
    "add r11, r9, #64\n"                                                                                      \
    "str r10, [r0, #4]\n"                                                                                     \
    "str r11, [r0, #12]\n"                                                                                    \
    "vldmia r9!, {s0-s3}\n"                                                                                   \
    "ldr r6, [r9], #8\n"                                                                                      \
    "add r12, r12, r6\n"                                                                                      \
    "add r7, r7, r12\n"                                                                                       \
    "vmov s6, r7\n"                                                                                           \
    "add r9, r9, r8\n"                                                                                        \
    "ldr r8, [r12, #32]\n"                                                                                    \
    "ldm r9, {r0-r5}\n"                                                                                       \
    "cmp r12, r7\n"                                                                                           \
    "beq 3f\n"                                                                                                \
    "2:\n" FOUR END_4 /* four outputs */                                                                      \
    "vmov r6, s4\n"                                                                                           \
    "vmov r7, s5\n"                                                                                           \
    "strb r9, [r6]\n"                                                                                         \
    "add r6, r7\n"                                                                                            \
    "strb r10, [r6]\n"                                                                                        \
    "add r6, r7\n"                                                                                            \
    "strb r11, [r6]\n"                                                                                        \
    "add r6, r7\n"                                                                                            \
    "strb lr, [r6]\n"                                                                                         \
    "add r6, r7\n"                                                                                            \
    "vmov r7, s6\n"                                                                                           \
    "vmov s4, r6\n"                                                                                           \
    "cmp r12, r7\n"                                                                                           \
    "bne 2b\n"                                                                                                \
    "3: vmov r6, s9\n"                                                                                        \
    "cmp r6, #0\n"                                                                                            \
    "beq 5f\n"                                                                                                \
    "4:\n" TWO END_2 /* one or two */                                                                         \
    "vmov r6, s4\n"                                                                                           \
    "vmov r7, s5\n"                                                                                           \
    "vmov lr, s9\n"                                                                                           \
    "strb r9, [r6]\n"                                                                                         \
    "add r6, r7\n"                                                                                            \
    "subs lr, #2\n"                                                                                           \
    "vmov s9, lr\n"                                                                                           \
    "bmi 5f\n"                                                                                                \
    "strb r10, [r6]\n"                                                                                        \
    "add r6, r7\n"                                                                                            \
    "vmov s4, r6\n"                                                                                           \
    "bne 4b\n"                                                                                                \
    "5: vmov r0, s7\n"                                                                                        \
    "ldr r1, [r0, #28]\n"                                                                                     \
    "subs r1, #1\n"                                                                                           \
    "str r1, [r0, #28]\n"                                                                                     \
    "bne 1b\n"                                                                                                \
    "pop {r4-r11, pc}\n"

#define NAKED static __attribute__((naked, noinline)) void
NAKED line_1_floored(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FOUR_1, TWO_1, FINISH_FLOORED_4, FINISH_FLOORED_2));
}

NAKED line_1(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FOUR_1, TWO_1, FINISH_4, FINISH_2));
}

NAKED line_2_floored(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FOUR_2, TWO_2, FINISH_FLOORED_4, FINISH_FLOORED_2));
}

NAKED line_2(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FOUR_2, TWO_2, FINISH_4, FINISH_2));
}
#else
static void line(const job *work, uint32_t stride, int floored)
{
    const uint32_t outputs = work->fours / (24u * stride) + work->rest, row = work->turn / 8u;
    for (uint32_t c = 0; c < work->count; c++) {
        const record *r = work->channels + c;
        const uint32_t *plane = work->ring + r->channel.plane / 4u;
        uint8_t *out = work->out + c;
        for (uint32_t i = 0; i < outputs; i++, out += work->step) {
            int32_t sum = r->channel.bias;
            for (uint32_t k = 0; k < 9; k++) {
                const uint32_t x = i * stride + k % 3u;
                const int32_t w = tk_half(r->weights[row + k / 3u][k % 3u / 2u], k % 3u != 0);
                sum = tk_add_wrap(sum, w * tk_half(plane[(x / 2u * SLOTS + k / 3u) * 4u], x % 2u));
            }
            *out = tk_line_finish(&r->channel, sum, floored);
        }
    }
}

static void line_1_floored(job *work)
{
    line(work, 1, 1);
}

static void line_1(job *work)
{
    line(work, 1, 0);
}

static void line_2_floored(job *work)
{
    line(work, 2, 1);
}

static void line_2(job *work)
{
    line(work, 2, 0);
}
#endif

/* A channel's record, from the plan. */
TK_INLINE void prepare(record *r, const tk_channel *channel, const uint32_t *weights, uint32_t plane, int32_t zero,
                       int floored)
{
    tk_line_channel_from(&r->channel, channel, plane, zero, floored);
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t outer = (weights[i] & 0xFF00FFu) << 8, inner = weights[i] & 0xFF00u; /* w0 and w2; w1 */
        const uint32_t first = tk_line_weights((outer & 0xFFFFu) | inner << 16, floored);
        const uint32_t second = tk_line_weights(inner | (outer & 0xFFFF0000u), floored);
        r->weights[i][0] = first;
        r->weights[i][1] = second;
        if (i < 2) {
            r->weights[3 + i][0] = first;
            r->weights[3 + i][1] = second;
        }
    }
}

TK_LOOP void prepare_all(record *r, const tk_op *op, const uint8_t *plan, uint32_t c, uint32_t count)
{
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels) + c;
    const uint32_t *weights = (const uint32_t *)(const void *)(plan + op->data) + 3u * c;
    const uint32_t multiplier = (uint32_t)op->p[1], first = c / multiplier;
    const int32_t zero = op->zero_out;
    for (uint32_t i = 0; i < count; i++, weights += 3) {
        const uint32_t plane = multiplier == 1u ? 4u * i : 4u * ((c + i) / multiplier - first);
        if (tk_is_floored(op)) {
            prepare(r + i, channels + i, weights, plane, zero, 1);
        } else {
            prepare(r + i, channels + i, weights, plane, zero, 0);
        }
    }
}

static void run(const tk_op *op, const uint8_t *plan, uint8_t *arena, void (*make)(job *))
{
    const tk_lines s = tk_lines_of(op);
    const uint32_t words = words_of(&s), multiplier = (uint32_t)op->p[1];
    uint32_t *const ring = (uint32_t *)(void *)(arena + op->scratch);
    record *const records = (record *)(void *)(ring + words * SLOTS * CHANNELS);
    uint8_t *const out = arena + op->out;
    tk_pairs pairs = {NULL,
                      s.in_step,
                      s.in_pitch,
                      s.in_lines,
                      SLOTS * CHANNELS,
                      (uint8_t)op->zero0 * 0x01010101u,
                      0, 0, 0, 0, 0, 0};
    tk_pairs_split(&pairs, s.in, s.pad, words);
    for (uint32_t c = 0; c < op->out_c; c += CHANNELS) {
        const uint32_t count = op->out_c - c < CHANNELS ? op->out_c - c : CHANNELS;
        uint32_t next = 0; /* line to be made, outside ones counted */
        pairs.picture = arena + op->in0 + c / multiplier;
        prepare_all(records, op, plan, c, count);
        for (uint32_t y = 0, top = 0; y < s.out_lines; y++, top += s.stride_lines) {
            const uint32_t turn = (SLOTS - top % SLOTS) % SLOTS; /* the kernel's line for the ring's first */
            job work = {ring,      out + y * s.out_pitch + c,      s.out_step,  records,
                        8u * turn, s.out / 4u * 96u * s.stride, s.out % 4u, count};
            for (next = next > top ? next : top; next < top + SLOTS; next++) {
                tk_pairs_line(&pairs, (int32_t)(next - s.pad_lines), ring + next % SLOTS * CHANNELS);
            }
            make(&work);
        }
    }
    tk_clamp_output(op, arena);
}

void tk_op_depthwise_3x3(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    run(op, plan, arena, tk_is_floored(op) ? line_1_floored : line_1);
}

void tk_op_depthwise_3x3_2(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    run(op, plan, arena, tk_is_floored(op) ? line_2_floored : line_2);
}
