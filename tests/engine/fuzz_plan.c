/* fuzz_plan COUNT SEED FIRST PLAN...: damage plans under a good checksum, open them, and run those that open.
 * fuzz_plan cut PLAN: cut one plan at every byte.
 *
 * Execution n of a seed is the same whatever came before it: FIRST begins elsewhere, so that a fault
 * can be met again alone. Prints how often each status was the answer, and how many plans were run.
 *
 * Built with sanitizers by fuzz.py: a step outside ends the program, and the last line says which
 * execution it was. Plan and arena are allocated anew and exactly as large as they say, so that the
 * sanitizer sees the first byte beyond.
 */
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tk_crc.h"
#include "tk_engine.h"

#define MOST_PLANS 4096
#define STATUSES 64
#define LONGEST (1u << 20)
#define PATIENCE (CLOCKS_PER_SEC / 20) /* for one run: what computes nonsense may compute it long */

typedef struct base {
    uint8_t *bytes;
    uint32_t length;
} base;

static base plans[MOST_PLANS];
static uint32_t plan_count;
static uint64_t state;
static unsigned long seed, execution;
static unsigned long statuses[STATUSES], ran, stopped, left;

/* ---- numbers ---- */

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717ull) >> 32);
}

static uint32_t below(uint32_t n)
{
    return n > 0 ? next() % n : 0;
}

static void begin(unsigned long number)
{
    uint64_t x = (uint64_t)seed * 0x9E3779B97F4A7C15ull + number * 0xD1B54A32D192ED03ull + 1;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull; /* splitmix64 */
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    state = (x ^ (x >> 31)) | 1u;
    execution = number;
}

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

/* ---- what a plan is made of ---- */

typedef struct field {
    uint8_t at, bytes;
} field;

#define OF(name) {(uint8_t)offsetof(tk_op, name), (uint8_t)sizeof(((tk_op *)0)->name)}
#define P(i) {(uint8_t)(offsetof(tk_op, p) + 4 * (i)), 4}
static const field FIELDS[] = {
    OF(kind), OF(flags), OF(in0), OF(in1), OF(out), OF(scratch), OF(scratch_bytes), OF(in_h), OF(in_w),
    OF(in_c), OF(out_h), OF(out_w), OF(out_c), OF(kernel_h), OF(kernel_w), OF(stride_h), OF(stride_w),
    OF(dilation_h), OF(dilation_w), OF(pad_top), OF(pad_left), OF(zero0), OF(zero1), OF(zero_out), OF(low),
    OF(high), OF(data), OF(channels), P(0), P(1), P(2), P(3), P(4), P(5), P(6),
};
#define FIELD_COUNT (uint32_t)(sizeof FIELDS / sizeof *FIELDS)

static const uint32_t EDGES[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 4096,
                                 32767, 32768, 65535, 65536, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000u,
                                 0xFFFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFFCu, 0xFFFF8000u, 0xFFFFFF80u};

static uint8_t *record_of(uint8_t *plan, uint32_t length)
{
    const tk_plan_header *h = (const tk_plan_header *)(const void *)plan;
    const uint32_t last = (length - (uint32_t)sizeof(tk_op)) & ~3u;
    const uint32_t at = h->ops_offset + below(h->op_count) * (uint32_t)sizeof(tk_op);
    return plan + (at <= last ? at : below(last / 4u + 1u) * 4u);
}

/* A value that stands at an edge of something in this plan. */
static uint32_t edge(const uint8_t *plan, const uint8_t *record, uint32_t now)
{
    const tk_plan_header *h = (const tk_plan_header *)(const void *)plan;
    const field *other = FIELDS + below(FIELD_COUNT);
    switch (below(10)) {
    case 0: return now + 1u - 2u * below(2);
    case 1: return now + 4u - 8u * below(2);
    case 2: return below(2) ? now * 2u : now / 2u;
    case 3: return h->arena_bytes - below(20);
    case 4: return h->const_offset + h->const_bytes - below(20);
    case 5: return get(record + other->at, other->bytes);
    case 6: return below(40);
    case 7: return next();
    case 8: return h->const_offset + (below(h->const_bytes) & ~3u);
    default: return EDGES[below(sizeof EDGES / sizeof *EDGES)];
    }
}

/* ---- damage ---- */

static void flip(uint8_t *plan, uint32_t length)
{
    for (uint32_t n = 1 + below(6); n > 0; n--) {
        plan[16 + below(length - 16)] ^= (uint8_t)(1u << below(8));
    }
}

static void change_record(uint8_t *plan, uint32_t length)
{
    for (uint32_t n = 1 + below(3); n > 0; n--) {
        uint8_t *record = record_of(plan, length);
        const field *f = FIELDS + below(FIELD_COUNT);
        put(record + f->at, edge(plan, record, get(record + f->at, f->bytes)), f->bytes);
    }
}

static void change_header(uint8_t *plan)
{
    uint8_t *at = plan + 16 + 4 * below(12);
    put(at, edge(plan, plan + 64, get(at, 4)), 4);
}

static void change_constants(uint8_t *plan, uint32_t length)
{
    const tk_plan_header *h = (const tk_plan_header *)(const void *)plan;
    for (uint32_t n = 1 + below(4); n > 0; n--) {
        uint32_t at = h->const_offset + (below(h->const_bytes) & ~3u);
        if (at > length - 4) {
            at = (length - 4) & ~3u;
        }
        put(plan + at, EDGES[below(sizeof EDGES / sizeof *EDGES)], below(2) ? 4 : 2);
    }
}

/* A record of another plan, or of another place; sometimes with offsets that may be good here. */
static void splice(uint8_t *plan, uint32_t length)
{
    base *from = plans + below(plan_count);
    uint8_t *record = record_of(plan, length), other[sizeof(tk_op)];
    const tk_plan_header *h = (const tk_plan_header *)(const void *)plan;
    memcpy(other, record_of(from->bytes, from->length), sizeof other);
    if (below(2)) {
        put(other + offsetof(tk_op, in0), below(h->arena_bytes), 4);
        put(other + offsetof(tk_op, out), below(h->arena_bytes), 4);
        put(other + offsetof(tk_op, scratch), below(h->arena_bytes) & ~7u, 4);
    }
    if (below(2)) {
        put(other + offsetof(tk_op, data), h->const_offset + (below(h->const_bytes) & ~3u), 4);
        put(other + offsetof(tk_op, channels), h->const_offset + (below(h->const_bytes) & ~3u), 4);
    }
    if (below(3) == 0) { /* shape of the one, meaning of the other */
        memcpy(other + offsetof(tk_op, in_h), record + offsetof(tk_op, in_h), 12);
    }
    memcpy(record, other, sizeof other);
}

static uint32_t few(void) /* mostly small, as sizes are */
{
    return below(3) ? 1 + below(4) : below(8) ? below(24) : next();
}

static void invent_record(uint8_t *plan, uint32_t length)
{
    const tk_plan_header *h = (const tk_plan_header *)(const void *)plan;
    uint8_t *record = record_of(plan, length);
    const int wild = below(8) == 0;
    for (uint32_t i = 0; i < FIELD_COUNT; i++) {
        const field *f = FIELDS + i;
        uint32_t value = wild ? next() : few();
        if (!wild && f->at >= offsetof(tk_op, zero0) && f->at < offsetof(tk_op, data)) {
            value = below(256) - 128u;
        }
        put(record + f->at, value, f->bytes);
    }
    put(record + offsetof(tk_op, kind), 1 + below(TK_KIND_END - 1), 2);
    if (!wild) {
        put(record + offsetof(tk_op, flags), below(2) ? 0 : next() & TK_FLAGS_KNOWN, 2);
        put(record + offsetof(tk_op, in0), below(h->arena_bytes), 4);
        put(record + offsetof(tk_op, in1), below(2) ? below(h->arena_bytes)
                                                    : h->const_offset + (below(h->const_bytes) & ~3u), 4);
        put(record + offsetof(tk_op, out), below(h->arena_bytes), 4);
        put(record + offsetof(tk_op, scratch), below(h->arena_bytes) & ~7u, 4);
        put(record + offsetof(tk_op, scratch_bytes), below(h->arena_bytes), 4);
        put(record + offsetof(tk_op, data), h->const_offset + (below(h->const_bytes) & ~3u), 4);
        put(record + offsetof(tk_op, channels), h->const_offset + (below(h->const_bytes) & ~3u), 4);
        record[offsetof(tk_op, low)] = 0x80;
        record[offsetof(tk_op, high)] = 0x7F;
    }
}

static void move_records(uint8_t *plan, uint32_t length)
{
    uint8_t *a = record_of(plan, length), *b = record_of(plan, length), kept[sizeof(tk_op)];
    memcpy(kept, a, sizeof kept);
    memmove(a, b, sizeof kept);
    if (below(2)) {
        memcpy(b, kept, sizeof kept);
    }
}

/* Damage of one kind or several; returns the length, which may have become less. */
static uint32_t damage(uint8_t *plan, uint32_t length)
{
    for (uint32_t n = 1 + (below(4) == 0); n > 0; n--) {
        switch (below(12)) {
        case 0: flip(plan, length); break;
        case 1: change_header(plan); break;
        case 2: change_constants(plan, length); break;
        case 3:
        case 4: splice(plan, length); break;
        case 5:
        case 6: invent_record(plan, length); break;
        case 7: move_records(plan, length); break;
        default: change_record(plan, length); break;
        }
    }
    if (below(20) == 0) { /* shorter, and it says so */
        length = below(length - 64) / 16u * 16u + 64u;
        put(plan + 8, length, 4);
    }
    return length;
}

/* ---- opening and running ---- */

/* All ops, one by one, as long as that takes no longer than it may. No alarm: it would come in the
 * middle of a sanitizer's report. */
static int run_slowly(tk_engine *engine, const tk_plan *plan)
{
    const clock_t start = clock();
    for (uint32_t i = 0; i < tk_plan_op_count(plan); i++) {
        if (tk_engine_step(engine, i) != TK_OK) {
            abort();
        }
        if (clock() - start > PATIENCE) {
            return 0;
        }
    }
    return 1;
}

static void run(const tk_plan *plan)
{
    tk_engine engine;
    size_t in, out;
    const uint32_t size = tk_plan_arena_bytes(plan);
    if (size > (1u << 22)) {
        left++;
        return;
    }
    uint8_t *arena = malloc(size);
    if (arena == NULL || tk_engine_init(&engine, plan, arena, size) != TK_OK) {
        abort();
    }
    const uint32_t pattern = next();
    for (uint32_t i = 0; i < size; i++) {
        arena[i] = (uint8_t)(pattern * i >> 5);
    }
    int finished = 1;
    for (uint32_t runs = 1 + below(2); runs > 0 && finished; runs--) { /* the second finds what the first left */
        int8_t *input = tk_engine_input(&engine, &in);
        const uint32_t spread = below(2) ? 255u : 3u, low = next();
        for (uint32_t i = 0; i < plan->header->input_bytes; i++) {
            input[i] = (int8_t)(low + (next() & spread));
        }
        finished = run_slowly(&engine, plan);
    }
    ran += finished != 0;
    stopped += finished == 0;
    volatile int8_t last = tk_engine_output(&engine, &out)[plan->header->output_bytes - 1];
    (void)last;
    free(arena);
}

static tk_status try_plan(const uint8_t *bytes, size_t length)
{
    tk_plan plan;
    const tk_status status = tk_plan_open(&plan, bytes, length);
    if (status > 0 || status <= -STATUSES) {
        abort();
    }
    statuses[-status]++;
    if (status == TK_OK) {
        run(&plan);
    }
    return status;
}

static void one(unsigned long number)
{
    begin(number);
    const base *from = plans + below(plan_count);
    uint8_t *work = malloc(from->length);
    memcpy(work, from->bytes, from->length);
    uint32_t length = from->length;
    if (below(50) == 0) { /* nothing of a plan, or its first bytes only, or a cut one that denies it */
        const uint32_t keep = below(3) ? below(length) : 64;
        length = below(2) ? length : keep;
        for (uint32_t i = below(2) ? keep : below(64); i < length; i++) {
            work[i] = (uint8_t)next();
        }
    } else {
        length = damage(work, length);
        if (below(100) != 0) {
            const uint32_t crc = tk_crc32(0, work + 16, length - 16);
            memcpy(work + 12, &crc, 4);
        }
    }
    uint8_t *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, work, length);
    free(work);
    (void)try_plan(exact, length);
    free(exact);
}

static void last_words(void)
{
    fprintf(stderr, "\nexecution %lu of seed %lu\n", execution, seed);
}

static void died(int number)
{
    (void)number;
    last_words();
    _Exit(1);
}

static int load(const char *name)
{
    FILE *file = fopen(name, "rb");
    base *to = plans + plan_count;
    if (file == NULL || plan_count == MOST_PLANS || (to->bytes = malloc(LONGEST)) == NULL) {
        return 0;
    }
    to->length = (uint32_t)fread(to->bytes, 1, LONGEST, file);
    fclose(file);
    plan_count++;
    return to->length >= sizeof(tk_plan_header) + sizeof(tk_op);
}

static int cut(const base *plan)
{
    for (uint32_t n = 0; n < plan->length; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1);
        memcpy(copy, plan->bytes, n);
        if (try_plan(copy, n) == TK_OK) {
            return 1;
        }
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const int cutting = argc > 2 && strcmp(argv[1], "cut") == 0;
    __sanitizer_set_death_callback(last_words);
    signal(SIGABRT, died); /* undefined behaviour (see fuzz.py), and what this file can't believe */
    for (int i = cutting ? 2 : 4; i < argc; i++) {
        if (!load(argv[i])) {
            return 2;
        }
    }
    if (plan_count == 0) {
        return 2;
    }
    if (cutting) {
        if (cut(plans)) {
            return 1;
        }
    } else {
        const unsigned long count = strtoul(argv[1], NULL, 10), first = strtoul(argv[3], NULL, 10);
        seed = strtoul(argv[2], NULL, 10);
        for (unsigned long i = 0; i < count; i++) {
            one(first + i);
        }
    }
    for (int i = 0; i < STATUSES; i++) {
        if (statuses[i] != 0) {
            printf("%s %lu\n", tk_status_name((tk_status)-i), statuses[i]);
        }
    }
    printf("run %lu\nstopped %lu\nleft %lu\n", ran, stopped, left);
    for (uint32_t i = 0; i < plan_count; i++) {
        free(plans[i].bytes);
    }
    return 0;
}
