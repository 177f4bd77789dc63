/* tk_device: answers requests, streams sensors, runs the active pipeline.
 *
 * The whole board behind one struct and two functions: a sketch fills in a tk_hal, calls
 * tk_device_init() once and tk_device_poll() for ever. hardware/PROTOCOL.md is what it speaks.
 */
#ifndef TK_DEVICE_H
#define TK_DEVICE_H

#include "tk_hal.h"
#include "tk_history.h"
#include "tk_link.h"
#include "tk_stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All state of a device, about 16 KB. Caller-owned; the fields are nobody else's business. */
typedef struct tk_device {
    const tk_hal *hal;
    uint8_t *arena;
    uint32_t arena_bytes;
    tk_link link;
    uint8_t in[64];          /* received bytes that were not looked at yet: in_at to in_count */
    uint8_t in_at, in_count;
    tk_history history;
    tk_stream stream;
    bool text;               /* text mode: lines instead of frames, until a zero byte arrives */
    uint32_t micros_low;     /* hal->micros at the last poll, and how often it has wrapped */
    uint32_t micros_high;
    uint32_t imu_seen_us;    /* when the last sample came */
    bool imu_dead;           /* none for a second: told once */
} tk_device;

/* Start a device. `hal` and `arena` (a multiple of TK_ARENA_ALIGN, bytes of it) must stay. Reads
 * both slots and makes the active pipeline ready, which takes about 0.1 s when both are full. */
void tk_device_init(tk_device *device, const tk_hal *hal, void *arena, size_t arena_bytes);

/* Do what is to do now and return: take samples, answer requests, send what waits. To be called
 * again and again, at least every 0.2 s or the IMU's own memory runs over. */
void tk_device_poll(tk_device *device);

/* Microseconds since boot, without wrapping; right if tk_device_poll runs at least once an hour. */
uint64_t tk_device_micros(tk_device *device);

#ifdef __cplusplus
}
#endif
#endif
