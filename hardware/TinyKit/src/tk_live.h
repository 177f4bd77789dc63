/* tk_live: windows cut from the running sensor.
 *
 * Reads the history at its own place, resamples to the pipeline's rate and keeps the last window in
 * a ring. It says when an answer is due: when the first window is full, then every `hop` rows. If
 * answers take longer than a hop, hops are skipped, never queued; the answers' numbers show it.
 *
 * When the sensor's numbers jump, a gap of up to a tenth of a second is filled by repeating the last
 * sample; after a longer one the window starts again.
 */
#ifndef TK_LIVE_H
#define TK_LIVE_H

#include "tk_decide.h"
#include "tk_history.h"
#include "tk_pipeline.h"
#include "tk_resample.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_live {
    bool on;
    bool primed;             /* the first sample was seen */
    uint32_t position;       /* of the next sample in the history */
    uint32_t next_index;     /* the number it should have */
    uint32_t gap_most;       /* longest gap that is filled, samples */
    uint16_t rows;           /* in the window so far */
    uint16_t first;          /* oldest row of a full window: where the next one goes */
    uint32_t since;          /* rows since the last answer was due */
    uint32_t number;         /* of the next answer: counts skipped ones too */
    uint32_t sent;           /* answers that went out */
    tk_sample last;          /* last sample used */
    uint8_t channel[8];
    uint8_t channels;
    uint16_t window;
    uint32_t hop;
    tk_resample resample;
    tk_decide decide;
    int16_t ring[TK_WINDOW_MAX * TK_IMU_CHANNELS]; /* `window` rows of `channels` counts */
} tk_live;

/* Begin with everything the history holds, so that the first window may be full at once. A due
 * answer is found by the next tk_live_feed(). TK_ERR_RATE: see tk_resample_init(). */
tk_status tk_live_start(tk_live *live, const tk_pipeline *pipeline, const tk_rule *rule,
                        const tk_history *history, uint32_t sensor_mhz);

/* Take samples up to the next hop; true when an answer for the window is due now. */
bool tk_live_feed(tk_live *live, const tk_history *history);

#ifdef __cplusplus
}
#endif
#endif
