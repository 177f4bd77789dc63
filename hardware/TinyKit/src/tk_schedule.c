#include "tk_schedule.h"

void tk_schedule_reading(tk_schedule *schedule, uint32_t now_us, uint32_t period_us, uint32_t kept)
{
    if (!schedule->begun) {
        *schedule = (tk_schedule){true, 0, now_us, now_us};
        return;
    }
    uint32_t before = schedule->taken_us;
    schedule->taken_us = now_us;
    schedule->index++;
    schedule->time_us += period_us;
    /* After a pause: the one before was the last that waited, so this one was made since. Without this a slow
     * sensor's backlog would put the schedule behind for good. */
    if (now_us - before > period_us / 2 && before - schedule->time_us < 1u << 31) {
        schedule->time_us = before;
    }
    uint32_t late = now_us - schedule->time_us;
    if (late >= 1u << 31) { /* it is early: the sensor is faster than it says, or the ones before came late */
        schedule->time_us = now_us;
        return;
    }
    uint32_t due = late / period_us + 1; /* readings that are ready by now, this one among them */
    if (due > kept) {
        schedule->index += due - kept;
        schedule->time_us += (due - kept) * period_us;
        late -= (due - kept) * period_us;
    }
    /* A slower sensor is late more each time: follow it. But one reading of several that waited is late for
     * another reason. */
    if (late < period_us) schedule->time_us += late / 8;
}
