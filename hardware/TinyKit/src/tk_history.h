/* tk_history: the last four seconds of the IMU.
 *
 * The device always samples. Streams and live predictions read the same ring, each at its own
 * place, so that a pipeline that has just been deployed finds its first window already there.
 */
#ifndef TK_HISTORY_H
#define TK_HISTORY_H

#include "tk_hal.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TK_HISTORY_SAMPLES /* a program of its own may have less */
#define TK_HISTORY_SAMPLES 512u /* a power of two; 4.3 s at 119 Hz, 10 KB of RAM */
#endif

typedef struct tk_history {
    tk_sample ring[TK_HISTORY_SAMPLES];
    uint32_t total; /* samples put in since the start, wrapping at 2^32 */
    uint32_t held;  /* of these, how many the ring still holds */
} tk_history;

void tk_history_init(tk_history *history);

/* Put a sample in; the oldest is forgotten when the ring is full. */
void tk_history_push(tk_history *history, const tk_sample *sample);

/* Position of the oldest sample that is still there. Positions count samples from the start;
 * valid ones lie from here up to, not including, `history->total`. */
uint32_t tk_history_oldest(const tk_history *history);

/* How many samples wait for a reader at `*position`. A reader so late that the ring has overtaken
 * it is moved to the oldest sample, and `*lost` (if not NULL) grows by what it missed. */
uint32_t tk_history_waiting(const tk_history *history, uint32_t *position, uint32_t *lost);

/* The sample at a valid position; stays there until TK_HISTORY_SAMPLES more have come. */
const tk_sample *tk_history_at(const tk_history *history, uint32_t position);

#ifdef __cplusplus
}
#endif
#endif
