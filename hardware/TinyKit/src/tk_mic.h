/* tk_mic: the microphone and the last second of its sound.
 *
 * Streams and live predictions read the same ring, each at its own place, as they do with tk_history.
 * Places ("positions") count the samples that were put in; each also has the number (index) that the
 * microphone gave it. The two drift apart where samples were lost: such breaks are remembered as long
 * as the ring holds what lies around them.
 *
 * The microphone is started when it is first needed and stays on. After each start its sound is not to
 * be trusted for a while (3.5 s on a Nano) and is thrown away. A driver that has stopped without a word
 * is started again.
 */
#ifndef TK_MIC_H
#define TK_MIC_H

#include "tk_hal.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TK_MIC_SAMPLES /* a program of its own may have less */
#define TK_MIC_SAMPLES 16384u     /* a power of two; 1.02 s at 16 kHz, 32 KB of RAM */
#endif
#define TK_MIC_BREAKS 8u          /* most breaks within the ring: at one more the oldest sound is let go */
#define TK_MIC_RESTART_US 500000u /* silence after which the driver is started again */
#define TK_MIC_DEAD_US 2000000u   /* silence after which the microphone counts as dead */

typedef enum tk_mic_state { TK_MIC_OFF, TK_MIC_SETTLING, TK_MIC_ON } tk_mic_state;

/* What tk_mic_tend() has done that people should hear of. */
typedef enum tk_mic_news {
    TK_MIC_NOTHING,
    TK_MIC_RESTARTED, /* the driver had stopped; it was started again and settles */
    TK_MIC_DIED,      /* no samples for TK_MIC_DEAD_US; told again until tk_mic_told_dead() */
    TK_MIC_BACK       /* samples come again from a dead microphone */
} tk_mic_news;

/* Where samples were lost, within the ring. */
typedef struct tk_mic_break {
    uint32_t position; /* of the first sample after it */
    uint32_t lost;     /* by how much the index jumps there */
} tk_mic_break;

typedef struct tk_mic {
    const tk_hal *hal;
    tk_mic_state state;
    bool lent;           /* the ring is somebody else's: sound is thrown away */
    bool restarted;      /* told once, until samples come again */
    bool dead;           /* told once likewise */
    uint8_t breaks;      /* in `at`, oldest first */
    tk_mic_break at[TK_MIC_BREAKS];
    uint32_t total;      /* samples put in since the start, wrapping at 2^32: the next one's position */
    uint32_t held;       /* of these, how many the ring still holds */
    uint32_t ahead;      /* index less position, of the latest sample */
    uint32_t settle;     /* samples still to be thrown away */
    uint32_t seen_us;    /* when the last samples came */
    uint32_t started_us; /* when the driver was last started */
    uint32_t time_index; /* a sample, and when it was taken: the latest known */
    uint32_t time_us;
    int16_t ring[TK_MIC_SAMPLES];
} tk_mic;

/* Begin with the microphone off. */
void tk_mic_init(tk_mic *mic, const tk_hal *hal);

/* Start it unless it is on; true when that was done now. There must be one (hal->mic_read). */
bool tk_mic_start(tk_mic *mic);

/* Take what has come, throw away what is not to be trusted, start a driver again that has stopped. To be
 * called at least every 0.1 s. */
tk_mic_news tk_mic_tend(tk_mic *mic);

/* The host was told that the microphone is dead. */
void tk_mic_told_dead(tk_mic *mic);

/* Lend the ring, all TK_MIC_SAMPLES of it, to somebody else, and take it back, empty. */
void tk_mic_lend(tk_mic *mic);
void tk_mic_take_back(tk_mic *mic);

/* Position of the oldest sample that is still there. Valid ones lie from here up to `mic->total`. */
uint32_t tk_mic_oldest(const tk_mic *mic);

/* How many samples wait for a reader at `*position`. A reader so late that the ring has overtaken it is
 * moved to the oldest sample, and `*lost` (if not NULL) grows by what it missed. */
uint32_t tk_mic_waiting(const tk_mic *mic, uint32_t *position, uint32_t *lost);

/* How many of the `most` samples from a valid position on follow one another without a break. */
uint32_t tk_mic_run(const tk_mic *mic, uint32_t position, uint32_t most);

/* Index of the sample at a valid position, and when it was taken (hal->micros). */
uint32_t tk_mic_index(const tk_mic *mic, uint32_t position);
uint32_t tk_mic_time(const tk_mic *mic, uint32_t position);

/* The sample at a valid position lies in ring[tk_mic_place(position)]. */
static inline uint32_t tk_mic_place(uint32_t position) { return position % TK_MIC_SAMPLES; }

#ifdef __cplusplus
}
#endif
#endif
