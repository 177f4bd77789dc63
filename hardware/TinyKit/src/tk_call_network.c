#include "tk_call.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_predict.h"
#include "tk_protocol.h"

static bool hears(const tk_device *device)
{
    return device->has_pipeline && device->pipeline.sensor == TK_SENSOR_MIC;
}

/* Live predictions use the same memory, and so does a stream of sound if the pipeline's window lies
 * where the microphone's samples do; so the host has to stop them first. */
static tk_status tensors_free(const tk_call *c)
{
    const tk_device *device = c->device;
    if (!device->has_plan) return TK_ERR_NO_PLAN;
    return device->live.on || (hears(device) && device->audio.on) ? TK_ERR_BUSY : TK_OK;
}

/* Where a window of counts is expected, and how many bytes it has. */
static uint8_t *window_of(tk_device *device, size_t *bytes)
{
    const tk_pipeline *pipeline = &device->pipeline;
    *bytes = device->has_pipeline ? (size_t)2 * pipeline->window * pipeline->channels : 0;
    if (!hears(device)) return (uint8_t *)device->live.of.ring;
    tk_mic_lend(&device->mic);
    return (uint8_t *)device->mic.ring;
}

/* The host says only at RUN what the bytes are, so they are put where either kind is expected:
 * an int8 tensor into the network's input, a window of counts where the sensor's would be. */
tk_status tk_call_tensor_write(tk_call *c)
{
    tk_device *device = c->device;
    size_t tensor, window;
    if (c->length < 5) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    uint32_t offset = tk_get_u32(c->in), n = c->length - 4;
    int8_t *input = tk_engine_input(&device->engine, &tensor);
    uint8_t *counts = window_of(device, &window);
    c->detail = (uint32_t)(tensor > window ? tensor : window);
    if (offset > c->detail || n > c->detail - offset) return TK_ERR_BOUNDS;
    if (offset < tensor) memcpy(input + offset, c->in + 4, n < tensor - offset ? n : tensor - offset);
    if (offset < window) memcpy(counts + offset, c->in + 4, n < window - offset ? n : window - offset);
    tk_put_u32(c->out, offset + n);
    c->size = 4;
    return TK_OK;
}

tk_status tk_call_run(tk_call *c)
{
    tk_device *device = c->device;
    uint32_t cycles, microseconds;
    size_t bytes;
    if (c->length != 1 && c->length != 6) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    uint32_t ops = tk_plan_op_count(&device->plan), first = 0, count = ops;
    if (c->length == 6) { /* some of the ops only, so that the host can look at what is between them */
        first = tk_get_u16(c->in + 2);
        count = tk_get_u16(c->in + 4);
    }
    if (c->in[0] > 1 || first > ops || count > ops - first) {
        c->detail = ops;
        return TK_ERR_ARGUMENT;
    }
    if (c->in[0] == 1) {
        if (!device->has_pipeline) return TK_ERR_NO_PIPELINE;
        tk_predict_quantize(device);
    }
    status = tk_predict_run(device, first, count, &cycles, &microseconds);
    if (status != TK_OK) return status;
    tk_engine_output(&device->engine, &bytes);
    tk_put_u32(c->out, cycles);
    tk_put_u32(c->out + 4, microseconds);
    tk_put_u32(c->out + 8, (uint32_t)bytes);
    c->size = 12;
    return TK_OK;
}

tk_status tk_call_tensor_read(tk_call *c)
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

/* What the arena holds: between two runs of some ops, what the last of them wrote. */
tk_status tk_call_arena_read(tk_call *c)
{
    if (c->length != 6) return TK_ERR_LENGTH;
    tk_status status = tensors_free(c);
    if (status != TK_OK) return status;
    uint32_t offset = tk_get_u32(c->in), n = tk_get_u16(c->in + 4);
    c->detail = tk_plan_arena_bytes(&c->device->plan);
    if (n > TK_FRAME_PAYLOAD || offset > c->detail || n > c->detail - offset) return TK_ERR_BOUNDS;
    memcpy(c->out, c->device->arena + offset, n);
    c->size = n;
    return TK_OK;
}

/* ---- live ---- */

tk_status tk_call_live_start(tk_call *c)
{
    if (c->length != 0) return TK_ERR_LENGTH;
    tk_status status = tk_device_start_live(c->device);
    if (status != TK_OK) return status;
    tk_put_u32(c->out, c->device->pipeline.hop);
    tk_put_u32(c->out + 4, c->device->pipeline.rate_mhz);
    c->size = 8;
    return TK_OK;
}

tk_status tk_call_live_stop(tk_call *c)
{
    if (c->length != 0) return TK_ERR_LENGTH;
    c->device->live.on = false;
    tk_put_u32(c->out, c->device->live.sent);
    c->size = 4;
    return TK_OK;
}

static tk_status set_rule(tk_call *c)
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

tk_status tk_call_decision(tk_call *c)
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
