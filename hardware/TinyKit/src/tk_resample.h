/* tk_resample: from the sensor's rate to the pipeline's, in integers only.
 *
 * Exact in time: rates are whole thousandths of a hertz, and the ratio of the two is kept as a
 * fraction, so that nothing drifts however long it runs.
 *   - same rate: what comes in goes out;
 *   - faster: straight lines between samples; output k lies at k / out_rate;
 *   - slower: the mean over the output period, each input sample standing for its own period;
 *     output k is the mean over the time from k / out_rate to (k + 1) / out_rate.
 * Results are rounded half away from zero.
 */
#ifndef TK_RESAMPLE_H
#define TK_RESAMPLE_H

#include <stdbool.h>

#include "tk_hal.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_resample {
    uint32_t in_rate, out_rate; /* mHz, divided by what they have in common */
    uint32_t phase;             /* slower: time collected for the open output; faster: time of the next
                                   output after `last`; units of 1 / (in_rate * out_rate) */
    uint32_t left;              /* slower: part of `next` that was not used yet, the same units */
    bool started, fresh;        /* is there a `last`; was `next` not looked at yet */
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
