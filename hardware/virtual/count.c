/* Counting hooks for the emulated core, compiled for the host: a Python callback a block would
 * cost a hundred times as much. Python owns the memory, hands this struct to unicorn as user data
 * and may read it at any time (tinykit/engine/cortex.py). */
#include <stdint.h>

/* A basic block, at [address / 2]. */
typedef struct tkv_block {
    uint32_t runs;         /* how often it ran */
    uint32_t taken;        /* ... and did not go on to the instruction after it */
    uint16_t bytes;        /* its length; 0: not decoded yet */
    uint16_t instructions; /* in it, those that IT skips too */
    uint16_t cycles;       /* estimated, with the branch at its end not taken */
    uint16_t extra;        /* further cycles when that branch is taken */
} tkv_block;

typedef struct tkv_counter {
    int (*stop)(void *uc);                          /* uc_emu_stop */
    void (*decode)(uint32_t address, uint32_t size); /* fills in a block's costs (Python) */
    tkv_block *blocks;
    uint32_t halfwords;    /* length of `blocks` */
    uint32_t last;         /* index of the block before this one, or 0xFFFFFFFF */
    uint32_t last_end;     /* first address after it */
    uint32_t reserved;
    uint64_t instructions; /* up to and including the block that runs now */
    uint64_t cycles;       /* estimated, likewise */
    uint64_t stepped;      /* instructions seen by tkv_on_instruction */
    uint64_t budget;       /* it stops the core before instruction number budget + 1 */
    uint64_t alarm;        /* from so many cycles on, it stops the core before the next block */
} tkv_counter;

void tkv_on_block(void *uc, uint64_t address, uint32_t size, void *user) {
    tkv_counter *c = (tkv_counter *)user;
    uint32_t at = (uint32_t)address >> 1;
    if (c->cycles >= c->alarm) { /* this block comes here again when the core goes on */
        c->stop(uc);
        return;
    }
    if (c->last < c->halfwords && (uint32_t)address != c->last_end) {
        c->blocks[c->last].taken++;
        c->cycles += c->blocks[c->last].extra;
    }
    c->last = at;
    c->last_end = (uint32_t)address + size;
    if (at < c->halfwords) {
        tkv_block *block = &c->blocks[at];
        if (block->bytes != size)
            c->decode((uint32_t)address, size);
        block->runs++;
        c->instructions += block->instructions;
        c->cycles += block->cycles;
    }
}

/* Sees no instruction that IT skips. */
void tkv_on_instruction(void *uc, uint64_t address, uint32_t size, void *user) {
    tkv_counter *c = (tkv_counter *)user;
    (void)address;
    (void)size;
    if (c->stepped >= c->budget)
        c->stop(uc);
    else
        c->stepped++;
}
