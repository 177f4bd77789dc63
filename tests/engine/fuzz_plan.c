/* fuzz_plan FILE COUNT SEED: damage a plan COUNT times under a good checksum, open it, and run it if
 * it opens. Prints how many opened and how many were refused. FILE cut: cut the plan at every byte.
 * Built with sanitizers by test_validator.py: a step outside ends the program. Plan and arena are
 * allocated anew and exactly as large as they say, so that the sanitizer sees the first byte beyond.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tk_crc.h"
#include "tk_engine.h"

static uint64_t state;

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717ull) >> 32);
}

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

/* Work that a run may cost, so that the fuzzer stays quick. */
static int small(const tk_plan *plan)
{
    uint64_t work = 0;
    for (uint32_t i = 0; i < tk_plan_op_count(plan); i++) {
        const tk_op *op = plan->ops + i;
        const uint64_t window = (uint64_t)(op->kernel_h + 1u) * (op->kernel_w + 1u);
        work += (uint64_t)op->out_h * op->out_w * op->out_c * window *
                (op->kind == TK_CONV || op->kind == TK_DENSE ? op->in_c : 1u);
        work += (uint64_t)op->in_h * op->in_w * op->in_c + (uint64_t)op->out_h * op->out_w * window;
    }
    return work < 3000000u && plan->header->arena_bytes < (1u << 22);
}

static int try_plan(const uint8_t *bytes, size_t length)
{
    tk_plan plan;
    tk_engine engine;
    size_t in, out;
    if (tk_plan_open(&plan, bytes, length) != TK_OK) {
        return 0;
    }
    if (small(&plan)) {
        const uint32_t size = tk_plan_arena_bytes(&plan);
        uint8_t *arena = malloc(size);
        if (arena == NULL || tk_engine_init(&engine, &plan, arena, size) != TK_OK) {
            abort();
        }
        for (uint32_t i = 0; i < size; i++) {
            arena[i] = (uint8_t)next();
        }
        memset(tk_engine_input(&engine, &in), (int)(next() & 0xFFu), plan.header->input_bytes);
        if (tk_engine_run(&engine) != TK_OK) {
            abort();
        }
        volatile int8_t last = tk_engine_output(&engine, &out)[plan.header->output_bytes - 1];
        (void)last;
        free(arena);
    }
    return 1;
}

static const uint32_t EDGES[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 127, 128, 255, 256, 1023, 4096, 32767, 32768,
                                 65535, 65536, 0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu, 0xFFFFFFFCu};

/* One to three changes: in the header, in an op record, or anywhere. */
static void damage(uint8_t *bytes, uint32_t length)
{
    uint32_t ops, count;
    memcpy(&ops, bytes + 24, 4);
    memcpy(&count, bytes + 28, 4);
    for (uint32_t n = 1 + next() % 3; n > 0; n--) {
        uint32_t at = next() % 8 == 0 ? 16 + next() % 48
                      : next() % 4 == 0 ? 16 + next() % (length - 16)
                                        : ops + next() % (96 * count);
        const uint32_t value = EDGES[next() % (sizeof EDGES / sizeof *EDGES)];
        switch (next() % 4) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << (next() % 8));
            break;
        case 1:
            bytes[at] = (uint8_t)value;
            break;
        case 2:
            at &= ~1u;
            put(bytes + at, next() % 2 ? value : next() % 40, 2);
            break;
        default:
            at &= ~3u;
            put(bytes + at, next() % 2 ? value : next() % 5000, 4);
        }
    }
}

int main(int argc, char **argv)
{
    uint8_t *plan = malloc(1 << 20);
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL || plan == NULL) {
        return 2;
    }
    const uint32_t length = (uint32_t)fread(plan, 1, 1 << 20, file);
    fclose(file);
    if (strcmp(argv[2], "cut") == 0) {
        uint32_t refused = 0;
        for (uint32_t n = 0; n < length; n++) {
            uint8_t *copy = malloc(n > 0 ? n : 1);
            memcpy(copy, plan, n);
            refused += (uint32_t)!try_plan(copy, n);
            free(copy);
        }
        printf("%u\n", refused);
    } else {
        uint32_t opened = 0;
        const uint32_t count = (uint32_t)atol(argv[2]);
        state = 88172645463325252ull * (uint64_t)(atol(argv[3]) * 2 + 1);
        for (uint32_t i = 0; i < count; i++) {
            uint8_t *copy = malloc(length);
            memcpy(copy, plan, length);
            damage(copy, length);
            const uint32_t crc = tk_crc32(0, copy + 16, length - 16);
            memcpy(copy + 12, &crc, 4);
            opened += (uint32_t)try_plan(copy, length);
            free(copy);
        }
        printf("%u %u\n", opened, count - opened);
    }
    free(plan);
    return 0;
}
