#include "tk_device.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"
#include "tk_requests.h"
#include "tk_text.h"

#define IMU_DEAD_US 1000000u /* silence after which the IMU counts as dead */
#define TEND_US 5000u        /* during a run, look after the sensors this often */
#define OVERRUN_US 10000000u /* say at most so often that sound was lost */
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
        device->imu_dead = send_fault(device, TK_ERR_SENSOR_DEAD, "the IMU gives no samples");
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
        if (send_fault(device, TK_ERR_SENSOR_DEAD, "the microphone is silent")) tk_mic_told_dead(&device->mic);
        break;
    case TK_MIC_BACK: tk_device_log(device, "the microphone is back"); break;
    }
}

static void tend(tk_device *device)
{
    take_samples(device);
    take_sound(device);
    if (device->text) {
        tk_stream_pump_text(&device->stream, &device->history, &device->link);
    } else {
        tk_stream_pump(&device->stream, &device->history, &device->link);
        tk_audio_pump(&device->audio, &device->mic, &device->link);
    }
    tk_link_flush(&device->link);
}

/* In the midst of long work: is it time? */
static void tend_if_due(tk_device *device)
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
        *microseconds += hal->micros(hal->context) - start;
        tend_if_due(device);
    }
    return TK_OK;
}

void tk_device_quantize(tk_device *device)
{
    const tk_pipeline *pipeline = &device->pipeline;
    tk_live *live = &device->live;
    float features[TK_MEL_BANDS_MAX];
    size_t bytes;
    int8_t *input = tk_engine_input(&device->engine, &bytes);
    if (pipeline->sensor == TK_SENSOR_IMU) {
        tk_imu_quantized(&pipeline->front, live->of.ring, 0, input);
        return;
    }
    for (uint32_t row = 0; row < pipeline->rows; row++, input += pipeline->features) {
        tk_mel_frame(&pipeline->mel, device->mic.ring, TK_MIC_SAMPLES, row * pipeline->mel.hop, &live->work, features);
        tk_mel_quantized(&pipeline->mel, features, input);
        tend_if_due(device);
    }
}

/* ---- live predictions ---- */

/* Put the live window into the network's input; returns the cycles that were spent on it before. */
static uint32_t put_window(tk_device *device)
{
    tk_live *live = &device->live;
    size_t bytes;
    int8_t *input = tk_engine_input(&device->engine, &bytes);
    uint32_t cycles = live->cycles;
    live->cycles = 0;
    if (device->pipeline.sensor == TK_SENSOR_MIC) {
        tk_live_heard(live, input);
    } else {
        tk_imu_quantized(&device->pipeline.front, live->of.ring, live->first, input);
    }
    return cycles;
}

static void predict(tk_device *device)
{
    tk_live *live = &device->live;
    uint32_t index = live->last_index, time_us = live->last_us; /* more may come in during the run */
    tk_decision decision;
    uint32_t cycles, run_us;
    size_t bytes;
    uint32_t n = device->pipeline.label_count;
    uint64_t now = tk_device_micros(device);
    /* The device's clock has 64 bits, a sample's 32: it was taken at most an hour ago. */
    uint64_t last_us = now - (uint32_t)((uint32_t)now - time_us);
    uint32_t front_cycles = put_window(device);
    if (tk_device_run(device, &cycles, &run_us) != TK_OK) {
        live->on = false;
        (void)send_fault(device, TK_ERR_INTERNAL, "the network could not be run");
        return;
    }
    const int8_t *answer = tk_engine_output(&device->engine, &bytes);
    tk_decide_push(&live->decide, answer, last_us, &decision);
    uint8_t *out = tk_link_payload(&device->link);
    tk_put_u32(out, live->number++);
    tk_put_u32(out + 4, index);
    tk_put_u32(out + 8, time_us);
    tk_put_u32(out + 12, device->hal->micros(device->hal->context) - time_us);
    tk_put_u32(out + 16, front_cycles + cycles);
    out[20] = (uint8_t)decision.label;
    out[21] = decision.announce ? 1 : 0;
    out[22] = (uint8_t)n;
    out[23] = 0;
    memcpy(out + 24, answer, n);
    memcpy(out + 24 + n, decision.smoothed, n);
    if (!device->text && tk_link_event(&device->link, TK_EVENT_PREDICTION, 24 + 2 * n) == TK_OK) live->sent++;
}

static void log_overrun(tk_device *device)
{
    uint32_t now = device->hal->micros(device->hal->context);
    if (device->live.overruns == 0 || now - device->overrun_us < OVERRUN_US) return;
    uint8_t bytes[96];
    tk_text text = {bytes, 0, sizeof bytes - 1};
    tk_text_put(&text, "live predictions came too late for ");
    tk_text_number(&text, device->live.overruns);
    tk_text_put(&text, " samples of sound");
    bytes[text.length] = 0;
    tk_device_log(device, (const char *)bytes);
    device->live.overruns = 0;
    device->overrun_us = now;
}

/* Compute the frames that wait, up to the next answer. */
static void listen(tk_device *device)
{
    tk_live_step step = TK_LIVE_FRAME;
    /* At most a ring's worth of them, so that requests are heard whatever happens. */
    for (uint32_t i = 0; i < TK_MIC_SAMPLES / TK_MEL_FRAME_MIN && step == TK_LIVE_FRAME; i++) {
        step = tk_live_hear(&device->live, &device->mic);
        if (step == TK_LIVE_DUE) predict(device);
        tend_if_due(device);
    }
    log_overrun(device);
}

/* ---- the loop ---- */

void tk_device_start_text(tk_device *device)
{
    tk_stream_start(&device->stream, &device->history, 1);
    device->audio.on = false;
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
    tk_mic_init(&device->mic, hal);
    tk_slots_init(&device->slots, hal, validate, device);
    tk_device_use_active(device);
    device->imu_seen_us = hal->micros(hal->context);
    device->overrun_us = device->imu_seen_us - OVERRUN_US;
}

void tk_device_poll(tk_device *device)
{
    tk_device_micros(device);
    take_bytes(device);
    tend(device);
    if (device->live.on && device->pipeline.sensor == TK_SENSOR_MIC) {
        listen(device);
    } else if (tk_live_feed(&device->live, &device->history)) {
        predict(device);
    }
    tk_link_flush(&device->link);
}

size_t tk_device_size(void)
{
    return sizeof(tk_device);
}
