#include "tk_predict.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"
#include "tk_text.h"

#define OVERRUN_US 10000000u /* say at most so often that sound was lost */

tk_status tk_predict_run(tk_device *device, uint32_t first, uint32_t count, uint32_t *cycles,
                         uint32_t *microseconds)
{
    const tk_hal *hal = device->hal;
    uint32_t ops = tk_plan_op_count(&device->plan);
    *cycles = *microseconds = 0;
    if (first > ops || count > ops - first) return TK_ERR_ARGUMENT;
    for (uint32_t op = first; op < first + count; op++) {
        uint32_t start = hal->micros(hal->context);
        if (hal->cycles_start != NULL) {
            hal->cycles_start(hal->context, device->plan.header->crc32 + op * 0x9E3779B1u);
        }
        tk_status status = tk_engine_step(&device->engine, op);
        if (hal->cycles_stop != NULL) *cycles += hal->cycles_stop(hal->context);
        if (status != TK_OK) return status;
        *microseconds += hal->micros(hal->context) - start;
        tk_device_tend_if_due(device);
    }
    return TK_OK;
}

void tk_predict_quantize(tk_device *device)
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
        tk_device_tend_if_due(device);
    }
}

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
    /* The device's clock has 64 bits, a sample's 32: it was taken at most half an hour ago. A sample of
     * sound has a time that was reckoned, and that may be a hair ahead. */
    uint32_t age = (uint32_t)now - time_us;
    uint64_t last_us = age < 1u << 31 ? now - age : now;
    uint32_t front_cycles = put_window(device);
    if (tk_predict_run(device, 0, tk_plan_op_count(&device->plan), &cycles, &run_us) != TK_OK) {
        live->on = false;
        (void)tk_device_fault(device, TK_ERR_INTERNAL, "the network could not be run");
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
    if (device->live.overruns == 0 || (device->overrun_told && now - device->overrun_us < OVERRUN_US)) return;
    uint8_t bytes[96];
    tk_text text = {bytes, 0, sizeof bytes - 1};
    tk_text_put(&text, "live predictions came too late for ");
    tk_text_number(&text, device->live.overruns);
    tk_text_put(&text, " samples of sound");
    bytes[text.length] = 0;
    tk_device_log(device, (const char *)bytes);
    device->live.overruns = 0;
    device->overrun_us = now;
    device->overrun_told = true;
}

/* Compute the frames that wait, up to the next answer. */
static void listen(tk_device *device)
{
    tk_live_step step = TK_LIVE_FRAME;
    /* At most a ring's worth of them, so that requests are heard whatever happens. */
    for (uint32_t i = 0; i < TK_MIC_SAMPLES / TK_MEL_FRAME_MIN && step == TK_LIVE_FRAME; i++) {
        step = tk_live_hear(&device->live, &device->mic);
        if (step == TK_LIVE_DUE) predict(device);
        tk_device_tend_if_due(device);
    }
    log_overrun(device);
}

void tk_predict(tk_device *device)
{
    if (!device->live.on) return;
    if (device->pipeline.sensor == TK_SENSOR_MIC) {
        listen(device);
    } else if (tk_live_feed(&device->live, &device->history)) {
        predict(device);
    }
}
