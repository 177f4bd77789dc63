#include "tk_device.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"

#define IMU_DEAD_US 1000000u /* silence after which the IMU counts as dead */

uint64_t tk_device_micros(tk_device *device)
{
    uint32_t now = device->hal->micros(device->hal->context);
    if (now < device->micros_low) device->micros_high++;
    device->micros_low = now;
    return ((uint64_t)device->micros_high << 32) | now;
}

void tk_device_init(tk_device *device, const tk_hal *hal, void *arena, size_t arena_bytes)
{
    memset(device, 0, sizeof *device);
    device->hal = hal;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = (uint32_t)arena_bytes;
    tk_link_init(&device->link, hal);
    tk_history_init(&device->history);
    device->imu_seen_us = hal->micros(hal->context);
}

/* ---- sensors ---- */

static void send_fault(tk_device *device, tk_status status, const char *text)
{
    uint8_t *out = tk_link_payload(&device->link);
    size_t length = strlen(text);
    tk_put_u16(out, (uint16_t)status);
    memcpy(out + 2, text, length);
    tk_link_event(&device->link, TK_EVENT_FAULT, 2 + length);
}

static void send_log(tk_device *device, const char *text)
{
    size_t length = strlen(text);
    memcpy(tk_link_payload(&device->link), text, length);
    tk_link_event(&device->link, TK_EVENT_LOG, length);
}

static void take_samples(tk_device *device)
{
    const tk_hal *hal = device->hal;
    tk_sample sample;
    bool any = false;
    if (hal->imu_read == NULL) return;
    while (hal->imu_read(hal->context, &sample) > 0) {
        tk_history_push(&device->history, &sample);
        any = true;
    }
    uint32_t now = hal->micros(hal->context);
    if (any) {
        device->imu_seen_us = now;
        if (device->imu_dead && !device->text) send_log(device, "the IMU is back");
        device->imu_dead = false;
    } else if (!device->imu_dead && now - device->imu_seen_us > IMU_DEAD_US) {
        device->imu_dead = true;
        if (!device->text) send_fault(device, TK_ERR_SENSOR_DEAD, "the IMU gives no samples");
    }
}

/* ---- requests ---- */

typedef struct answer {
    uint8_t *out;    /* payload of the reply */
    size_t length;   /* its size */
    uint32_t detail; /* for an error */
} answer;

static size_t put_text(uint8_t *out, size_t at, size_t capacity, const char *text)
{
    while (*text != 0 && at < capacity) out[at++] = (uint8_t)*text++;
    return at;
}

static size_t put_number(uint8_t *out, size_t at, size_t capacity, uint32_t value)
{
    char digits[11];
    char *digit = digits + 10;
    *digit = 0;
    do {
        *--digit = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    return put_text(out, at, capacity, digit);
}

static tk_status info(tk_device *device, answer *a)
{
    const tk_hal *hal = device->hal;
    size_t at = 0;
#define PUT(text) at = put_text(a->out, at, TK_FRAME_PAYLOAD, text)
#define NUM(value) at = put_number(a->out, at, TK_FRAME_PAYLOAD, value)
    PUT("firmware=" TK_FIRMWARE_VERSION "\nprotocol=");
    NUM(TK_PROTOCOL_VERSION);
    PUT("\nboard=");
    PUT(hal->board);
    PUT("\nvirtual=");
    NUM(hal->is_virtual ? 1 : 0);
    PUT("\nid=");
    PUT(hal->id);
    PUT("\nsensors=");
    if (hal->imu_read != NULL) {
        uint32_t tenths = (hal->imu_rate_mhz + 50) / 100;
        PUT("imu:");
        PUT(hal->imu_name);
        PUT(":");
        NUM(tenths / 10);
        PUT(".");
        NUM(tenths % 10);
        PUT(":aX,aY,aZ,gX,gY,gZ:8192:16.384");
    }
    PUT("\nfree_ram=");
    NUM(hal->free_ram != NULL ? hal->free_ram(hal->context) : 0);
    PUT("\narena=");
    NUM(device->arena_bytes);
    PUT("\nslot_bytes=");
    NUM(hal->slot_bytes);
    PUT("\nactive=");
    PUT("none");
    PUT("\n");
#undef PUT
#undef NUM
    a->length = at;
    return TK_OK;
}

static tk_status stream_start(tk_device *device, const tk_frame *request, answer *a)
{
    if (request->length != 8) return TK_ERR_LENGTH;
    const uint8_t *in = request->payload;
    uint32_t rate = tk_get_u32(in + 4);
    if (in[0] != TK_SENSOR_IMU || device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    a->detail = device->hal->imu_rate_mhz;
    if (rate != 0 && rate != device->hal->imu_rate_mhz) return TK_ERR_RATE;
    if (in[1] < 1 || in[1] > TK_STREAM_SAMPLES) {
        a->detail = TK_STREAM_SAMPLES;
        return TK_ERR_ARGUMENT;
    }
    tk_stream_start(&device->stream, &device->history, in[1]);
    tk_put_u32(a->out, device->hal->imu_rate_mhz);
    a->length = 4;
    return TK_OK;
}

static tk_status stream_stop(tk_device *device, const tk_frame *request, answer *a)
{
    if (request->length != 1) return TK_ERR_LENGTH;
    if (request->payload[0] != TK_SENSOR_IMU || device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    device->stream.on = false;
    tk_put_u32(a->out, device->stream.sent);
    tk_put_u32(a->out + 4, device->stream.overruns);
    a->length = 8;
    return TK_OK;
}

static tk_status dispatch(tk_device *device, const tk_frame *request, answer *a)
{
    uint64_t now = tk_device_micros(device);
    switch (request->type) {
    case TK_HELLO:
        if (request->length != 2) return TK_ERR_LENGTH;
        a->detail = TK_PROTOCOL_VERSION;
        if (tk_get_u16(request->payload) != TK_PROTOCOL_VERSION) return TK_ERR_VERSION;
        tk_put_u16(a->out, TK_PROTOCOL_VERSION);
        tk_put_u32(a->out + 2, (uint32_t)(now / 1000));
        a->length = 6;
        return TK_OK;
    case TK_INFO: return info(device, a);
    case TK_ECHO:
        memcpy(a->out, request->payload, request->length);
        a->length = request->length;
        return TK_OK;
    case TK_STREAM_START: return stream_start(device, request, a);
    case TK_STREAM_STOP: return stream_stop(device, request, a);
    case TK_TEXT:
        if (request->length != 1) return TK_ERR_LENGTH;
        if (request->payload[0] != 1) return TK_ERR_ARGUMENT;
        if (device->hal->imu_read == NULL) return TK_ERR_SENSOR;
        tk_stream_start(&device->stream, &device->history, 1);
        device->text = true;
        return TK_OK;
    case TK_TIME:
        tk_put_u32(a->out, (uint32_t)now);
        tk_put_u32(a->out + 4, (uint32_t)(now >> 32));
        a->length = 8;
        return TK_OK;
    default: return TK_ERR_REQUEST;
    }
}

static void answer_request(tk_device *device, const tk_frame *request)
{
    answer a = {tk_link_payload(&device->link), 0, 0};
    tk_status status = dispatch(device, request, &a);
    if (status == TK_OK) {
        tk_link_reply(&device->link, request->type | TK_REPLY, request->seq, a.length);
        return;
    }
    const char *name = tk_status_name(status);
    tk_put_u16(a.out, (uint16_t)status);
    a.out[2] = request->type;
    a.out[3] = 0;
    tk_put_u32(a.out + 4, a.detail);
    memcpy(a.out + 8, name, strlen(name));
    tk_link_reply(&device->link, TK_REPLY_ERROR, request->seq, 8 + strlen(name));
}

static void take_bytes(tk_device *device)
{
    tk_frame request;
    /* A byte is looked at only when there is room for the longest reply, so that none is ever lost;
     * a host that sends and does not read has to wait. */
    while (tk_link_room(&device->link) >= TK_FRAME_WIRE) {
        if (device->in_at == device->in_count) {
            device->in_at = 0;
            device->in_count = (uint8_t)device->hal->serial_read(device->hal->context, device->in, sizeof device->in);
            if (device->in_count == 0) return;
        }
        uint8_t byte = device->in[device->in_at++];
        if (device->text) {
            if (byte != 0) continue;
            device->text = false;
            device->stream.on = false;
        }
        if (tk_decoder_push(&device->link.decoder, byte, &request)) answer_request(device, &request);
    }
}

void tk_device_poll(tk_device *device)
{
    tk_device_micros(device);
    take_samples(device);
    take_bytes(device);
    if (device->text) {
        tk_stream_pump_text(&device->stream, &device->history, &device->link);
    } else {
        tk_stream_pump(&device->stream, &device->history, &device->link);
    }
    tk_link_flush(&device->link);
}
