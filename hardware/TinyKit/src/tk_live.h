/* tk_live: windows cut from a running sensor.
 *
 * Keeps the last window's rows in a ring and says when an answer is due: when the first window is full,
 * then every `hop` rows. If answers take longer than a hop, hops are skipped, never queued; the
 * answers' numbers show it.
 *
 * The IMU's rows are samples, read from the history at its own place and resampled to the pipeline's
 * rate; the front end sees the whole window. Sound's rows are frames of the front end: each is computed
 * once, from the microphone's ring, and kept as the network's int8 input.
 *
 * When the sensor's numbers jump, a gap of up to a tenth of a second is bridged: the IMU's last sample
 * is repeated, sound goes on as if nothing were missing. After a longer one the window starts again.
 */
#ifndef TK_LIVE_H
#define TK_LIVE_H

#include "tk_decide.h"
#include "tk_history.h"
#include "tk_mel.h"
#include "tk_mic.h"
#include "tk_pipeline.h"
#include "tk_resample.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_live {
    bool on;
    uint32_t position;       /* of the next sample in the history; of the next frame in the mic's ring */
    uint32_t next_index;     /* the number that the next sample not seen yet should have */
    uint32_t gap_most;       /* longest gap that is bridged, samples */
    uint16_t window;         /* rows in a window */
    uint16_t rows;           /* in the window so far */
    uint16_t first;          /* oldest row of a full window: where the next one goes */
    uint32_t hop;            /* rows from one answer to the next */
    uint32_t since;          /* rows since the last answer was due */
    uint32_t number;         /* of the next answer: counts skipped ones too */
    uint32_t sent;           /* answers that went out */
    uint32_t last_index;     /* of the last sample used, and when it was taken */
    uint32_t last_us;
    tk_decide decide;

    /* IMU */
    bool primed;             /* the first sample was seen */
    uint8_t channel[8];
    uint8_t channels;
    int16_t last[TK_IMU_CHANNELS]; /* last sample used */
    tk_resample resample;

    /* sound */
    const tk_mel_front *mel;
    uint32_t seen;           /* samples before this position were looked at */
    uint32_t overruns;       /* samples that were overwritten before they could be used */
    uint32_t cycle_key;      /* for hal->cycles_start */
    uint32_t cycles;         /* of the frames since the answer before */
    tk_mel_work work;

    union {
        int16_t ring[TK_WINDOW_MAX * TK_IMU_CHANNELS]; /* IMU: `window` rows of `channels` counts */
        int8_t frames[TK_SOUND_INPUT_MAX];             /* sound: `window` rows of features */
    } of;
} tk_live;

/* Begin with everything the history holds, so that the first window may be full at once. A due
 * answer is found by the next tk_live_feed(). TK_ERR_RATE: see tk_resample_init(). */
tk_status tk_live_start(tk_live *live, const tk_pipeline *pipeline, const tk_rule *rule,
                        const tk_history *history, uint32_t sensor_mhz);

/* Take samples up to the next hop; true when an answer for the window is due now. */
bool tk_live_feed(tk_live *live, const tk_history *history);

/* The same for sound. `pipeline` must stay; `cycle_key` names the work of a frame to hal->cycles_start. */
tk_status tk_live_start_sound(tk_live *live, const tk_pipeline *pipeline, const tk_rule *rule,
                              const tk_mic *mic, uint32_t cycle_key);

/* What became of one call of tk_live_hear(). */
typedef enum tk_live_step { TK_LIVE_IDLE, TK_LIVE_FRAME, TK_LIVE_DUE } tk_live_step;

/* Compute one frame if its samples are there: TK_LIVE_FRAME, or TK_LIVE_DUE when an answer is due now.
 * Else TK_LIVE_IDLE. To be called until then; a frame takes a millisecond or two, so look after the
 * sensors in between. */
tk_live_step tk_live_hear(tk_live *live, const tk_mic *mic);

/* The last window as the network's input: window x features int8 to `out`, oldest row first. */
void tk_live_heard(const tk_live *live, int8_t *out);

#ifdef __cplusplus
}
#endif
#endif
