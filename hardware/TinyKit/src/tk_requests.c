#include "tk_requests.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"

/* A number as the header spells it. */
#define SPELLED(number) #number
#define DIGITS(number) SPELLED(number)

/* A request being answered. */
typedef struct call {
    tk_device *device;
    const uint8_t *in; /* its payload */
    uint32_t length;
    uint8_t *out;      /* payload of the reply; events may be built there until a reply is */
    uint32_t size;     /* of the reply */
    uint32_t detail;   /* for an error */
} call;

/* ---- board ---- */

static tk_status hello(call *c)
{
    if (c->length != 2) return TK_ERR_LENGTH;
    c->detail = TK_PROTOCOL_VERSION;
    if (tk_get_u16(c->in) != TK_PROTOCOL_VERSION) return TK_ERR_VERSION;
    tk_put_u16(c->out, TK_PROTOCOL_VERSION);
    tk_put_u32(c->out + 2, (uint32_t)(tk_device_micros(c->device) / 1000));
    c->size = 6;
    return TK_OK;
}

static tk_status time_now(call *c)
{
    uint64_t now = tk_device_micros(c->device);
    if (c->length != 0) return TK_ERR_LENGTH;
    tk_put_u32(c->out, (uint32_t)now);
    tk_put_u32(c->out + 4, (uint32_t)(now >> 32));
    c->size = 8;
    return TK_OK;
}

static tk_status echo(call *c)
{
    memcpy(c->out, c->in, c->length);
    c->size = c->length;
    return TK_OK;
}

static void put_text(call *c, const char *text)
{
    while (*text != 0 && c->size < TK_FRAME_PAYLOAD) c->out[c->size++] = (uint8_t)*text++;
}

static void put_number(call *c, const char *key, uint32_t value)
{
    char digits[11];
    char *digit = digits + 10;
    *digit = 0;
    do {
        *--digit = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    put_text(c, key);
    put_text(c, digit);
}

static tk_status info(call *c)
{
    const tk_device *device = c->device;
    const tk_hal *hal = device->hal;
    if (c->length != 0) return TK_ERR_LENGTH;
    put_text(c, "firmware=" TK_FIRMWARE_VERSION);
    put_number(c, "\nprotocol=", TK_PROTOCOL_VERSION);
    put_text(c, "\nboard=");
    put_text(c, hal->board);
    put_number(c, "\nvirtual=", hal->is_virtual ? 1 : 0);
    put_text(c, "\nid=");
    put_text(c, hal->id);
    put_text(c, "\nsensors=");
    if (hal->imu_read != NULL) {
        uint32_t tenths = (hal->imu_rate_mhz + 50) / 100;
        put_text(c, "imu:");
        put_text(c, hal->imu_name);
        put_number(c, ":", tenths / 10);
        put_number(c, ".", tenths % 10);
        put_text(c, ":aX,aY,aZ,gX,gY,gZ:" DIGITS(TK_COUNTS_PER_G) ":" DIGITS(TK_COUNTS_PER_DPS));
    }
    put_number(c, "\nfree_ram=", hal->free_ram != NULL ? hal->free_ram(hal->context) : 0);
    put_number(c, "\narena=", device->arena_bytes);
    put_number(c, "\nslot_bytes=", tk_slots_capacity(&device->slots));
    if (device->slots.active == TK_NO_SLOT) {
        put_text(c, "\nactive=none");
    } else {
        put_number(c, "\nactive=", device->slots.active);
    }
    put_number(c, "\nlive=", device->live.on ? 1 : 0);
    put_number(c, "\nframes_damaged=", device->link.decoder.damaged);
    put_text(c, "\n");
    return TK_OK;
}

/* ---- sensor ---- */

static tk_status stream_start(call *c)
{
    tk_device *device = c->device;
    if (c->length != 8) return TK_ERR_LENGTH;
    if (c->in[0] != TK_SENSOR_IMU || device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    uint32_t rate = tk_get_u32(c->in + 4);
    c->detail = device->hal->imu_rate_mhz;
    if (rate != 0 && rate != device->hal->imu_rate_mhz) return TK_ERR_RATE;
    c->detail = TK_STREAM_SAMPLES;
    if (c->in[1] < 1 || c->in[1] > TK_STREAM_SAMPLES) return TK_ERR_ARGUMENT;
    tk_stream_start(&device->stream, &device->history, c->in[1]);
    tk_put_u32(c->out, device->hal->imu_rate_mhz);
    c->size = 4;
    return TK_OK;
}

static tk_status stream_stop(call *c)
{
    tk_stream *stream = &c->device->stream;
    if (c->length != 1) return TK_ERR_LENGTH;
    if (c->in[0] != TK_SENSOR_IMU || c->device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    stream->on = false;
    tk_put_u32(c->out, stream->sent);
    tk_put_u32(c->out + 4, stream->overruns);
    c->size = 8;
    return TK_OK;
}

static tk_status text(call *c)
{
    if (c->length != 1) return TK_ERR_LENGTH;
    if (c->in[0] != 1) return TK_ERR_ARGUMENT;
    if (c->device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    tk_device_start_text(c->device);
    return TK_OK;
}

/* ---- slots ---- */

static tk_status slots_list(call *c)
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

static tk_status upload_begin(call *c)
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

static tk_status upload_data(call *c)
{
    if (c->length < 5) return TK_ERR_LENGTH;
    uint32_t offset = tk_get_u32(c->in);
    tk_status status = tk_slots_write(&c->device->slots, offset, c->in + 4, c->length - 4, &c->detail);
    if (status != TK_OK) return status;
    tk_put_u32(c->out, c->detail);
    c->size = 4;
    return TK_OK;
}

static tk_status upload_end(call *c)
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

static tk_status rollback(call *c)
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

static tk_status erase(call *c)
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

static tk_status section_read(call *c)
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

/* ---- network ---- */

/* Live predictions use the same memory, so the host has to stop them first. */
static tk_status tensors_free(const call *c)
{
    if (!c->device->has_plan) return TK_ERR_NO_PLAN;
    return c->device->live.on ? TK_ERR_BUSY : TK_OK;
}

/* The host says only at RUN what the bytes are, so they are put where either kind is expected:
 * an int8 tensor into the network's input, a window of counts into the live window. */
static tk_status tensor_write(call *c)
{
    tk_device *device = c->device;
    size_t tensor, window = 0;
    if (c->length < 5) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    uint32_t offset = tk_get_u32(c->in), n = c->length - 4;
    int8_t *input = tk_engine_input(&device->engine, &tensor);
    const tk_imu_front *front = &device->pipeline.front;
    if (device->has_pipeline) window = (size_t)2 * front->window * front->channels;
    c->detail = (uint32_t)(tensor > window ? tensor : window);
    if (offset > c->detail || n > c->detail - offset) return TK_ERR_BOUNDS;
    if (offset < tensor) memcpy(input + offset, c->in + 4, n < tensor - offset ? n : tensor - offset);
    if (offset < window) {
        memcpy((uint8_t *)device->live.ring + offset, c->in + 4, n < window - offset ? n : window - offset);
    }
    tk_put_u32(c->out, offset + n);
    c->size = 4;
    return TK_OK;
}

static tk_status run(call *c)
{
    tk_device *device = c->device;
    uint32_t cycles, microseconds;
    size_t bytes;
    if (c->length != 1) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    if (c->in[0] > 1) return TK_ERR_ARGUMENT;
    if (c->in[0] == 1) {
        if (!device->has_pipeline) return TK_ERR_NO_PIPELINE;
        int8_t *input = tk_engine_input(&device->engine, &bytes);
        tk_imu_quantized(&device->pipeline.front, device->live.ring, 0, input);
    }
    status = tk_device_run(device, &cycles, &microseconds);
    if (status != TK_OK) return status;
    tk_engine_output(&device->engine, &bytes);
    tk_put_u32(c->out, cycles);
    tk_put_u32(c->out + 4, microseconds);
    tk_put_u32(c->out + 8, (uint32_t)bytes);
    c->size = 12;
    return TK_OK;
}

static tk_status tensor_read(call *c)
{
    size_t bytes;
    if (c->length != 6) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    const int8_t *output = tk_engine_output(&c->device->engine, &bytes);
    uint32_t offset = tk_get_u32(c->in), n = tk_get_u16(c->in + 4);
    c->detail = (uint32_t)bytes;
    if (n > TK_FRAME_PAYLOAD || offset > bytes || n > bytes - offset) return TK_ERR_BOUNDS;
    memcpy(c->out, output + offset, n);
    c->size = n;
    return TK_OK;
}

/* ---- live ---- */

static tk_status live_start(call *c)
{
    if (c->length != 0) return TK_ERR_LENGTH;
    tk_status status = tk_device_start_live(c->device);
    if (status != TK_OK) return status;
    tk_put_u32(c->out, c->device->pipeline.hop);
    tk_put_u32(c->out + 4, c->device->pipeline.rate_mhz);
    c->size = 8;
    return TK_OK;
}

static tk_status live_stop(call *c)
{
    if (c->length != 0) return TK_ERR_LENGTH;
    c->device->live.on = false;
    tk_put_u32(c->out, c->device->live.sent);
    c->size = 4;
    return TK_OK;
}

static tk_status set_rule(call *c)
{
    tk_device *device = c->device;
    uint32_t labels = device->pipeline.label_count;
    tk_rule rule;
    memset(&rule, 0, sizeof rule);
    rule.threshold = tk_get_u16(c->in);
    rule.smoothing = c->in[2];
    rule.count = c->in[3];
    rule.suppression_ms = tk_get_u16(c->in + 4);
    c->detail = labels;
    if (tk_rule_check(&rule, labels) != TK_OK) return TK_ERR_ARGUMENT;
    for (uint32_t i = 0; i < rule.count; i++) rule.thresholds[i] = tk_get_u16(c->in + 6 + 2 * i);
    device->rule = rule;
    if (device->live.on) (void)tk_decide_init(&device->live.decide, &rule, labels);
    return TK_OK;
}

static tk_status decision(call *c)
{
    const tk_rule *rule = &c->device->rule;
    if (c->length != 0 && (c->length < 6 || c->length != 6u + 2u * c->in[3])) return TK_ERR_LENGTH;
    if (!c->device->has_plan) return TK_ERR_NO_PLAN;
    if (!c->device->has_pipeline) return TK_ERR_NO_PIPELINE;
    if (c->length > 0) {
        tk_status status = set_rule(c);
        if (status != TK_OK) return status;
    }
    tk_put_u16(c->out, rule->threshold);
    c->out[2] = rule->smoothing;
    c->out[3] = rule->count;
    tk_put_u16(c->out + 4, rule->suppression_ms);
    for (uint32_t i = 0; i < rule->count; i++) tk_put_u16(c->out + 6 + 2 * i, rule->thresholds[i]);
    c->size = 6u + 2u * rule->count;
    return TK_OK;
}

/* ---- dispatch ---- */

static tk_status dispatch(call *c, uint8_t type)
{
    switch (type) {
    case TK_HELLO: return hello(c);
    case TK_INFO: return info(c);
    case TK_SLOTS_LIST: return slots_list(c);
    case TK_ECHO: return echo(c);
    case TK_STREAM_START: return stream_start(c);
    case TK_STREAM_STOP: return stream_stop(c);
    case TK_UPLOAD_BEGIN: return upload_begin(c);
    case TK_UPLOAD_DATA: return upload_data(c);
    case TK_UPLOAD_END: return upload_end(c);
    case TK_ROLLBACK: return rollback(c);
    case TK_TENSOR_WRITE: return tensor_write(c);
    case TK_RUN: return run(c);
    case TK_TENSOR_READ: return tensor_read(c);
    case TK_LIVE_START: return live_start(c);
    case TK_LIVE_STOP: return live_stop(c);
    case TK_DECISION: return decision(c);
    case TK_TEXT: return text(c);
    case TK_TIME: return time_now(c);
    case TK_ERASE: return erase(c);
    case TK_SECTION_READ: return section_read(c);
    default: return TK_ERR_REQUEST;
    }
}

void tk_requests_answer(tk_device *device, const tk_frame *request)
{
    call c = {device, request->payload, request->length, tk_link_payload(&device->link), 0, 0};
    uint8_t reply = (uint8_t)(request->type | TK_REPLY);
    /* Twice ROLLBACK would go forth again, and a network may overwrite its input when it runs: if one
     * of these comes again with the same number, its reply was lost, so only that is sent again. */
    bool once = request->type == TK_ROLLBACK || request->type == TK_RUN;
    if (once && device->done_type == request->type && device->done_seq == request->seq) {
        memcpy(c.out, device->done, device->done_length);
        tk_link_reply(&device->link, reply, request->seq, device->done_length);
        return;
    }
    device->done_type = 0;
    tk_status status = dispatch(&c, request->type);
    if (status == TK_OK) {
        if (once) {
            device->done_type = request->type;
            device->done_seq = request->seq;
            device->done_length = (uint8_t)c.size;
            memcpy(device->done, c.out, c.size);
        }
        tk_link_reply(&device->link, reply, request->seq, c.size);
        return;
    }
    const char *name = tk_status_name(status);
    tk_put_u16(c.out, (uint16_t)status);
    c.out[2] = request->type;
    c.out[3] = 0;
    tk_put_u32(c.out + 4, c.detail);
    memcpy(c.out + 8, name, strlen(name));
    tk_link_reply(&device->link, TK_REPLY_ERROR, request->seq, 8 + (uint32_t)strlen(name));
}
