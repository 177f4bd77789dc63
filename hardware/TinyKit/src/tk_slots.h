/* tk_slots: two places in flash for a plan, and which of them is in use.
 *
 * A cut of power at any instruction leaves the board with the old plan or the new one, whole.
 * Flash can only clear bits; a page is set to ones by erasing it. A slot is
 *
 *   first page: header (64 bytes), then activation records of 8 bytes
 *     header: u32 magic "TKSL", u32 format, u32 length, u32 crc32 of the plan, char name[32],
 *             u32 crc32 of the 48 bytes before it, 12 bytes of ones
 *     record: u32 sequence, u32 ~sequence
 *   other pages: the plan
 *
 * A deploy erases the first page (the slot is empty from now on), then erases and writes the plan's
 * pages as they come, reads all back and checks it, then writes the header, the magic last. A record
 * makes the slot the active one: the whole slot with the highest whole record is. Going back appends
 * a record to the other slot. A record that was cut is not whole, as its words don't match, and its
 * place is left alone. The records of a slot last for 504 activations between two deploys into it; the
 * next one is refused (TK_ERR_FLASH) rather than to erase a page that is in use.
 */
#ifndef TK_SLOTS_H
#define TK_SLOTS_H

#include "tk_hal.h"
#include "tk_pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_NO_SLOT 0xFFu

typedef enum tk_slot_state { TK_SLOT_EMPTY = 0, TK_SLOT_GOOD = 1, TK_SLOT_DAMAGED = 2 } tk_slot_state;

typedef struct tk_slot {
    uint8_t state;           /* tk_slot_state */
    uint32_t activation;     /* highest whole record, 0: never activated */
    uint32_t length;         /* of the plan, bytes; 0 when empty */
    uint32_t crc;            /* of the plan */
    char name[TK_NAME_BYTES];
} tk_slot;

/* Looks inside a plan whose CRC is right: would this device run it? TK_OK, or why not. A name of at
 * most TK_NAME_BYTES, with its zero, goes to `name`. `detail` is for the host. */
typedef tk_status (*tk_slots_validate)(void *context, const uint8_t *plan, uint32_t length, char *name,
                                       uint32_t *detail);

typedef struct tk_slots {
    const tk_hal *hal;
    tk_slots_validate validate;
    void *context;
    tk_slot slot[TK_SLOTS];
    uint8_t active;          /* number of the active slot, or TK_NO_SLOT */
    /* The upload under way, or the last one that ended well. */
    uint8_t target;          /* TK_NO_SLOT: none */
    bool complete;
    uint32_t length, crc;    /* as announced */
    uint32_t next;           /* bytes written so far */
    uint32_t erased;         /* bytes of the plan area that were erased so far */
} tk_slots;

/* Read both slots and find the active one. */
void tk_slots_init(tk_slots *slots, const tk_hal *hal, tk_slots_validate validate, void *context);

/* Where a slot's plan can be read. */
const uint8_t *tk_slots_plan(const tk_slots *slots, uint32_t slot);

/* Most bytes that a plan may have. */
uint32_t tk_slots_capacity(const tk_slots *slots);

/* Begin an upload of `length` bytes into `*slot`, or if that is TK_NO_SLOT into the one that is not
 * active; `*slot` gets its number. An upload under way is given up. TK_ERR_SLOT, TK_ERR_SLOT_ACTIVE,
 * TK_ERR_LENGTH (of 0), TK_ERR_TOO_LARGE (detail: the most), TK_ERR_FLASH. */
tk_status tk_slots_begin(tk_slots *slots, uint8_t *slot, uint32_t length, uint32_t crc, uint32_t *detail);

/* Write bytes at `offset`, which must be where the ones before ended; a multiple of 4 bytes, except
 * at the end. The same bytes again are fine. `*detail` gets the next offset. TK_ERR_NO_UPLOAD,
 * TK_ERR_OFFSET, TK_ERR_LENGTH, TK_ERR_FLASH (what was written does not read back). */
tk_status tk_slots_write(tk_slots *slots, uint32_t offset, const uint8_t *bytes, size_t length,
                         uint32_t *detail);

/* End an upload: check everything, write the header, activate. On success `slots->active` is the new
 * slot; asked again, success again. TK_ERR_NO_UPLOAD, TK_ERR_OFFSET (bytes are missing), TK_ERR_CRC,
 * TK_ERR_FLASH, or what `validate` said. On error the active slot is what it was. */
tk_status tk_slots_end(tk_slots *slots, uint32_t *detail);

/* Make a whole slot the active one. Nothing is written if it is already. TK_ERR_SLOT,
 * TK_ERR_SLOT_EMPTY, TK_ERR_SLOT_DAMAGED, TK_ERR_FLASH. */
tk_status tk_slots_activate(tk_slots *slots, uint32_t slot);

/* Forget a slot's plan. If it was active, the other one is now, if it is whole and was ever activated. */
tk_status tk_slots_erase(tk_slots *slots, uint32_t slot);

#ifdef __cplusplus
}
#endif
#endif
