#include "tk_slots.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_crc.h"

#define MAGIC 0x4C534B54u /* "TKSL" */
#define FORMAT 1u
#define HEADER 64u        /* bytes; the records begin after it */
#define COVERED 48u       /* bytes under the header's CRC, which follows them */
#define BLANK 0xFFFFFFFFu

static const uint8_t *at(const tk_slots *slots, uint32_t address)
{
    /* As a number: on the board flash lies where it says, and NULL + n is no valid C. */
    return (const uint8_t *)((uintptr_t)slots->hal->flash + address);
}

static uint32_t word(const tk_slots *slots, uint32_t address)
{
    return tk_get_u32(at(slots, address));
}

const uint8_t *tk_slots_plan(const tk_slots *slots, uint32_t slot)
{
    return at(slots, slots->hal->slot_address[slot] + TK_FLASH_PAGE);
}

uint32_t tk_slots_capacity(const tk_slots *slots)
{
    return slots->hal->slot_bytes > TK_FLASH_PAGE ? slots->hal->slot_bytes - TK_FLASH_PAGE : 0;
}

static bool exists(const tk_slots *slots, uint32_t slot)
{
    return slot < TK_SLOTS && tk_slots_capacity(slots) > 0;
}

/* ---- flash: every write is read back ---- */

static tk_status flash_erase(const tk_slots *slots, uint32_t address)
{
    if (slots->hal->flash_erase(slots->hal->context, address) != TK_OK) return TK_ERR_FLASH;
    for (uint32_t i = 0; i < TK_FLASH_PAGE; i += 4) {
        if (word(slots, address + i) != BLANK) return TK_ERR_FLASH;
    }
    return TK_OK;
}

static tk_status flash_write(const tk_slots *slots, uint32_t address, const uint32_t *words, size_t count)
{
    if (slots->hal->flash_write(slots->hal->context, address, words, count) != TK_OK) return TK_ERR_FLASH;
    return memcmp(at(slots, address), words, count * 4) == 0 ? TK_OK : TK_ERR_FLASH;
}

/* ---- reading ---- */

/* Highest whole record of a slot; `*free` gets the address of the first place for another, or 0. */
static uint32_t read_records(const tk_slots *slots, uint32_t slot, uint32_t *free)
{
    uint32_t page = slots->hal->slot_address[slot], highest = 0;
    *free = 0;
    /* From the end: a place is free only if all after it are, or a cut one could hide in between. */
    for (uint32_t offset = TK_FLASH_PAGE - 8; offset >= HEADER; offset -= 8) {
        uint32_t sequence = word(slots, page + offset), inverse = word(slots, page + offset + 4);
        if (sequence == BLANK && inverse == BLANK) {
            if (*free == page + offset + 8 || offset == TK_FLASH_PAGE - 8) *free = page + offset;
        } else if (sequence == ~inverse && sequence > highest) {
            highest = sequence;
        }
    }
    return highest;
}

static void read_slot(tk_slots *slots, uint32_t number)
{
    tk_slot *slot = &slots->slot[number];
    uint32_t page = slots->hal->slot_address[number], free, detail;
    char name[TK_NAME_BYTES] = "";
    memset(slot, 0, sizeof *slot);
    if (word(slots, page) == BLANK) return; /* no magic: empty, whatever else is there */
    slot->state = TK_SLOT_DAMAGED;
    if (word(slots, page) != MAGIC || word(slots, page + 4) != FORMAT) return;
    if (tk_crc32(0, at(slots, page), COVERED) != word(slots, page + COVERED)) return;
    slot->length = word(slots, page + 8);
    slot->crc = word(slots, page + 12);
    memcpy(slot->name, at(slots, page + 16), TK_NAME_BYTES - 1);
    slot->activation = read_records(slots, number, &free);
    if (slot->length == 0 || slot->length > tk_slots_capacity(slots)) return;
    const uint8_t *plan = tk_slots_plan(slots, number);
    if (tk_crc32(0, plan, slot->length) != slot->crc) return;
    if (slots->validate(slots->context, plan, slot->length, name, &detail) != TK_OK) return;
    slot->state = TK_SLOT_GOOD;
}

static void find_active(tk_slots *slots)
{
    uint32_t highest = 0;
    slots->active = TK_NO_SLOT;
    for (uint32_t i = 0; i < TK_SLOTS; i++) {
        const tk_slot *slot = &slots->slot[i];
        if (slot->state == TK_SLOT_GOOD && slot->activation > highest) {
            highest = slot->activation;
            slots->active = (uint8_t)i;
        }
    }
}

void tk_slots_init(tk_slots *slots, const tk_hal *hal, tk_slots_validate validate, void *context)
{
    memset(slots, 0, sizeof *slots);
    slots->hal = hal;
    slots->validate = validate;
    slots->context = context;
    slots->target = TK_NO_SLOT;
    for (uint32_t i = 0; i < TK_SLOTS && exists(slots, i); i++) read_slot(slots, i);
    find_active(slots);
}

/* ---- writing ---- */

tk_status tk_slots_begin(tk_slots *slots, uint8_t *slot, uint32_t length, uint32_t crc, uint32_t *detail)
{
    if (*slot == TK_NO_SLOT) *slot = slots->active == 0 ? 1 : 0;
    if (!exists(slots, *slot)) return TK_ERR_SLOT;
    if (*slot == slots->active) return TK_ERR_SLOT_ACTIVE;
    if (length == 0) return TK_ERR_LENGTH;
    if (length > tk_slots_capacity(slots)) {
        *detail = tk_slots_capacity(slots);
        return TK_ERR_TOO_LARGE;
    }
    slots->target = TK_NO_SLOT;
    memset(&slots->slot[*slot], 0, sizeof slots->slot[*slot]);
    tk_status status = flash_erase(slots, slots->hal->slot_address[*slot]);
    if (status != TK_OK) return status;
    slots->target = *slot;
    slots->complete = false;
    slots->length = length;
    slots->crc = crc;
    slots->next = 0;
    slots->erased = 0;
    return TK_OK;
}

/* Write what may not be whole words, through a buffer of words; the rest of the last one stays ones. */
static tk_status write_bytes(tk_slots *slots, uint32_t address, const uint8_t *bytes, size_t length)
{
    uint32_t words[32];
    while (length > 0) {
        size_t part = length < sizeof words ? length : sizeof words;
        words[(part - 1) / 4] = BLANK;
        memcpy(words, bytes, part);
        tk_status status = flash_write(slots, address, words, (part + 3) / 4);
        if (status != TK_OK) return status;
        address += (uint32_t)part;
        bytes += part;
        length -= part;
    }
    return TK_OK;
}

tk_status tk_slots_write(tk_slots *slots, uint32_t offset, const uint8_t *bytes, size_t length,
                         uint32_t *detail)
{
    *detail = slots->next;
    if (slots->target == TK_NO_SLOT) return TK_ERR_NO_UPLOAD;
    uint32_t start = slots->hal->slot_address[slots->target] + TK_FLASH_PAGE;
    if (length == 0 || length > slots->length || offset > slots->length - length) return TK_ERR_LENGTH;
    if (offset + length <= slots->next) { /* a repeat: its answer was lost */
        return memcmp(at(slots, start + offset), bytes, length) == 0 ? TK_OK : TK_ERR_OFFSET;
    }
    if (offset != slots->next || slots->complete) return TK_ERR_OFFSET;
    if (length % 4 != 0 && offset + length != slots->length) return TK_ERR_LENGTH;
    /* Each page is erased when the first byte for it comes: an erase halts the board for 90 ms, and
     * all of them at once would be seconds without an answer. */
    while (slots->erased < offset + length) {
        tk_status status = flash_erase(slots, start + slots->erased);
        if (status != TK_OK) return status;
        slots->erased += TK_FLASH_PAGE;
    }
    tk_status status = write_bytes(slots, start + offset, bytes, length);
    if (status != TK_OK) {
        slots->target = TK_NO_SLOT; /* the words can't be written twice: begin again */
        return status;
    }
    slots->next = offset + (uint32_t)length;
    *detail = slots->next;
    return TK_OK;
}

static tk_status write_header(tk_slots *slots, uint32_t slot, const char *name)
{
    uint8_t bytes[COVERED + 4];
    uint32_t words[(COVERED + 4) / 4], page = slots->hal->slot_address[slot];
    memset(bytes, 0, sizeof bytes);
    tk_put_u32(bytes, MAGIC);
    tk_put_u32(bytes + 4, FORMAT);
    tk_put_u32(bytes + 8, slots->length);
    tk_put_u32(bytes + 12, slots->crc);
    memcpy(bytes + 16, name, strlen(name));
    tk_put_u32(bytes + COVERED, tk_crc32(0, bytes, COVERED));
    memcpy(words, bytes, sizeof bytes);
    tk_status status = flash_write(slots, page + 4, words + 1, COVERED / 4);
    return status != TK_OK ? status : flash_write(slots, page, words, 1);
}

tk_status tk_slots_activate(tk_slots *slots, uint32_t slot)
{
    uint32_t free, record[2];
    if (!exists(slots, slot)) return TK_ERR_SLOT;
    if (slots->slot[slot].state == TK_SLOT_EMPTY) return TK_ERR_SLOT_EMPTY;
    if (slots->slot[slot].state != TK_SLOT_GOOD) return TK_ERR_SLOT_DAMAGED;
    if (slots->active == slot) return TK_OK;
    /* Higher than every record there is, even in a slot that is damaged now. */
    record[0] = 0;
    for (uint32_t i = 0; i < TK_SLOTS; i++) {
        uint32_t highest = read_records(slots, i, &free);
        if (highest > record[0]) record[0] = highest;
    }
    record[0]++;
    record[1] = ~record[0];
    read_records(slots, slot, &free);
    if (free == 0 || record[0] == 0 || record[0] == BLANK) return TK_ERR_FLASH;
    tk_status status = flash_write(slots, free, record, 2);
    if (status != TK_OK) return status;
    slots->slot[slot].activation = record[0];
    find_active(slots);
    return TK_OK;
}

tk_status tk_slots_end(tk_slots *slots, uint32_t *detail)
{
    char name[TK_NAME_BYTES] = "";
    uint8_t slot = slots->target;
    if (slot == TK_NO_SLOT) return TK_ERR_NO_UPLOAD;
    if (slots->complete) return TK_OK;
    if (slots->next != slots->length) {
        *detail = slots->next;
        return TK_ERR_OFFSET;
    }
    const uint8_t *plan = tk_slots_plan(slots, slot);
    tk_status status = tk_crc32(0, plan, slots->length) == slots->crc ? TK_OK : TK_ERR_CRC;
    if (status == TK_OK) status = slots->validate(slots->context, plan, slots->length, name, detail);
    name[TK_NAME_BYTES - 1] = 0;
    if (status == TK_OK) status = write_header(slots, slot, name);
    if (status == TK_OK) {
        read_slot(slots, slot);
        status = tk_slots_activate(slots, slot);
    }
    slots->complete = status == TK_OK;
    if (status != TK_OK) slots->target = TK_NO_SLOT;
    return status;
}

tk_status tk_slots_erase(tk_slots *slots, uint32_t slot)
{
    if (!exists(slots, slot)) return TK_ERR_SLOT;
    if (slots->target == slot) slots->target = TK_NO_SLOT;
    tk_status status = flash_erase(slots, slots->hal->slot_address[slot]);
    read_slot(slots, slot);
    find_active(slots);
    return status;
}
