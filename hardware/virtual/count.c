/* Counting hooks for the emulated core, compiled for the host: a Python callback a block would
 * cost a hundred times as much. Python owns the arrays, hands this struct to unicorn as user data
 * and reads the arrays afterwards (tinykit/engine/cortex.py). */
#include <stdint.h>

typedef struct tkv_counter {
    int (*stop)(void *uc); /* uc_emu_stop */
    uint32_t base;         /* first address counted */
    uint32_t halfwords;    /* length of the arrays */
    uint32_t *runs;        /* [address / 2] how often a block that starts there ran */
    uint32_t *taken;       /* [address / 2] ... and did not go on to the instruction after it */
    uint32_t *bytes;       /* [address / 2] its length */
    uint32_t last;         /* index of the block before this one, or 0xFFFFFFFF */
    uint32_t last_end;     /* first address after it */
    uint64_t executed;     /* instructions, for on_instruction */
    uint64_t budget;       /* stop before instruction number budget + 1 */
} tkv_counter;

void tkv_on_block(void *uc, uint64_t address, uint32_t size, void *user) {
    tkv_counter *c = (tkv_counter *)user;
    uint32_t at = ((uint32_t)address - c->base) >> 1;
    (void)uc;
    if (c->last < c->halfwords && (uint32_t)address != c->last_end)
        c->taken[c->last]++;
    c->last = at;
    c->last_end = (uint32_t)address + size;
    if (at < c->halfwords) {
        c->runs[at]++;
        c->bytes[at] = size;
    }
}

void tkv_on_instruction(void *uc, uint64_t address, uint32_t size, void *user) {
    tkv_counter *c = (tkv_counter *)user;
    (void)address;
    (void)size;
    if (c->executed >= c->budget)
        c->stop(uc);
    else
        c->executed++;
}
