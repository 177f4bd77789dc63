#include "tk_call.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"

tk_status tk_call_slots_list(tk_call *c)
{
    const tk_slots *slots = &c->device->slots;
    if (c->length != 0) return TK_ERR_LENGTH;
    for (uint32_t i = 0; i < TK_SLOTS; i++) {
        const tk_slot *slot = &slots->slot[i];
        uint8_t *out = c->out + c->size;
        out[0] = slot->state;
        out[1] = slots->active == i ? 1 : 0;
        tk_put_u16(out + 2, 0);
        tk_put_u32(out + 4, slot->activation);
        tk_put_u32(out + 8, slot->length);
        tk_put_u32(out + 12, slot->crc);
        memcpy(out + 16, slot->name, TK_NAME_BYTES);
        c->size += 16 + TK_NAME_BYTES;
    }
    return TK_OK;
}

tk_status tk_call_upload_begin(tk_call *c)
{
    if (c->length != 12) return TK_ERR_LENGTH;
    uint8_t slot = c->in[0];
    uint32_t length = tk_get_u32(c->in + 4), crc = tk_get_u32(c->in + 8);
    tk_status status = tk_slots_begin(&c->device->slots, &slot, length, crc, &c->detail);
    if (status != TK_OK) return status;
    c->out[0] = slot;
    c->out[1] = 0;
    tk_put_u16(c->out + 2, TK_UPLOAD_CHUNK);
    c->size = 4;
    return TK_OK;
}

tk_status tk_call_upload_data(tk_call *c)
{
    if (c->length < 5) return TK_ERR_LENGTH;
    uint32_t offset = tk_get_u32(c->in);
    tk_status status = tk_slots_write(&c->device->slots, offset, c->in + 4, c->length - 4, &c->detail);
    if (status != TK_OK) return status;
    tk_put_u32(c->out, c->detail);
    c->size = 4;
    return TK_OK;
}

tk_status tk_call_upload_end(tk_call *c)
{
    tk_slots *slots = &c->device->slots;
    if (c->length != 0) return TK_ERR_LENGTH;
    bool before = slots->complete;
    tk_status status = tk_slots_end(slots, &c->detail);
    if (status != TK_OK) return status;
    if (!before) tk_device_use_active(c->device);
    memset(c->out, 0, 4);
    c->out[0] = slots->target;
    tk_put_u32(c->out + 4, slots->crc);
    c->size = 8;
    return TK_OK;
}

tk_status tk_call_rollback(tk_call *c)
{
    tk_slots *slots = &c->device->slots;
    if (c->length != 0) return TK_ERR_LENGTH;
    if (slots->active == TK_NO_SLOT) return TK_ERR_NO_PLAN;
    tk_status status = tk_slots_activate(slots, 1u - slots->active);
    if (status != TK_OK) return status;
    tk_device_use_active(c->device);
    c->out[0] = slots->active;
    c->size = 1;
    return TK_OK;
}

tk_status tk_call_erase(tk_call *c)
{
    tk_slots *slots = &c->device->slots;
    if (c->length != 1) return TK_ERR_LENGTH;
    uint8_t before = slots->active;
    tk_status status = tk_slots_erase(slots, c->in[0]);
    if (slots->active != before) tk_device_use_active(c->device);
    if (status != TK_OK) return status;
    c->out[0] = c->in[0];
    c->size = 1;
    return TK_OK;
}

tk_status tk_call_section_read(tk_call *c)
{
    size_t bytes;
    if (c->length != 6) return TK_ERR_LENGTH;
    if (!c->device->has_plan) return TK_ERR_NO_PLAN;
    if (!c->device->has_pipeline) return TK_ERR_NO_PIPELINE;
    const uint8_t *section = (const uint8_t *)tk_plan_section(&c->device->plan, &bytes);
    uint32_t offset = tk_get_u32(c->in), n = tk_get_u16(c->in + 4);
    c->detail = (uint32_t)bytes;
    if (offset > bytes || n > TK_FRAME_PAYLOAD) return TK_ERR_BOUNDS;
    c->size = n < bytes - offset ? n : (uint32_t)bytes - offset;
    memcpy(c->out, section + offset, c->size);
    return TK_OK;
}
