/* What the emulated core's hooks count, shared by count.c and bus.c. Compiled for the host. */
#ifndef TKV_COUNT_H
#define TKV_COUNT_H

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
    int (*get)(void *uc, int register_, void *value);       /* uc_reg_read */
    int (*set)(void *uc, int register_, const void *value); /* uc_reg_write */
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

#endif
