/* tk_resample: from the sensor's rate to the pipeline's, in integers only.
 *
 * Exact in time: rates are whole thousandths of a hertz, and the ratio of the two is kept as a
 * fraction, so that nothing drifts however long it runs. Output k lies at k / out_rate, the first at
 * the first input's time.
 *   - faster: straight lines between samples;
 *   - slower: the mean of those straight lines over one output period, half before and half after
 *     (the first output: the half after), which keeps most of what would alias out;
 *   - within 2 % of each other: what comes in goes out, because a sensor's true rate is as far from
 *     its nominal one.
 * Results are rounded half away from zero. tinykit/data/windows.py does the same in floating point.
 */
#ifndef TK_RESAMPLE_H
#define TK_RESAMPLE_H

#include <stdbool.h>

#include "tk_hal.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_resample {
    uint32_t in_rate, out_rate; /* mHz, divided by what they have in common; equal: pass through */
    uint32_t at;                /* how much of the way from `last` to `next` is used up; an input period
                                   is out_rate long when going faster, 2 * out_rate when slower */
    uint32_t need, length;      /* slower: what the open output still lacks, and its whole length */
    bool started, fresh;        /* is there a `last`; is `next` not used up yet */
    int16_t last[TK_IMU_CHANNELS];
    int16_t next[TK_IMU_CHANNELS];
    int64_t sum[TK_IMU_CHANNELS];
} tk_resample;

/* Begin. TK_ERR_RATE: a rate of 0 or above 4 kHz, or more than 64 times faster or slower. */
tk_status tk_resample_init(tk_resample *resample, uint32_t in_mhz, uint32_t out_mhz);

/* Give the next input, all six channels. Take every output (tk_resample_take) before giving another. */
void tk_resample_give(tk_resample *resample, const int16_t *sample);

/* Take the next output if there is one. */
bool tk_resample_take(tk_resample *resample, int16_t *sample);

#ifdef __cplusplus
}
#endif
#endif
