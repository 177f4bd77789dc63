/* Depthwise convolution with any kernel of up to 31 taps along its lines, at a stride of 1
 * (TK_DEPTHWISE_LINES), or up to 32, at a stride of 2 (TK_DEPTHWISE_LINES_2), along them; any stride, dilation and number of
 * lines across; p[1] outputs from each input channel. With a stride of 1 also a dilation along lines:
 * positions that leave the same rest when divided by it are lines of their own (phases), one after
 * the other.
 *
 * As tk_op_depthwise_3x3.c, but four outputs at a time with the weights read from memory: for each
 * word i of a kernel line, the pairs at i (and the ones behind it) times (w[2i], w[2i+1]) for the
 * outputs at even positions and (w[2i-1], w[2i]) for those between.
 *
 * Weights (op->data): for each output channel int8 weights along lines, line by line, then zeros up to
 * a multiple of 4. The channels are in short form (TK_FLAG_SIMPLE).
 *
 * The output may be written onto the input as there; with a dilation along lines, if padding is a
 * multiple of it. (The host has checked that.)
 *
 * Scratch: ring (16 bytes a word of a line; as many lines as the kernel spans), a word for each of the
 * kernel's lines, four channels' records.
 */
#include "tk_kernels.h"
#include "tk_pairs.h"

#define CHANNELS 4u
#define MOST_WORDS 16u /* of a kernel line */

/* One line of outputs. The assembly below knows the offsets. */
typedef struct job {
    const uint32_t *table; /* 0: bytes from the ring's start to the lines under the kernel */
    uint8_t *out;          /* 4: first channel, first output */
    uint32_t step;         /* 8: bytes from one output to the next */
    const uint8_t *record; /* 12: a tk_line_channel and its weights, as words */
    uint32_t record_bytes; /* 16 */
    uint32_t outputs;      /* 20: at least 1 */
    uint32_t kernel_lines; /* 24 */
    uint32_t count;        /* 28: channels, at least 1 */
    uint32_t jump;         /* 32: so many bytes before its end the code for a kernel line begins; -1 */
    const uint32_t *ring;  /* 36 */
    uint32_t words;        /* 40: of a kernel line */
} job;

/* What an op needs. */
typedef struct need {
    tk_lines lines;
    uint32_t slots, words;                /* ring lines; their words */
    uint32_t kernel_words, record_bytes;
    uint32_t weight_bytes;                /* of a channel, in the plan */
} need;

static need need_of(const tk_op *op)
{
    need n;
    n.lines = tk_lines_of(op);
    const tk_lines *l = &n.lines;
    const uint32_t outputs = (l->out + l->dilation - 1u) / l->dilation, blocks = (outputs + 3u) / 4u;
    n.slots = (l->kernel_lines - 1u) * l->dilation_lines + 1u;
    n.kernel_words = l->stride == 1u ? l->kernel / 2u + 1u : (l->kernel + 1u) / 2u;
    n.words = 2u * l->stride * blocks + n.kernel_words - 1u;
    n.record_bytes = (uint32_t)sizeof(tk_line_channel) + l->kernel_lines * n.kernel_words * (l->stride == 1u ? 8u : 4u);
    n.weight_bytes = (l->kernel * l->kernel_lines + 3u) & ~3u;
    return n;
}

tk_status tk_check_depthwise_lines(const tk_plan *plan, const tk_op *op)
{
    const tk_status status = tk_check_lines(plan, op, (0u - (uint32_t)op->kernel_h * op->kernel_w) & 3u);
    if (status != TK_OK) {
        return status;
    }
    const need n = need_of(op);
    const tk_lines *l = &n.lines;
    if (l->stride != (op->kind == TK_DEPTHWISE_LINES ? 1u : 2u) || (l->stride != 1u && l->dilation != 1u) ||
        n.kernel_words > MOST_WORDS) {
        return TK_ERR_PARAMETER;
    }
    if (op->scratch_bytes < (uint64_t)n.slots * n.words * 16u + (uint64_t)l->kernel_lines * 4u +
                                (uint64_t)n.record_bytes * CHANNELS) {
        return TK_ERR_PARAMETER;
    }
    return TK_OK;
}

#if TK_DSP_FPU
/* Registers: r0-r3 sums, r4-r7 pairs and weights, r8 where in a ring line, r9 in the weights, r11 in the
 * table of lines, r12 where the code for a kernel line begins, lr what to add for where in a line,
 * r10 what is said below. s0-s3 the channel's constants, s4 output, s5 step, s6 outputs left, s7 weights,
 * s8 table of lines, s9 lines of the kernel, s10 job, s11 lines left. */

/* One word of a kernel line; r4 holds the pair at it, r5 the next one afterwards; and the other way round.
 * r10 counts lines. */
#define WORD(x0, x1)                                                                                          \
    "ldr.w " x1 ", [r8], #16\n ldr.w r6, [r9], #4\n ldr.w r7, [r9], #4\n"                                     \
    "smlad r0, " x0 ", r6, r0\n smlad r1, " x0 ", r7, r1\n"                                                   \
    "smlad r2, " x1 ", r6, r2\n smlad r3, " x1 ", r7, r3\n"
#define TWO_WORDS WORD("r4", "r5") WORD("r5", "r4")
#define WORDS_1 TWO_WORDS TWO_WORDS TWO_WORDS TWO_WORDS TWO_WORDS TWO_WORDS TWO_WORDS TWO_WORDS
#define START_1 "ldr r8, [r11], #4\n add r8, lr\n ldr r4, [r8]\n ldr r5, [r8], #16\n bx r12\n"
#define FIRST_1 "vmov r10, s9\n"
#define COUNT_1 "subs r10, #1\n"

/* The same for a stride of 2: four pairs, one word of weights in r10. */
#define WORD_2                                                                                                \
    "ldr.w r10, [r9], #4\n ldr.w r4, [r8], #16\n ldr.w r5, [r8]\n ldr.w r6, [r8, #16]\n ldr.w r7, [r8, #32]\n" \
    "smlad r0, r4, r10, r0\n smlad r1, r5, r10, r1\n smlad r2, r6, r10, r2\n smlad r3, r7, r10, r3\n"
#define FOUR_WORDS WORD_2 WORD_2 WORD_2 WORD_2
#define WORDS_2 FOUR_WORDS FOUR_WORDS FOUR_WORDS FOUR_WORDS
#define START_2 "ldr r8, [r11], #4\n add r8, lr\n bx r12\n"
#define FIRST_2 "vmov r10, s9\n vmov s11, r10\n"
#define COUNT_2 "vmov r4, s11\n subs r4, #1\n vmov s11, r4\n"

#define EACH(what, rest) what("r0", rest) what("r1", rest) what("r2", rest) what("r3", rest)
#define THREE(s, name) name " " s ", " s ", r4\n"
#define FOUR(s, name) name " " s ", " s ", r4, r5\n"
#define SELF(s, rest) "add " s ", " s ", " s ", asr #31\n"
#define CLIP(s, rest) "ssat " s ", #8, " s "\n"
#define FINISH_FLOORED                                                                                        \
    "vmov r4, s1\n vmov r5, s2\n" EACH(FOUR, "smmla") "vmov r4, s3\n" EACH(THREE, "asr") EACH(CLIP, )
#define FINISH_ROUNDED                                                                                        \
    "vmov r4, s1\n" EACH(THREE, "smmulr") EACH(SELF, ) "vmov r4, s3\n vmov r5, s2\n" EACH(FOUR, "smmlsr") EACH(CLIP, )

#define LINE(FIRST, START, WORDS, COUNT, ADVANCE, FINISH)                                                     \
    "push {r4-r11, lr}\n"                                                                                     \
    "vmov s10, r0\n"                                                                                          \
    "1: ldr r1, [r0]\n" /* the next channel */                                                                \
    "ldr r2, [r0, #4]\n"                                                                                      \
    "ldr r3, [r0, #8]\n"                                                                                      \
    "ldr r9, [r0, #12]\n"                                                                                     \
    "ldr r4, [r0, #16]\n"                                                                                     \
    "ldr r5, [r0, #20]\n"                                                                                     \
    "ldr r6, [r0, #24]\n"                                                                                     \
    "ldr r7, [r0, #32]\n"                                                                                     \
    "ldr r8, [r0, #36]\n"                                                                                     \
    "vmov s8, r1\n"                                                                                           \
    "vmov s4, r2\n"                                                                                           \
    "vmov s5, r3\n"                                                                                           \
    "vmov s6, r5\n"                                                                                           \
    "vmov s9, r6\n"                                                                                           \
    "adr.w r12, 4f\n"                                                                                         \
    "sub r12, r12, r7\n"                                                                                      \
    "add r2, #1\n"                                                                                            \
    "add r4, r9\n"                                                                                            \
    "str r2, [r0, #4]\n"                                                                                      \
    "str r4, [r0, #12]\n"                                                                                     \
    "vldmia r9!, {s0-s3}\n"                                                                                   \
    "ldr lr, [r9], #8\n"                                                                                      \
    "add lr, r8\n"                                                                                            \
    "vmov s7, r9\n"                                                                                           \
    "2: vmov r0, s0\n" /* four outputs */                                                                     \
    "vmov r9, s7\n"                                                                                           \
    "vmov r11, s8\n"                                                                                          \
    "mov r1, r0\n"                                                                                            \
    "mov r2, r0\n"                                                                                            \
    "mov r3, r0\n" FIRST                                                                                      \
    "3:\n" START /* a line of the kernel */                                                                   \
    ".balign 4\n" WORDS                                                                                       \
    "4:\n" COUNT                                                                                              \
    "bne 3b\n"                                                                                                \
    "add lr, #" ADVANCE "\n" FINISH                                                                           \
    "vmov r4, s4\n"                                                                                           \
    "vmov r5, s5\n"                                                                                           \
    "vmov r6, s6\n"                                                                                           \
    "strb r0, [r4]\n"                                                                                         \
    "add r4, r5\n"                                                                                            \
    "subs r6, #4\n"                                                                                           \
    "bmi 5f\n"                                                                                                \
    "strb r1, [r4]\n"                                                                                         \
    "add r4, r5\n"                                                                                            \
    "strb r2, [r4]\n"                                                                                         \
    "add r4, r5\n"                                                                                            \
    "strb r3, [r4]\n"                                                                                         \
    "add r4, r5\n"                                                                                            \
    "vmov s4, r4\n"                                                                                           \
    "vmov s6, r6\n"                                                                                           \
    "bne 2b\n"                                                                                                \
    "b 6f\n"                                                                                                  \
    "5: cmn r6, #3\n" /* -3: one output, -2: two, -1: three */                                                \
    "beq 6f\n"                                                                                                \
    "strb r1, [r4]\n"                                                                                         \
    "cmn r6, #1\n"                                                                                            \
    "bne 6f\n"                                                                                                \
    "strb r2, [r4, r5]\n"                                                                                     \
    "6: vmov r0, s10\n"                                                                                       \
    "ldr r1, [r0, #28]\n"                                                                                     \
    "subs r1, #1\n"                                                                                           \
    "str r1, [r0, #28]\n"                                                                                     \
    "bne 1b\n"                                                                                                \
    "pop {r4-r11, pc}\n"
#define WORD_BYTES(stride) ((stride) == 1u ? 28u : 36u) /* of the code for a word */

#define NAKED static __attribute__((naked, noinline)) void
NAKED line_1_floored(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FIRST_1, START_1, WORDS_1, COUNT_1, "32", FINISH_FLOORED));
}

NAKED line_1(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FIRST_1, START_1, WORDS_1, COUNT_1, "32", FINISH_ROUNDED));
}

NAKED line_2_floored(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FIRST_2, START_2, WORDS_2, COUNT_2, "64", FINISH_FLOORED));
}

NAKED line_2(__attribute__((unused)) job *work)
{
    __asm__ volatile(LINE(FIRST_2, START_2, WORDS_2, COUNT_2, "64", FINISH_ROUNDED));
}
#else
#define WORD_BYTES(stride) (stride)

static void line(const job *work, uint32_t stride, int floored)
{
    const uint8_t *record = work->record;
    for (uint32_t c = 0; c < work->count; c++, record += work->record_bytes) {
        const tk_line_channel *channel = (const tk_line_channel *)(const void *)record;
        uint8_t *out = work->out + c;
        for (uint32_t i = 0; i < work->outputs; i++, out += work->step) {
            const uint32_t *weights = (const uint32_t *)(const void *)(record + sizeof *channel);
            int32_t sum = channel->bias;
            for (uint32_t k = 0; k < work->kernel_lines; k++) {
                const uint32_t *pair = work->ring + (work->table[k] + channel->plane) / 4u + (stride == 1u ? i / 2u : i) * 4u;
                for (uint32_t n = 0; n < work->words; n++, pair += 4) {
                    const uint32_t w = stride == 1u ? *(weights + i % 2u) : *weights;
                    sum = tk_add_wrap(sum, tk_half(*pair, 0) * tk_half(w, 0));
                    sum = tk_add_wrap(sum, tk_half(*pair, 1) * tk_half(w, 1));
                    weights += 3u - stride;
                }
            }
            *out = tk_line_finish(channel, sum, floored);
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

/* A channel's weights, from the plan, `unit` times. */
static void widen(uint32_t *to, const int8_t *from, const need *n, int32_t unit)
{
    const uint32_t stride = n->lines.stride, kernel = n->lines.kernel;
    for (uint32_t i = n->lines.kernel_lines; i > 0; i--) {
        int32_t before = 0;
        for (uint32_t k = kernel / 2u; k > 0; k--, from += 2) {
            const int32_t even = from[0] * unit, odd = from[1] * unit;
            *to++ = tk_halfwords(even, odd);
            if (stride == 1u) {
                *to++ = tk_halfwords(before, even);
            }
            before = odd;
        }
        if (kernel & 1u) {
            const int32_t last = *from++ * unit;
            *to++ = tk_halfwords(last, 0);
            if (stride == 1u) {
                *to++ = tk_halfwords(before, last);
            }
        } else if (stride == 1u) { /* an even kernel's last weight, for outputs between */
            *to++ = 0;
            *to++ = tk_halfwords(before, 0);
        }
    }
}

TK_LOOP void prepare(uint8_t *record, const tk_op *op, const uint8_t *plan, const need *n, uint32_t c, uint32_t count)
{
    const tk_channel *channels = (const tk_channel *)(const void *)(plan + op->channels);
    const uint32_t multiplier = (uint32_t)op->p[1], base = c / multiplier;
    for (uint32_t i = c; i < c + count; i++, record += n->record_bytes) {
        tk_line_channel *channel = (tk_line_channel *)(void *)record;
        uint32_t *to = (uint32_t *)(void *)(record + sizeof *channel);
        const int8_t *from = (const int8_t *)(plan + op->data + n->weight_bytes * i);
        tk_line_channel_from(channel, channels + i, 4u * (i / multiplier - base), op->zero_out, tk_is_floored(op));
        widen(to, from, n, tk_is_floored(op) ? 256 : 2);
    }
}

/* All lines of one phase of four channels; `pairs` and `work` know where they begin. */
static void phase(const need *n, const tk_pairs *pairs, uint32_t *ring, uint32_t *table, const job *first,
                  void (*make)(job *))
{
    const tk_lines *l = &n->lines;
    const uint32_t line_words = n->words * 4u;
    uint32_t next = 0; /* line to be made, outside ones counted */
    for (uint32_t y = 0; y < l->out_lines; y++) {
        const uint32_t top = y * l->stride_lines;
        job work = *first;
        work.out += y * l->out_pitch;
        for (next = next > top ? next : top; next < top + n->slots; next++) {
            tk_pairs_line(pairs, (int32_t)(next - l->pad_lines), ring + next % n->slots * line_words);
        }
        for (uint32_t k = 0; k < l->kernel_lines; k++) {
            table[k] = (top + k * l->dilation_lines) % n->slots * line_words * 4u;
        }
        make(&work);
    }
}

static void run(const tk_op *op, const uint8_t *plan, uint8_t *arena, void (*make)(job *))
{
    const need n = need_of(op);
    const tk_lines *l = &n.lines;
    const uint32_t multiplier = (uint32_t)op->p[1];
    uint32_t *const table = (uint32_t *)(void *)(arena + op->scratch);
    uint32_t *const ring = table + l->kernel_lines;
    uint8_t *const records = (uint8_t *)(ring + n.slots * n.words * 4u);
    for (uint32_t c = 0; c < op->out_c; c += CHANNELS) {
        const uint32_t count = op->out_c - c < CHANNELS ? op->out_c - c : CHANNELS;
        const uint32_t base = c / multiplier;
        prepare(records, op, plan, &n, c, count);
        for (uint32_t i = 0; i < l->dilation && i < l->out; i++) {
            const uint32_t shift = (i + l->dilation - l->pad % l->dilation) % l->dilation; /* first value of the phase */
            const uint32_t values = shift < l->in ? (l->in - shift + l->dilation - 1u) / l->dilation : 0u;
            tk_pairs pairs = {arena + op->in0 + base + shift * l->in_step,
                              l->in_step * l->dilation,
                              l->in_pitch,
                              values > 0 ? l->in_lines : 0u,
                              CHANNELS,
                              (uint8_t)op->zero0 * 0x01010101u,
                              0, 0, 0, 0, 0, 0};
            tk_pairs_split(&pairs, values, (shift + l->pad - i) / l->dilation, n.words);
            const job work = {table,
                              arena + op->out + i * l->out_step + c,
                              l->out_step * l->dilation,
                              records,
                              n.record_bytes,
                              (l->out - i + l->dilation - 1u) / l->dilation,
                              l->kernel_lines,
                              count,
                              n.kernel_words * WORD_BYTES(l->stride) - 1u,
                              ring,
                              n.kernel_words};
            phase(&n, &pairs, ring, table, &work, make);
        }
    }
    tk_clamp_output(op, arena);
}

void tk_op_depthwise_lines(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    run(op, plan, arena, tk_is_floored(op) ? line_1_floored : line_1);
}

void tk_op_depthwise_lines_2(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    run(op, plan, arena, tk_is_floored(op) ? line_2_floored : line_2);
}
