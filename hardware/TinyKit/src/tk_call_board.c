#include "tk_call.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_kernels.h"
#include "tk_protocol.h"
#include "tk_text.h"

tk_status tk_call_hello(tk_call *c)
{
    if (c->length != 2) return TK_ERR_LENGTH;
    c->detail = TK_PROTOCOL_VERSION;
    if (tk_get_u16(c->in) != TK_PROTOCOL_VERSION) return TK_ERR_VERSION;
    tk_put_u16(c->out, TK_PROTOCOL_VERSION);
    tk_put_u32(c->out + 2, (uint32_t)(tk_device_micros(c->device) / 1000));
    c->size = 6;
    return TK_OK;
}

tk_status tk_call_time(tk_call *c)
{
    uint64_t now = tk_device_micros(c->device);
    if (c->length != 0) return TK_ERR_LENGTH;
    tk_put_u32(c->out, (uint32_t)now);
    tk_put_u32(c->out + 4, (uint32_t)(now >> 32));
    c->size = 8;
    return TK_OK;
}

tk_status tk_call_echo(tk_call *c)
{
    memcpy(c->out, c->in, c->length);
    c->size = c->length;
    return TK_OK;
}

static void put_key(tk_text *text, const char *key, uint32_t value)
{
    tk_text_put(text, key);
    tk_text_number(text, value);
}

static void put_sensors(tk_text *text, const tk_hal *hal, const tk_environment *environment)
{
    const char *separator = "";
    tk_text_put(text, "\nsensors=");
    if (hal->imu_read != NULL) {
        tk_text_put(text, "imu:");
        tk_text_put(text, hal->imu_name);
        tk_text_put(text, ":");
        tk_text_decimal(text, (int32_t)((hal->imu_rate_mhz + 50) / 100), 1);
        tk_text_put(text, ":aX,aY,aZ,gX,gY,gZ:" TK_TEXT_DIGITS(TK_COUNTS_PER_G) ":" TK_TEXT_DIGITS(TK_COUNTS_PER_DPS));
        separator = ";";
    }
    if (hal->mic_read != NULL) {
        tk_text_put(text, separator);
        tk_text_put(text, "mic:");
        tk_text_put(text, hal->mic_name);
        tk_text_put(text, ":");
        tk_text_decimal(text, (int32_t)((hal->mic_rate_mhz + 50) / 100), 1);
        tk_text_put(text, ":audio:" TK_TEXT_DIGITS(TK_COUNTS_PER_SOUND));
        separator = ";";
    }
    if (environment->channels > 0) {
        tk_text_put(text, separator);
        tk_text_put(text, "environment:");
        tk_environment_info(environment, text);
    }
}

static const char *mic_state(const tk_mic *mic)
{
    switch (mic->state) {
    case TK_MIC_OFF: return "\nmic=off";
    case TK_MIC_SETTLING: return "\nmic=settling";
    case TK_MIC_ON: break;
    }
    return "\nmic=on";
}

/* Kinds of op that this build can run, as numbers and ranges of numbers: "1-12,23". */
static void put_kinds(tk_text *text)
{
    const char *separator = "\nkinds=";
    uint32_t kind = 1;
    while (kind < TK_KIND_END) {
        uint32_t first = kind;
        while (kind < TK_KIND_END && tk_kinds[kind].run != NULL) kind++;
        if (kind > first) {
            put_key(text, separator, first);
            if (kind - 1 > first) put_key(text, "-", kind - 1);
            separator = ",";
        }
        kind++;
    }
}

tk_status tk_call_info(tk_call *c)
{
    const tk_device *device = c->device;
    const tk_hal *hal = device->hal;
    tk_text text = {c->out, 0, TK_FRAME_PAYLOAD};
    if (c->length != 0) return TK_ERR_LENGTH;
    tk_text_put(&text, "firmware=" TK_FIRMWARE_VERSION);
    put_key(&text, "\nprotocol=", TK_PROTOCOL_VERSION);
    tk_text_put(&text, "\nboard=");
    tk_text_put(&text, hal->board);
    put_key(&text, "\nvirtual=", hal->is_virtual ? 1 : 0);
    tk_text_put(&text, "\nid=");
    tk_text_put(&text, hal->id);
    put_sensors(&text, hal, &device->environment);
    put_key(&text, "\nflash=", hal->code_bytes);
    put_key(&text, "\nram=", hal->static_bytes);
    put_key(&text, "\nfree_ram=", hal->free_ram != NULL ? hal->free_ram(hal->context) : 0);
    put_key(&text, "\narena=", device->arena_bytes);
    put_key(&text, "\nslot_bytes=", tk_slots_capacity(&device->slots));
    put_key(&text, "\nplan_format=", TK_PLAN_FORMAT);
    put_kinds(&text);
    if (device->slots.active == TK_NO_SLOT) {
        tk_text_put(&text, "\nactive=none");
    } else {
        put_key(&text, "\nactive=", device->slots.active);
    }
    put_key(&text, "\nlive=", device->live.on ? 1 : 0);
    tk_text_put(&text, mic_state(&device->mic));
    put_key(&text, "\nframes_damaged=", device->link.decoder.damaged);
    tk_text_put(&text, "\n");
    c->size = (uint32_t)text.length;
    return TK_OK;
}
