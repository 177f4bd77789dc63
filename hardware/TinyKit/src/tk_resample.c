#include "tk_resample.h"

#include <string.h>

#define RATE_MAX 4000000u
#define RATIO_MAX 64u
#define SAME 50u /* rates that differ by less than one in so many are the same */

tk_status tk_resample_init(tk_resample *resample, uint32_t in_mhz, uint32_t out_mhz)
{
    memset(resample, 0, sizeof *resample);
    if (in_mhz == 0 || out_mhz == 0 || in_mhz > RATE_MAX || out_mhz > RATE_MAX) return TK_ERR_RATE;
    if (in_mhz / out_mhz >= RATIO_MAX || out_mhz / in_mhz >= RATIO_MAX) return TK_ERR_RATE;
    uint32_t apart = in_mhz > out_mhz ? in_mhz - out_mhz : out_mhz - in_mhz;
    if (apart * SAME <= out_mhz) in_mhz = out_mhz;
    uint32_t a = in_mhz, b = out_mhz;
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    resample->in_rate = in_mhz / a;
    resample->out_rate = out_mhz / a;
    resample->need = resample->length = resample->in_rate; /* of the first output only the half after */
    return TK_OK;
}

static int16_t divide_rounded(int64_t sum, int64_t n)
{
    return (int16_t)(sum < 0 ? -((-sum + n / 2) / n) : (sum + n / 2) / n);
}

void tk_resample_give(tk_resample *r, const int16_t *sample)
{
    memcpy(r->next, sample, sizeof r->next);
    r->fresh = true;
}

/* `next` is used up: the next piece begins there. */
static bool move_on(tk_resample *r)
{
    memcpy(r->last, r->next, sizeof r->last);
    r->started = true;
    r->fresh = false;
    return false;
}

/* An input period is `period` long, an output period 2 * in_rate. The integral of the line from `last`
 * to `next` between p and q is (2 period last (q - p) + (next - last) (q^2 - p^2)) / (2 period); the
 * sum of the numerators is below 2^62 at the highest rates. */
static bool take_mean(tk_resample *r, int16_t *out)
{
    uint32_t period = 2 * r->out_rate;
    if (!r->fresh) return false;
    if (!r->started) return move_on(r);
    uint32_t part = period - r->at < r->need ? period - r->at : r->need;
    int64_t p = r->at, q = r->at + part;
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
        r->sum[c] += 2 * (int64_t)period * part * r->last[c] + (q * q - p * p) * (r->next[c] - r->last[c]);
    }
    r->at += part;
    r->need -= part;
    if (r->need > 0) {
        r->at = 0;
        return move_on(r);
    }
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
        out[c] = divide_rounded(r->sum[c], 2 * (int64_t)period * r->length);
        r->sum[c] = 0;
    }
    r->need = r->length = 2 * r->in_rate;
    return true;
}

/* An input period is out_rate long, an output period in_rate. */
static bool take_between(tk_resample *r, int16_t *out)
{
    if (!r->fresh) return false;
    if (!r->started) return move_on(r);
    if (r->at >= r->out_rate) {
        r->at -= r->out_rate;
        return move_on(r);
    }
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
        int64_t rise = (int64_t)(r->next[c] - r->last[c]) * r->at;
        out[c] = divide_rounded((int64_t)r->last[c] * r->out_rate + rise, r->out_rate);
    }
    r->at += r->in_rate;
    return true;
}

bool tk_resample_take(tk_resample *r, int16_t *out)
{
    if (r->in_rate != r->out_rate) return r->out_rate < r->in_rate ? take_mean(r, out) : take_between(r, out);
    if (!r->fresh) return false;
    memcpy(out, r->next, sizeof r->next);
    r->fresh = false;
    return true;
}
