#include "tk_resample.h"

#include <string.h>

#define RATE_MAX 4000000u
#define RATIO_MAX 64u

tk_status tk_resample_init(tk_resample *resample, uint32_t in_mhz, uint32_t out_mhz)
{
    memset(resample, 0, sizeof *resample);
    if (in_mhz == 0 || out_mhz == 0 || in_mhz > RATE_MAX || out_mhz > RATE_MAX) return TK_ERR_RATE;
    if (in_mhz / out_mhz >= RATIO_MAX || out_mhz / in_mhz >= RATIO_MAX) return TK_ERR_RATE;
    uint32_t a = in_mhz, b = out_mhz;
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    resample->in_rate = in_mhz / a;
    resample->out_rate = out_mhz / a;
    return TK_OK;
}

static int16_t divide_rounded(int64_t sum, uint32_t n)
{
    int64_t half = n / 2;
    return (int16_t)(sum < 0 ? -((-sum + half) / n) : (sum + half) / n);
}

void tk_resample_give(tk_resample *r, const int16_t *sample)
{
    memcpy(r->next, sample, sizeof r->next);
    r->fresh = true;
    r->left = r->out_rate;
}

/* In units of 1 / (in_rate * out_rate) an input period is out_rate long, an output period in_rate. */

static bool take_mean(tk_resample *r, int16_t *out)
{
    uint32_t need = r->in_rate - r->phase;
    uint32_t part = r->left < need ? r->left : need;
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) r->sum[c] += (int64_t)r->next[c] * part;
    r->left -= part;
    r->phase += part;
    if (r->phase < r->in_rate) return false;
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
        out[c] = divide_rounded(r->sum[c], r->in_rate);
        r->sum[c] = 0;
    }
    r->phase = 0;
    return true;
}

static bool take_between(tk_resample *r, int16_t *out)
{
    if (!r->fresh) return false;
    if (r->started && r->phase < r->out_rate) {
        for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
            int64_t rise = (int64_t)(r->next[c] - r->last[c]) * r->phase;
            out[c] = (int16_t)(divide_rounded((int64_t)r->last[c] * r->out_rate + rise, r->out_rate));
        }
        r->phase += r->in_rate;
        return true;
    }
    if (r->started) r->phase -= r->out_rate; /* the next output lies after `next` */
    r->started = true;
    r->fresh = false;
    memcpy(r->last, r->next, sizeof r->last);
    return false;
}

bool tk_resample_take(tk_resample *r, int16_t *out)
{
    if (r->in_rate == r->out_rate) {
        if (!r->fresh) return false;
        memcpy(out, r->next, sizeof r->next);
        r->fresh = false;
        return true;
    }
    return r->out_rate < r->in_rate ? take_mean(r, out) : take_between(r, out);
}
