/* tk_device: answers requests, streams sensors, runs the active pipeline.
 *
 * The whole board behind one struct and two functions: a sketch fills in a tk_hal, calls
 * tk_device_init() once and tk_device_poll() for ever. hardware/PROTOCOL.md is what it speaks.
 */
#ifndef TK_DEVICE_H
#define TK_DEVICE_H

#include "tk_audio.h"
#include "tk_engine.h"
#include "tk_environment.h"
#include "tk_hal.h"
#include "tk_history.h"
#include "tk_link.h"
#include "tk_live.h"
#include "tk_mic.h"
#include "tk_pipeline.h"
#include "tk_plan.h"
#include "tk_slots.h"
#include "tk_stream.h"
#include "tk_typed.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All state of a device, 64 KB. Caller-owned; the fields are nobody else's business. */
typedef struct tk_device {
    const tk_hal *hal;
    uint8_t *arena;
    uint32_t arena_bytes;
    tk_link link;
    uint8_t in[64];          /* received bytes that were not looked at yet: in_at to in_count */
    uint8_t in_at, in_count;
    tk_history history;
    tk_stream stream;        /* of the IMU */
    tk_mic mic;
    tk_stream audio;         /* of the microphone */
    tk_environment environment;
    bool text;               /* text mode: lines instead of frames, until a zero byte or `stop` arrives */
    tk_typed typed;
    tk_slots slots;
    bool has_plan;           /* a plan is bound to the engine: it is the active slot's */
    bool has_pipeline;       /* and it is more than a bare network */
    tk_plan plan;
    tk_engine engine;
    tk_pipeline pipeline;
    tk_rule rule;            /* in force: the pipeline's, or what DECISION said */
    tk_live live;
    uint32_t micros_low;     /* hal->micros at the last look, and how often it has wrapped */
    uint32_t micros_high;
    uint32_t tended_us;      /* when samples were last taken */
    uint32_t imu_seen_us;    /* when the last sample came */
    bool imu_dead;           /* none for a second: told once */
    bool overrun_told;       /* that live predictions came too late for sound, and when last */
    uint32_t overrun_us;
    /* The last request if it was one that must not be done twice, and its reply. */
    uint8_t done_type, done_seq, done_length;
    uint8_t done[12];
} tk_device;

/* Start a device. `hal` and `arena` (a multiple of 16, bytes of it) must stay. Reads both slots and
 * makes the active pipeline ready, which takes 0.2 s when both are full. */
void tk_device_init(tk_device *device, const tk_hal *hal, void *arena, size_t arena_bytes);

/* Do what is to do now and return: take samples, answer requests, answer one window, send what
 * waits. To be called again and again, at least every 0.1 s or the sensors' own memories run over. */
void tk_device_poll(tk_device *device);

/* Microseconds since boot, without wrapping; right if tk_device_poll runs at least once an hour. */
uint64_t tk_device_micros(tk_device *device);

/* sizeof(tk_device), for a host that calls this by ctypes. */
size_t tk_device_size(void);

/* ---- for tk_call_*.c and tk_predict.c ---- */

/* Is there such a sensor (TK_SENSOR_...)? */
bool tk_device_has_sensor(const tk_device *device, uint8_t sensor);

/* Start the microphone unless it is on, and say so; take its ring back if it was lent. There must be one. */
void tk_device_start_mic(tk_device *device);

/* Enter the text mode: lines of a sensor from its next sample on, until a zero byte or `stop` arrives.
 * TK_ERR_SENSOR: there is none; nothing has changed. */
tk_status tk_device_start_text(tk_device *device, uint8_t sensor);

/* Bind the active slot's plan to the engine. If live predictions were on they go on with it, from the
 * history; if they can't, the host is told and they stop. */
void tk_device_use_active(tk_device *device);

/* Start live predictions. TK_ERR_NO_PLAN, TK_ERR_NO_PIPELINE, TK_ERR_SENSOR, TK_ERR_RATE. */
tk_status tk_device_start_live(tk_device *device);

/* Queue a text for people. */
void tk_device_log(tk_device *device, const char *text);

/* Tell that something is wrong. False when there was no room: to be tried again. */
bool tk_device_fault(tk_device *device, tk_status status, const char *text);

/* In the midst of long work: take samples and send what waits, if it is time. Builds events. */
void tk_device_tend_if_due(tk_device *device);

#ifdef __cplusplus
}
#endif
#endif
