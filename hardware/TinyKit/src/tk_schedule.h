/* tk_schedule: numbers and times of readings that a driver neither counts nor times.
 *
 * A sensor takes a reading every so often, on a clock of its own that is a few per cent fast or slow; the
 * driver keeps one or some of them until they are taken, and forgets the oldest when it can keep no more.
 * What is known here is only when each was taken from the driver. From that follows when the sensor must
 * have made it, and how many were forgotten: exact as long as the sensor's period is what it says, within
 * a part in eight of a period per reading, and all that wait are taken one after the other.
 */
#ifndef TK_SCHEDULE_H
#define TK_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero before the first reading. Caller-owned. */
typedef struct tk_schedule {
    bool begun;
    uint32_t index;   /* number of the latest reading, those that were lost counted too */
    uint32_t time_us; /* when it was ready */
    uint32_t taken_us; /* when it was taken */
} tk_schedule;

/* A reading was just taken, at `now_us`, from a driver that keeps the latest `kept` (1 or more) of a sensor
 * that makes one every `period_us`: sets index and time_us. Right if called at least every half hour. */
void tk_schedule_reading(tk_schedule *schedule, uint32_t now_us, uint32_t period_us, uint32_t kept);

#ifdef __cplusplus
}
#endif
#endif
