#include "tk_pipeline.h"

#include <string.h>

#include "tk_bytes.h"

#define HEADER 68u
#define MAGIC 0x53504B54u /* "TKPS" */

tk_status tk_rule_check(const tk_rule *rule)
{
    return rule->smoothing >= 1 && rule->smoothing <= TK_SMOOTHING_MAX ? TK_OK : TK_ERR_ARGUMENT;
}

/* Column of the first of three sensor channels that must all be there, or -1. */
static int8_t find_three(const tk_pipeline *pipeline, uint8_t sensor_channel)
{
    for (int8_t i = 0; i + 3 <= pipeline->front.channels; i++) {
        /* The channels ascend, so the third is in place only if the second is. */
        const uint8_t *channel = pipeline->channel + i;
        if (channel[0] == sensor_channel && channel[2] == sensor_channel + 2) return i;
    }
    return -1;
}

static tk_status parse_front(tk_pipeline *p, const uint8_t *at)
{
    tk_imu_front *front = &p->front;
    uint8_t flags = at[52];
    front->window = tk_get_u16(at + 44);
    front->channels = at[49];
    front->features = at[50];
    front->center = (flags & TK_PIPELINE_CENTER) != 0;
    front->zero = (int8_t)(at[53] < 128 ? at[53] : at[53] - 256);
    front->a_first = front->g_first = -1;
    if (flags & ~(TK_PIPELINE_CENTER | TK_PIPELINE_LENGTH_A | TK_PIPELINE_LENGTH_G)) return TK_ERR_PIPELINE;
    if (front->window < 1 || front->window > TK_WINDOW_MAX) return TK_ERR_PIPELINE;
    if (front->channels < 1 || front->channels > 6) return TK_ERR_PIPELINE;
    for (uint32_t i = 0; i < 8; i++) {
        uint8_t channel = p->channel[i] = at[60 + i];
        if (i >= front->channels ? channel != 255 : channel >= 6) return TK_ERR_PIPELINE;
        if (i > 0 && i < front->channels && channel <= p->channel[i - 1]) return TK_ERR_PIPELINE;
    }
    uint32_t features = front->channels;
    if (flags & TK_PIPELINE_LENGTH_A) {
        if ((front->a_first = find_three(p, 0)) < 0) return TK_ERR_PIPELINE;
        features++;
    }
    if (flags & TK_PIPELINE_LENGTH_G) {
        if ((front->g_first = find_three(p, 3)) < 0) return TK_ERR_PIPELINE;
        features++;
    }
    return front->features == features ? TK_OK : TK_ERR_PIPELINE;
}

static tk_status parse_multipliers(tk_imu_front *front, const uint8_t *at)
{
    for (uint32_t f = 0; f < front->features; f++, at += 8) {
        int32_t multiplier = tk_get_i32(at), shift = tk_get_i32(at + 4);
        if (multiplier < 1 << 30 || shift < 16 || shift > 62) return TK_ERR_PIPELINE;
        front->multiplier[f] = multiplier;
        front->shift[f] = (uint8_t)shift;
    }
    return TK_OK;
}

/* Labels and then zeros must fill the bytes from `at` to `end`. */
static tk_status check_labels(const uint8_t *at, const uint8_t *end, uint32_t count)
{
    if (count < 1 || count > TK_LABELS_MAX) return TK_ERR_PIPELINE;
    for (; count > 0; count--) {
        if (at >= end || *at == 0 || *at >= end - at) return TK_ERR_PIPELINE;
        if (memchr(at + 1, 0, *at) != NULL) return TK_ERR_PIPELINE;
        at += 1 + *at;
    }
    if (end - at > 3) return TK_ERR_PIPELINE;
    while (at < end) {
        if (*at++ != 0) return TK_ERR_PIPELINE;
    }
    return TK_OK;
}

tk_status tk_pipeline_parse(tk_pipeline *pipeline, const void *bytes, size_t length)
{
    const uint8_t *at = (const uint8_t *)bytes;
    tk_status status;
    memset(pipeline, 0, sizeof *pipeline);
    if (length < HEADER) return TK_ERR_LENGTH;
    if (tk_get_u32(at) != MAGIC) return TK_ERR_MAGIC;
    if (tk_get_u16(at + 4) != TK_PIPELINE_FORMAT) return TK_ERR_FORMAT;
    if (tk_get_u16(at + 6) != length || length % 4 != 0) return TK_ERR_LENGTH;
    if (at[48] != 0) return TK_ERR_SENSOR;
    if (at[8 + TK_NAME_BYTES - 1] != 0 || at[55] != 0) return TK_ERR_PIPELINE;
    pipeline->name = (const char *)at + 8;
    pipeline->rate_mhz = tk_get_u32(at + 40);
    pipeline->hop = tk_get_u16(at + 46);
    pipeline->label_count = at[51];
    pipeline->rule.smoothing = at[54];
    pipeline->rule.threshold = tk_get_u16(at + 56);
    pipeline->rule.suppression_ms = tk_get_u16(at + 58);
    if (pipeline->rate_mhz < TK_RATE_MIN || pipeline->rate_mhz > TK_RATE_MAX) return TK_ERR_PIPELINE;
    if (pipeline->hop < 1 || tk_rule_check(&pipeline->rule) != TK_OK) return TK_ERR_PIPELINE;
    if ((status = parse_front(pipeline, at)) != TK_OK) return status;
    if (length < HEADER + 8u * pipeline->front.features) return TK_ERR_LENGTH;
    if ((status = parse_multipliers(&pipeline->front, at + HEADER)) != TK_OK) return status;
    pipeline->labels = at + HEADER + 8u * pipeline->front.features;
    return check_labels(pipeline->labels, at + length, pipeline->label_count);
}
