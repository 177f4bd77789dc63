#include "tk_device.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"
#include "tk_requests.h"

#define IMU_DEAD_US 1000000u /* silence after which the IMU counts as dead */
#define TEND_US 5000u        /* during a run, look after the sensor this often */

uint64_t tk_device_micros(tk_device *device)
{
    uint32_t now = device->hal->micros(device->hal->context);
    if (now < device->micros_low) device->micros_high++;
    device->micros_low = now;
    return ((uint64_t)device->micros_high << 32) | now;
}

/* ---- events ---- */

void tk_device_log(tk_device *device, const char *text)
{
    size_t length = strlen(text);
    if (device->text) return;
    memcpy(tk_link_payload(&device->link), text, length);
    tk_link_event(&device->link, TK_EVENT_LOG, length);
}

/* False when there was no room: to be tried again. */
static bool send_fault(tk_device *device, tk_status status, const char *text)
{
    uint8_t *out = tk_link_payload(&device->link);
    size_t length = strlen(text);
    if (device->text) return true;
    tk_put_u16(out, (uint16_t)status);
    memcpy(out + 2, text, length);
    return tk_link_event(&device->link, TK_EVENT_FAULT, 2 + length) == TK_OK;
}

/* ---- sensor ---- */

static void take_samples(tk_device *device)
{
    const tk_hal *hal = device->hal;
    tk_sample sample;
    bool any = false;
    device->tended_us = hal->micros(hal->context);
    if (hal->imu_read == NULL) return;
    /* At most a history's worth, in case the sensor is faster than this loop. */
    for (uint32_t i = 0; i < TK_HISTORY_SAMPLES && hal->imu_read(hal->context, &sample) > 0; i++) {
        tk_history_push(&device->history, &sample);
        any = true;
    }
    if (any) {
        device->imu_seen_us = device->tended_us;
        if (device->imu_dead) tk_device_log(device, "the IMU is back");
        device->imu_dead = false;
    } else if (!device->imu_dead && device->tended_us - device->imu_seen_us > IMU_DEAD_US) {
        device->imu_dead = send_fault(device, TK_ERR_SENSOR_DEAD, "the IMU gives no samples");
    }
}

static void tend(tk_device *device)
{
    take_samples(device);
    if (device->text) {
        tk_stream_pump_text(&device->stream, &device->history, &device->link);
    } else {
        tk_stream_pump(&device->stream, &device->history, &device->link);
    }
    tk_link_flush(&device->link);
}

/* ---- the active plan ---- */

/* tk_slots_validate: would this device run it? The same checks at upload and at every boot. */
static tk_status validate(void *context, const uint8_t *bytes, uint32_t length, char *name, uint32_t *detail)
{
    const tk_device *device = (const tk_device *)context;
    tk_plan plan;
    tk_pipeline pipeline;
    tk_resample resample;
    size_t section_bytes;
    tk_status status = tk_plan_open(&plan, bytes, length);
    *detail = plan.bad_op;
    if (status != TK_OK) return status;
    *detail = tk_plan_arena_bytes(&plan);
    if (*detail > device->arena_bytes) return TK_ERR_ARENA;
    *detail = 0;
    const void *section = tk_plan_section(&plan, &section_bytes);
    if (section == NULL) return TK_OK;
    status = tk_pipeline_parse(&pipeline, section, section_bytes);
    if (status != TK_OK) return status;
    if (plan.header->input_bytes != (uint32_t)pipeline.front.window * pipeline.front.features ||
        plan.header->output_bytes != pipeline.label_count) {
        return TK_ERR_SHAPE;
    }
    /* Without an IMU the pipeline can still answer windows that the host sends. */
    if (device->hal->imu_read != NULL) {
        *detail = device->hal->imu_rate_mhz;
        status = tk_resample_init(&resample, device->hal->imu_rate_mhz, pipeline.rate_mhz);
        if (status != TK_OK) return status;
    }
    memcpy(name, pipeline.name, TK_NAME_BYTES);
    return TK_OK;
}

tk_status tk_device_start_live(tk_device *device)
{
    device->live.on = false;
    if (!device->has_plan) return TK_ERR_NO_PLAN;
    if (!device->has_pipeline) return TK_ERR_NO_PIPELINE;
    if (device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    return tk_live_start(&device->live, &device->pipeline, &device->rule, &device->history,
                         device->hal->imu_rate_mhz);
}

void tk_device_use_active(tk_device *device)
{
    uint8_t slot = device->slots.active;
    bool live = device->live.on;
    size_t section_bytes = 0;
    const void *section = NULL;
    device->has_plan = device->has_pipeline = false;
    device->live.on = false;
    if (slot != TK_NO_SLOT) {
        /* tk_slots has just checked it; a slot is only active if validate() agreed. */
        tk_status status = tk_plan_open(&device->plan, tk_slots_plan(&device->slots, slot),
                                        device->slots.slot[slot].length);
        if (status == TK_OK) {
            status = tk_engine_init(&device->engine, &device->plan, device->arena, device->arena_bytes);
        }
        device->has_plan = status == TK_OK;
        if (device->has_plan) section = tk_plan_section(&device->plan, &section_bytes);
    }
    if (section != NULL) {
        device->has_pipeline = tk_pipeline_parse(&device->pipeline, section, section_bytes) == TK_OK;
        device->rule = device->pipeline.rule;
    }
    if (live && tk_device_start_live(device) != TK_OK) {
        tk_device_log(device, "live predictions stopped: the active slot has no pipeline for this sensor");
    }
}

tk_status tk_device_run(tk_device *device, uint32_t *cycles, uint32_t *microseconds)
{
    const tk_hal *hal = device->hal;
    uint32_t ops = tk_plan_op_count(&device->plan);
    *cycles = *microseconds = 0;
    for (uint32_t op = 0; op < ops; op++) {
        uint32_t start = hal->micros(hal->context);
        if (hal->cycles_start != NULL) {
            hal->cycles_start(hal->context, device->plan.header->crc32 + op * 0x9E3779B1u);
        }
        tk_status status = tk_engine_step(&device->engine, op);
        if (hal->cycles_stop != NULL) *cycles += hal->cycles_stop(hal->context);
        if (status != TK_OK) return status;
        uint32_t now = hal->micros(hal->context);
        *microseconds += now - start;
        if (now - device->tended_us > TEND_US) tend(device);
    }
    return TK_OK;
}

/* ---- live predictions ---- */

static void predict(tk_device *device)
{
    tk_live *live = &device->live;
    tk_sample last = live->last; /* of the window; more may come in during the run */
    tk_decision decision;
    uint32_t cycles, run_us;
    size_t bytes;
    uint32_t n = device->pipeline.label_count;
    uint64_t now = tk_device_micros(device);
    /* The device's clock has 64 bits, a sample's 32: it was taken at most an hour ago. */
    uint64_t last_us = now - (uint32_t)((uint32_t)now - last.time_us);
    tk_imu_quantized(&device->pipeline.front, live->ring, live->rows == live->window ? live->first : 0,
                     tk_engine_input(&device->engine, &bytes));
    if (tk_device_run(device, &cycles, &run_us) != TK_OK) {
        live->on = false;
        (void)send_fault(device, TK_ERR_INTERNAL, "the network could not be run");
        return;
    }
    const int8_t *answer = tk_engine_output(&device->engine, &bytes);
    tk_decide_push(&live->decide, answer, last_us, &decision);
    uint8_t *out = tk_link_payload(&device->link);
    tk_put_u32(out, live->number++);
    tk_put_u32(out + 4, last.index);
    tk_put_u32(out + 8, last.time_us);
    tk_put_u32(out + 12, device->hal->micros(device->hal->context) - last.time_us);
    tk_put_u32(out + 16, cycles);
    out[20] = (uint8_t)decision.label;
    out[21] = decision.announce ? 1 : 0;
    out[22] = (uint8_t)n;
    out[23] = 0;
    memcpy(out + 24, answer, n);
    memcpy(out + 24 + n, decision.smoothed, n);
    if (!device->text && tk_link_event(&device->link, TK_EVENT_PREDICTION, 24 + 2 * n) == TK_OK) live->sent++;
}

/* ---- the loop ---- */

void tk_device_start_text(tk_device *device)
{
    tk_stream_start(&device->stream, &device->history, 1);
    device->text = true;
}

/* "text" and return, typed into a serial monitor. No frame begins like that: requests end at 0x3F. */
static bool typed_text(const tk_decoder *decoder)
{
    const uint8_t *typed = decoder->buffer;
    return decoder->length == 5 && memcmp(typed, "text", 4) == 0 && (typed[4] == '\r' || typed[4] == '\n');
}

static void take_bytes(tk_device *device)
{
    const tk_hal *hal = device->hal;
    tk_frame request;
    /* A byte is looked at only when there is room for the longest reply, so that none is ever lost;
     * a host that sends and does not read has to wait. */
    while (tk_link_room(&device->link) >= TK_FRAME_WIRE) {
        if (device->in_at == device->in_count) {
            device->in_at = 0;
            device->in_count = (uint8_t)hal->serial_read(hal->context, device->in, sizeof device->in);
            if (device->in_count == 0) return;
        }
        uint8_t byte = device->in[device->in_at++];
        if (device->text) {
            if (byte != 0) continue;
            device->text = false;
            device->stream.on = false;
        }
        if (tk_decoder_push(&device->link.decoder, byte, &request)) tk_requests_answer(device, &request);
        if (byte != 0 && hal->imu_read != NULL && typed_text(&device->link.decoder)) {
            tk_device_start_text(device);
        }
    }
}

void tk_device_init(tk_device *device, const tk_hal *hal, void *arena, size_t arena_bytes)
{
    memset(device, 0, sizeof *device);
    device->hal = hal;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = (uint32_t)arena_bytes;
    tk_link_init(&device->link, hal);
    tk_history_init(&device->history);
    tk_slots_init(&device->slots, hal, validate, device);
    tk_device_use_active(device);
    device->imu_seen_us = hal->micros(hal->context);
}

void tk_device_poll(tk_device *device)
{
    tk_device_micros(device);
    take_bytes(device);
    tend(device);
    if (tk_live_feed(&device->live, &device->history)) predict(device);
    tk_link_flush(&device->link);
}

size_t tk_device_size(void)
{
    return sizeof(tk_device);
}
