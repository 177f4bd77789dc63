/* tk_solo: one pipeline that runs by itself, from sensor to decision: no host, no link, no slots.
 *
 * For programs that are made for one pipeline (tinykit export); the firmware that is flashed once has
 * tk_device instead. Both cut windows, compute features and decide by the same code. The network may be
 * anybody's: the engine of this library, or TensorFlow Lite Micro.
 *
 * The program owns the sensor. It puts readings into a tk_history and asks tk_solo_feel(), or tends a
 * tk_mic and asks tk_solo_hear(), at least ten times a second:
 *
 *     tk_solo_init(&solo, &hal, section, bytes, &network);
 *     tk_solo_start_imu(&solo, &history, 119000);
 *     for (;;) {
 *         while (there is a reading) tk_history_push(&history, &reading);
 *         if (tk_solo_feel(&solo, &history, &answer)) show it;
 *     }
 */
#ifndef TK_SOLO_H
#define TK_SOLO_H

#include "tk_live.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A network with int8 input and output, as TensorFlow Lite lays them out. */
typedef struct tk_solo_network {
    void *context;                    /* handed to `run` */
    tk_status (*run)(void *context);  /* from input to output */
    int8_t *input;                    /* is written before each run */
    size_t input_bytes;
    const int8_t *output;             /* is read after it */
    size_t output_bytes;
} tk_solo_network;

/* Caller-owned, about 16 KB; the sensor's memory comes on top (tk_history or tk_mic). */
typedef struct tk_solo {
    const tk_hal *hal;       /* `micros`, and for sound what tk_mic wants */
    tk_solo_network network;
    tk_pipeline pipeline;
    uint64_t time_us;        /* of the latest answer's last sample, without wrapping */
    tk_live live;
} tk_solo;

typedef struct tk_solo_answer {
    tk_status status;        /* TK_OK, or what the network's run gave: then nothing else is valid */
    uint32_t number;         /* counts hops: a gap means that the network was too slow for some */
    uint32_t time_ms;        /* when the window's last sample was taken, since the board's start */
    uint32_t run_us;         /* what the network took */
    const int8_t *output;    /* of the network: q + 128 is a probability of 256 */
    tk_decision decision;
} tk_solo_answer;

/* Read a pipeline section (tk_pipeline.h), which must stay where it is, and take a network.
 * As tk_pipeline_parse(); TK_ERR_SHAPE when input or output have not the sizes that the section says. */
tk_status tk_solo_init(tk_solo *solo, const tk_hal *hal, const void *section, size_t length,
                       const tk_solo_network *network);

/* Begin with what the history holds, of a sensor with this rate. TK_ERR_SENSOR: the pipeline listens. */
tk_status tk_solo_start_imu(tk_solo *solo, const tk_history *history, uint32_t sensor_mhz);

/* True when an answer was due; it may have failed, see its status. */
bool tk_solo_feel(tk_solo *solo, const tk_history *history, tk_solo_answer *answer);

/* The same for sound. The microphone is started if it was not. TK_ERR_SENSOR: the pipeline feels. */
tk_status tk_solo_start_mic(tk_solo *solo, tk_mic *mic);
bool tk_solo_hear(tk_solo *solo, const tk_mic *mic, tk_solo_answer *answer);

/* ---- is all of it as it was on the computer that made the program? ---- */

/* A made-up window, and what the computer found for it. */
typedef struct tk_solo_check {
    uint32_t seed;           /* of the noise */
    uint32_t level;          /* its loudness: 0 the full range, each further step halves it; at most 15 */
    uint32_t input_crc32;    /* of the network's input */
    const int8_t *output;    /* of the network */
} tk_solo_check;

typedef struct tk_solo_checked {
    uint32_t windows;        /* looked at */
    uint32_t inputs_wrong;   /* of these, how many came out of the front end otherwise */
    uint32_t outputs_wrong;  /* how many the network answered otherwise; none may be, with this engine */
    uint32_t most;           /* largest difference of an output, of 255 */
} tk_solo_checked;

/* Try `count` windows, before a start: they are made where the live window will be. TK_OK, whether they
 * came out right or not, or what the network's run gave. */
tk_status tk_solo_check_imu(tk_solo *solo, const tk_solo_check *checks, uint32_t count, tk_solo_checked *checked);
tk_status tk_solo_check_mic(tk_solo *solo, tk_mic *mic, const tk_solo_check *checks, uint32_t count,
                            tk_solo_checked *checked);

/* The next sample of such a window. */
static inline int16_t tk_solo_noise(uint32_t *seed, uint32_t level)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int16_t)((int32_t)(*seed >> (16u + level)) - (int32_t)(32768u >> level));
}

/* For tk_solo_imu.c and tk_solo_mic.c: run the network on its input, and decide; compare a check. */
bool tk_solo_answer_now(tk_solo *solo, tk_solo_answer *answer);
tk_status tk_solo_compare(tk_solo *solo, const tk_solo_check *check, tk_solo_checked *checked);

#ifdef __cplusplus
}
#endif
#endif
