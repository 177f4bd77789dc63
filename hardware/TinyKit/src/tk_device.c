#include "tk_device.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_predict.h"
#include "tk_protocol.h"
#include "tk_requests.h"
#include "tk_text.h"

#define IMU_DEAD_US 1000000u /* silence after which the IMU counts as dead */
#define TEND_US 5000u        /* during a run, look after the sensors this often */
#define FRAME_KEY 0x6D656C66u /* sets the cycles of a frame apart from those of any layer */

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

bool tk_device_fault(tk_device *device, tk_status status, const char *text)
{
    uint8_t *out = tk_link_payload(&device->link);
    size_t length = strlen(text);
    if (device->text) { /* as Edge Impulse's data forwarder knows an error */
        tk_text line = {out, 0, TK_FRAME_PAYLOAD};
        tk_text_put(&line, "ERR: ");
        tk_text_put(&line, text);
        tk_text_put(&line, "\r\n");
        return tk_link_text(&device->link, out, line.length) == TK_OK;
    }
    tk_put_u16(out, (uint16_t)status);
    memcpy(out + 2, text, length);
    return tk_link_event(&device->link, TK_EVENT_FAULT, 2 + length) == TK_OK;
}

/* ---- sensors ---- */

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
        device->imu_dead = tk_device_fault(device, TK_ERR_SENSOR_DEAD, "the IMU gives no samples");
    }
}

/* `before` and then how long the microphone settles. */
static void log_settling(tk_device *device, const char *before)
{
    uint8_t bytes[96];
    tk_text text = {bytes, 0, sizeof bytes - 1};
    tk_text_put(&text, before);
    tk_text_decimal(&text, (int32_t)((device->hal->mic_settle_ms + 50u) / 100u), 1);
    tk_text_put(&text, " s");
    bytes[text.length] = 0;
    tk_device_log(device, (const char *)bytes);
}

void tk_device_start_mic(tk_device *device)
{
    tk_mic_take_back(&device->mic);
    if (tk_mic_start(&device->mic) && device->mic.state == TK_MIC_SETTLING) {
        log_settling(device, "the microphone settles for ");
    }
}

static void take_sound(tk_device *device)
{
    switch (tk_mic_tend(&device->mic)) {
    case TK_MIC_NOTHING: break;
    case TK_MIC_RESTARTED:
        log_settling(device, "the microphone had stopped; it was started again and settles for ");
        break;
    case TK_MIC_DIED:
        if (tk_device_fault(device, TK_ERR_SENSOR_DEAD, "the microphone is silent")) tk_mic_told_dead(&device->mic);
        break;
    case TK_MIC_BACK: tk_device_log(device, "the microphone is back"); break;
    }
}

static void take_environment(tk_device *device)
{
    switch (tk_environment_tend(&device->environment)) {
    case TK_ENVIRONMENT_NOTHING: break;
    case TK_ENVIRONMENT_DIED:
        if (tk_device_fault(device, TK_ERR_SENSOR_DEAD, "the environment sensors give no samples")) {
            tk_environment_told_dead(&device->environment);
        }
        break;
    case TK_ENVIRONMENT_BACK: tk_device_log(device, "the environment sensors are back"); break;
    }
}

static void tend(tk_device *device)
{
    take_samples(device);
    take_sound(device);
    take_environment(device);
    if (device->text) {
        if (device->stream.on) tk_stream_pump_text(&device->stream, &device->history, &device->link);
        tk_audio_pump_text(&device->audio, &device->mic, &device->link);
        tk_environment_pump_text(&device->environment, &device->link);
    } else {
        tk_stream_pump(&device->stream, &device->history, &device->link);
        tk_audio_pump(&device->audio, &device->mic, &device->link);
        tk_environment_pump(&device->environment, &device->link);
    }
    tk_link_flush(&device->link);
}

void tk_device_tend_if_due(tk_device *device)
{
    if (device->hal->micros(device->hal->context) - device->tended_us > TEND_US) tend(device);
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
    if (plan.header->input_bytes != (uint32_t)pipeline.rows * pipeline.features ||
        plan.header->output_bytes != pipeline.label_count) {
        return TK_ERR_SHAPE;
    }
    /* Without its sensor the pipeline can still answer windows that the host sends. */
    if (pipeline.sensor == TK_SENSOR_IMU && device->hal->imu_read != NULL) {
        *detail = device->hal->imu_rate_mhz;
        status = tk_resample_init(&resample, device->hal->imu_rate_mhz, pipeline.rate_mhz);
        if (status != TK_OK) return status;
    }
    if (pipeline.sensor == TK_SENSOR_MIC && device->hal->mic_read != NULL) {
        *detail = device->hal->mic_rate_mhz;
        if (device->hal->mic_rate_mhz != pipeline.rate_mhz) return TK_ERR_RATE;
    }
    memcpy(name, pipeline.name, TK_NAME_BYTES);
    return TK_OK;
}

tk_status tk_device_start_live(tk_device *device)
{
    device->live.on = false;
    if (!device->has_plan) return TK_ERR_NO_PLAN;
    if (!device->has_pipeline) return TK_ERR_NO_PIPELINE;
    (void)tk_engine_reset(&device->engine); /* what layers with a memory heard before is long ago */
    if (device->pipeline.sensor == TK_SENSOR_MIC) {
        if (device->hal->mic_read == NULL) return TK_ERR_SENSOR;
        tk_device_start_mic(device);
        return tk_live_start_sound(&device->live, &device->pipeline, &device->rule, &device->mic,
                                   device->plan.header->crc32 ^ FRAME_KEY);
    }
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
    /* So that it has settled when it is wanted. */
    if (device->has_pipeline && device->pipeline.sensor == TK_SENSOR_MIC && device->hal->mic_read != NULL &&
        device->mic.state == TK_MIC_OFF) {
        tk_device_start_mic(device);
    }
    if (live && tk_device_start_live(device) != TK_OK) {
        tk_device_log(device, "live predictions stopped: the active slot has no pipeline for this sensor");
    }
}

/* ---- the loop ---- */

static void stop_streams(tk_device *device)
{
    device->stream.on = device->audio.on = false;
    tk_environment_stop(&device->environment);
}

bool tk_device_has_sensor(const tk_device *device, uint8_t sensor)
{
    switch (sensor) {
    case TK_SENSOR_IMU: return device->hal->imu_read != NULL;
    case TK_SENSOR_MIC: return device->hal->mic_read != NULL;
    case TK_SENSOR_ENVIRONMENT: return device->environment.channels > 0;
    default: return false;
    }
}

tk_status tk_device_start_text(tk_device *device, uint8_t sensor)
{
    if (!tk_device_has_sensor(device, sensor)) return TK_ERR_SENSOR;
    stop_streams(device);
    if (sensor == TK_SENSOR_IMU) {
        tk_stream_start(&device->stream, &device->history, 1);
    } else if (sensor == TK_SENSOR_MIC) {
        tk_device_start_mic(device);
        tk_audio_start(&device->audio, &device->mic, TK_AUDIO_LINE_SAMPLES);
    } else {
        tk_environment_start(&device->environment);
    }
    device->text = true;
    return TK_OK;
}

static void stop_text(tk_device *device)
{
    if (!device->text) return;
    device->text = false;
    stop_streams(device);
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
        switch (tk_typed_push(&device->typed, byte)) {
        case TK_TYPED_NOTHING: break;
        case TK_TYPED_TEXT: (void)tk_device_start_text(device, device->typed.sensor); break;
        case TK_TYPED_STOP: stop_text(device); break;
        }
        if (byte == 0) stop_text(device);
        if (!device->text && tk_decoder_push(&device->link.decoder, byte, &request)) {
            tk_requests_answer(device, &request);
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
    tk_mic_init(&device->mic, hal);
    tk_environment_init(&device->environment, hal);
    tk_slots_init(&device->slots, hal, validate, device);
    tk_device_use_active(device);
    device->imu_seen_us = hal->micros(hal->context);
}

void tk_device_poll(tk_device *device)
{
    tk_device_micros(device);
    take_bytes(device);
    tend(device);
    tk_predict(device);
    tk_link_flush(&device->link);
}

size_t tk_device_size(void)
{
    return sizeof(tk_device);
}
