/* Counting hooks for the emulated core, compiled for the host: a Python callback a block would
 * cost a hundred times as much. Python owns the memory, hands this struct to unicorn as user data
 * and may read it at any time (tinykit/engine/cortex.py). */
#include "count.h"

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

/* uc_tlb_entry of unicorn.h. */
typedef struct tkv_page {
    uint64_t physical;
    int32_t permissions; /* 1 read, 2 write, 4 execute */
} tkv_page;

#define XPSR 120             /* UC_ARM_REG_XPSR */
#define IT_BITS 0x0600FC00u  /* of it: which of the next instructions IT skips */
#define FETCH 18             /* UC_MEM_FETCH: the page is wanted for its code */

/* What is in a page, asked when it is used first. RAM is not executable: nothing here runs code there,
 * and then a store is a store, where it would else look for translated code each time.
 *
 * Before it asks, unicorn works out the state of the core at the instruction; the translated code goes on
 * as if it had not, and doesn't clear IT's bits, because it had not set them. What is left of them would
 * make the next block skip instructions. (Not so between two blocks, when code is fetched: an IT that
 * reaches from one into the other has set them rightly.) */
int tkv_on_page(void *uc, uint64_t address, int type, tkv_page *page, void *user) {
    tkv_counter *c = (tkv_counter *)user;
    uint32_t xpsr = 0;
    if (type != FETCH && c->get(uc, XPSR, &xpsr) == 0 && (xpsr & IT_BITS) != 0) {
        xpsr &= ~IT_BITS;
        c->set(uc, XPSR, &xpsr);
    }
    page->physical = address;
    page->permissions = address >= 0x20000000u && address < 0x20040000u ? 3 : 7;
    return 1;
}
