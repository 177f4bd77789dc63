#include "tk_pipeline.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_hal.h"
#include "tk_protocol.h"

#define HEADER 68u
#define MAGIC 0x53504B54u /* "TKPS" */

tk_status tk_rule_check(const tk_rule *rule, uint32_t labels)
{
    if (rule->smoothing < 1 || rule->smoothing > TK_SMOOTHING_MAX) return TK_ERR_ARGUMENT;
    return rule->count == 0 || rule->count == labels ? TK_OK : TK_ERR_ARGUMENT;
}

/* Column of the first of three sensor channels that must all be there, or -1. */
static int8_t find_three(const tk_pipeline *pipeline, uint8_t sensor_channel)
{
    for (int8_t i = 0; i + 3 <= pipeline->channels; i++) {
        /* The channels ascend, so the third is in place only if the second is. */
        const uint8_t *channel = pipeline->channel + i;
        if (channel[0] == sensor_channel && channel[2] == sensor_channel + 2) return i;
    }
    return -1;
}

static tk_status parse_channels(tk_pipeline *p, const uint8_t *at, uint32_t most)
{
    p->channels = at[49];
    if (p->channels < 1 || p->channels > most) return TK_ERR_PIPELINE;
    for (uint32_t i = 0; i < 8; i++) {
        uint8_t channel = p->channel[i] = at[60 + i];
        if (i >= p->channels ? channel != 255 : channel >= most) return TK_ERR_PIPELINE;
        if (i > 0 && i < p->channels && channel <= p->channel[i - 1]) return TK_ERR_PIPELINE;
    }
    return TK_OK;
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

/* `*used` gets the bytes of what follows the header. */
static tk_status parse_imu(tk_pipeline *p, const uint8_t *at, size_t length, size_t *used)
{
    tk_imu_front *front = &p->front;
    uint8_t flags = at[52];
    tk_status status = parse_channels(p, at, TK_IMU_CHANNELS);
    if (status != TK_OK) return status;
    front->window = p->rows = p->window;
    front->channels = p->channels;
    front->features = (uint8_t)p->features;
    front->center = (flags & TK_PIPELINE_CENTER) != 0;
    front->zero = (int8_t)(at[53] < 128 ? at[53] : at[53] - 256);
    front->a_first = front->g_first = -1;
    if (flags & ~(TK_PIPELINE_CENTER | TK_PIPELINE_LENGTH_A | TK_PIPELINE_LENGTH_G)) return TK_ERR_PIPELINE;
    if (p->rate_mhz < TK_RATE_MIN || p->rate_mhz > TK_RATE_MAX) return TK_ERR_PIPELINE;
    if (p->window < 1 || p->window > TK_WINDOW_MAX) return TK_ERR_PIPELINE;
    uint32_t features = p->channels;
    if (flags & TK_PIPELINE_LENGTH_A) {
        if ((front->a_first = find_three(p, 0)) < 0) return TK_ERR_PIPELINE;
        features++;
    }
    if (flags & TK_PIPELINE_LENGTH_G) {
        if ((front->g_first = find_three(p, 3)) < 0) return TK_ERR_PIPELINE;
        features++;
    }
    if (p->features != features) return TK_ERR_PIPELINE;
    *used = 8u * features;
    if (length < HEADER + *used) return TK_ERR_LENGTH;
    return parse_multipliers(front, at + HEADER);
}

static tk_status parse_sound(tk_pipeline *p, const uint8_t *at, size_t length, size_t *used)
{
    const tk_mel_front *mel = &p->mel;
    tk_status status = parse_channels(p, at, 1);
    if (status != TK_OK) return status;
    if (at[52] != 0 || p->rate_mhz != TK_SOUND_RATE) return TK_ERR_PIPELINE;
    status = tk_mel_parse(&p->mel, at + HEADER, length - HEADER, used);
    if (status != TK_OK) return status;
    if (*used > length - HEADER || *used % 4 != 0) return TK_ERR_PIPELINE;
    if (p->window < mel->frame || p->window > TK_SOUND_WINDOW_MAX) return TK_ERR_PIPELINE;
    if (p->hop % mel->hop != 0 || p->features != mel->features) return TK_ERR_PIPELINE;
    p->rows = (uint16_t)(1u + (uint32_t)(p->window - mel->frame) / mel->hop);
    return (uint32_t)p->rows * p->features <= TK_SOUND_INPUT_MAX ? TK_OK : TK_ERR_PIPELINE;
}

/* Thresholds, and zeros up to a multiple of 4. */
static tk_status parse_thresholds(tk_rule *rule, const uint8_t *at, size_t length, size_t *used)
{
    *used = (2u * rule->count + 3u) & ~(size_t)3;
    if (length < *used) return TK_ERR_LENGTH;
    for (uint32_t i = 0; i < rule->count; i++) rule->thresholds[i] = tk_get_u16(at + 2 * i);
    return rule->count % 2 == 0 || tk_get_u16(at + *used - 2) == 0 ? TK_OK : TK_ERR_PIPELINE;
}

/* Labels and then zeros must fill the bytes from `at` to `end`. */
static tk_status check_labels(const uint8_t *at, const uint8_t *end, uint32_t count)
{
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
    tk_rule *rule = &pipeline->rule;
    size_t used = 0, more = 0;
    tk_status status;
    memset(pipeline, 0, sizeof *pipeline);
    if (length < HEADER) return TK_ERR_LENGTH;
    if (tk_get_u32(at) != MAGIC) return TK_ERR_MAGIC;
    if (tk_get_u16(at + 4) != TK_PIPELINE_FORMAT) return TK_ERR_FORMAT;
    if (tk_get_u16(at + 6) != length || length % 4 != 0) return TK_ERR_LENGTH;
    if (at[48] > TK_SENSOR_MIC) return TK_ERR_SENSOR;
    if (at[8 + TK_NAME_BYTES - 1] != 0) return TK_ERR_PIPELINE;
    pipeline->name = (const char *)at + 8;
    pipeline->rate_mhz = tk_get_u32(at + 40);
    pipeline->window = tk_get_u16(at + 44);
    pipeline->hop = tk_get_u16(at + 46);
    pipeline->sensor = at[48];
    pipeline->features = at[50];
    pipeline->label_count = at[51];
    rule->smoothing = at[54];
    rule->count = at[55];
    rule->threshold = tk_get_u16(at + 56);
    rule->suppression_ms = tk_get_u16(at + 58);
    if (pipeline->label_count < 1 || pipeline->label_count > TK_LABELS_MAX) return TK_ERR_PIPELINE;
    if (pipeline->hop < 1 || tk_rule_check(rule, pipeline->label_count) != TK_OK) return TK_ERR_PIPELINE;
    status = at[48] == TK_SENSOR_IMU ? parse_imu(pipeline, at, length, &used)
                                     : parse_sound(pipeline, at, length, &used);
    if (status != TK_OK) return status;
    at += HEADER + used;
    length -= HEADER + used;
    if ((status = parse_thresholds(rule, at, length, &more)) != TK_OK) return status;
    pipeline->labels = at + more;
    return check_labels(pipeline->labels, at + length, pipeline->label_count);
}
