#include "tk_mel.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_fft.h"
#include "tk_float.h"

typedef float real;
typedef const int16_t *source;
#define TIMES(a, b) tk_times(a, b)

static inline void pair(const int16_t *sound, uint32_t i, float *re, float *im)
{
    *re = (float)sound[i];
    *im = (float)sound[i + 1];
}

static inline float exponent_of(float x, float *e)
{
    const uint32_t least = 0x3F3504F3u; /* sqrt(1/2) */
    union { float value; uint32_t bits; } u = {x};
    u.bits += 0x3F800000u - least;
    *e = (float)((int32_t)(u.bits >> 23) - 127);
    u.bits = (u.bits & 0x7FFFFFu) + least;
    return u.value;
}

#include "tk_mel_body.inc"

float tk_ln(float x)
{
    return ln_of(x);
}

/* Positive floats are in the order of their bits. */
#define BITS_LEAST_FLOOR 0x1E3CE508u /* 1e-20 */
#define BITS_WINDOW 0x37800000u      /* 1 / 65536 */
#define BITS_ONE 0x3F800000u
#define BITS_RATE_HALF 0x45FA0000u   /* 8000 */
#define BITS_FACTOR 0x4E6E6B28u      /* 1e9 */
#define ANY_SIGN 0x7FFFFFFFu

/* Are `count` floats at `at` of absolute value at most that with the bits `most`? `mask` ANY_SIGN, or
 * all ones if none may be negative. No infinity and no NaN passes. */
static int within(const uint8_t *at, size_t count, uint32_t mask, uint32_t most)
{
    for (; count > 0; count--, at += 4) {
        if ((tk_get_u32(at) & mask) > most) return 0;
    }
    return 1;
}

static tk_status parse_spans(tk_mel_front *front, const uint8_t *at, uint32_t weights)
{
    uint32_t sum = 0;
    front->first = UINT16_MAX;
    for (uint32_t band = 0; band < front->bands; band++, at += 4) {
        uint32_t first = tk_get_u16(at), count = tk_get_u16(at + 2);
        if (first < 1 || count < 1 || first + count > front->points / 2u) return TK_ERR_PIPELINE;
        if (first < front->first) front->first = (uint16_t)first;
        if (first + count > front->end) front->end = (uint16_t)(first + count);
        sum += count;
    }
    return sum == weights ? TK_OK : TK_ERR_PIPELINE;
}

tk_status tk_mel_parse(tk_mel_front *front, const uint8_t *block, size_t length, size_t *used)
{
    memset(front, 0, sizeof *front);
    *used = 0;
    if ((uintptr_t)block % 4 != 0) return TK_ERR_ALIGNMENT;
    if (length < TK_MEL_BLOCK_MIN) return TK_ERR_LENGTH;
    front->frame = tk_get_u16(block);
    front->hop = tk_get_u16(block + 2);
    front->points = tk_get_u16(block + 4);
    front->bands = block[6];
    front->coefficients = block[7];
    front->features = front->coefficients != 0 ? front->coefficients : front->bands;
    const uint32_t floor = tk_get_u32(block + 8), low = tk_get_u32(block + 12), high = tk_get_u32(block + 16);
    const uint32_t points = front->frame > 512 ? 1024 : front->frame > 256 ? 512 : 256;
    const uint32_t weights = tk_get_u16(block + 20);
    if (front->frame < TK_MEL_FRAME_MIN || front->frame > TK_MEL_FRAME_MAX || front->frame % 2 != 0 ||
        front->hop < 1 || front->hop > front->frame || front->points != points || front->bands < 1 ||
        front->bands > TK_MEL_BANDS_MAX || front->coefficients > front->bands || floor < BITS_LEAST_FLOOR ||
        floor > BITS_ONE || low >= high || high > BITS_RATE_HALF || tk_get_u16(block + 22) != 0) {
        return TK_ERR_PIPELINE;
    }
    const size_t table = (size_t)front->coefficients * front->bands;
    const size_t words = front->frame + front->bands + weights + table + 2u * front->features;
    if (length < TK_MEL_BLOCK_MIN + 4 * words) return TK_ERR_LENGTH;
    const uint8_t *at = block + TK_MEL_BLOCK_MIN;
    memcpy(&front->floor, &floor, sizeof floor);
    front->window = (const float *)(const void *)at;
    if (!within(at, front->frame, ~0u, BITS_WINDOW)) return TK_ERR_PIPELINE;
    at += 4u * front->frame;
    front->spans = (const uint16_t *)(const void *)at;
    if (parse_spans(front, at, weights) != TK_OK) return TK_ERR_PIPELINE;
    at += 4u * front->bands;
    front->weights = (const float *)(const void *)at;
    if (!within(at, weights, ~0u, BITS_ONE)) return TK_ERR_PIPELINE;
    at += 4u * weights;
    front->dct = (const float *)(const void *)at;
    if (!within(at, table, ANY_SIGN, BITS_ONE)) return TK_ERR_PIPELINE;
    at += 4u * table;
    front->gain = (const float *)(const void *)at;
    front->offset = front->gain + front->features;
    if (!within(at, 2u * front->features, ANY_SIGN, BITS_FACTOR)) return TK_ERR_PIPELINE;
    *used = TK_MEL_BLOCK_MIN + 4 * words;
    return TK_OK;
}

void tk_mel_frame(const tk_mel_front *front, const int16_t *sound, uint32_t size, uint32_t start,
                  tk_mel_work *work, float *out)
{
    const uint32_t before = size - start;
    const int16_t *frame = sound + start;
    if (before < front->frame) {
        memcpy(work->straight, frame, before * sizeof *frame);
        memcpy(work->straight + before, sound, (front->frame - before) * sizeof *frame);
        frame = work->straight;
    }
    features_of(front, frame, work->z, work->energy, out);
}

void tk_mel_quantized(const tk_mel_front *front, const float *features, int8_t *out)
{
    for (uint32_t i = 0; i < front->features; i++) {
        float v = tk_times(features[i], front->gain[i]) + front->offset[i];
        v = v < -128.0f ? -128.0f : v > 127.0f ? 127.0f : v;
        int32_t whole = (int32_t)v;
        float rest = v - (float)whole; /* exact; adding a half to v would not be */
        out[i] = (int8_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
    }
}
