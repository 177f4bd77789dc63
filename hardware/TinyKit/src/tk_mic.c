#include "tk_mic.h"

#include <string.h>

#define SCRATCH 128u /* samples that are thrown away at once */

void tk_mic_init(tk_mic *mic, const tk_hal *hal)
{
    memset(mic, 0, sizeof *mic);
    mic->hal = hal;
}

/* ---- the ring ---- */

uint32_t tk_mic_oldest(const tk_mic *mic)
{
    return mic->total - mic->held;
}

uint32_t tk_mic_waiting(const tk_mic *mic, uint32_t *position, uint32_t *lost)
{
    uint32_t behind = mic->total - *position;
    if (behind > mic->held) {
        if (lost != NULL) *lost += behind - mic->held;
        *position = tk_mic_oldest(mic);
        behind = mic->held;
    }
    return behind;
}

uint32_t tk_mic_run(const tk_mic *mic, uint32_t position, uint32_t most)
{
    for (uint32_t i = 0; i < mic->breaks; i++) {
        uint32_t distance = mic->at[i].position - position; /* of one that lies before it: huge */
        if (distance > 0 && distance < most) most = distance;
    }
    return most;
}

uint32_t tk_mic_index(const tk_mic *mic, uint32_t position)
{
    uint32_t ahead = mic->ahead, age = mic->total - position;
    for (uint32_t i = 0; i < mic->breaks; i++) {
        if (mic->total - mic->at[i].position < age) ahead -= mic->at[i].lost;
    }
    return position + ahead;
}

uint32_t tk_mic_time(const tk_mic *mic, uint32_t position)
{
    /* Before or after the sample whose time is known; half microseconds, as one is 62.5 us. */
    uint32_t back = mic->time_index - tk_mic_index(mic, position);
    return back < 1u << 31 ? mic->time_us - back * 125u / 2u : mic->time_us + (0u - back) * 125u / 2u;
}

static void drop_oldest_break(tk_mic *mic)
{
    mic->breaks--;
    memmove(mic->at, mic->at + 1, mic->breaks * sizeof mic->at[0]);
}

static void put_break(tk_mic *mic, uint32_t lost)
{
    mic->ahead += lost;
    if (mic->held == 0) return; /* nothing lies before it */
    if (mic->breaks == TK_MIC_BREAKS) {
        mic->held = mic->total - mic->at[0].position;
        drop_oldest_break(mic);
    }
    mic->at[mic->breaks++] = (tk_mic_break){mic->total, lost};
}

/* So many samples were put into the ring, the first with that index. */
static void keep_samples(tk_mic *mic, uint32_t index, uint32_t n)
{
    uint32_t lost = index - (mic->total + mic->ahead);
    if (lost != 0) put_break(mic, lost);
    mic->total += n;
    mic->held = mic->held + n < TK_MIC_SAMPLES ? mic->held + n : TK_MIC_SAMPLES;
    while (mic->breaks > 0 && mic->total - mic->at[0].position >= mic->held) drop_oldest_break(mic);
}

void tk_mic_lend(tk_mic *mic)
{
    mic->lent = true;
    mic->held = 0;
    mic->breaks = 0;
}

void tk_mic_take_back(tk_mic *mic)
{
    mic->lent = false;
}

/* ---- the microphone ---- */

static void start(tk_mic *mic)
{
    const tk_hal *hal = mic->hal;
    hal->mic_start(hal->context);
    mic->started_us = hal->micros(hal->context);
    mic->settle = hal->mic_settle_ms * (hal->mic_rate_mhz / 1000u) / 1000u;
    mic->state = mic->settle > 0 ? TK_MIC_SETTLING : TK_MIC_ON;
}

bool tk_mic_start(tk_mic *mic)
{
    if (mic->state != TK_MIC_OFF) return false;
    start(mic);
    mic->seen_us = mic->started_us;
    return true;
}

/* Take one piece of sound; returns how many samples it was. */
static uint32_t take(tk_mic *mic)
{
    const tk_hal *hal = mic->hal;
    int16_t scratch[SCRATCH];
    uint32_t index, time_us;
    bool keep = mic->settle == 0 && !mic->lent;
    uint32_t place = tk_mic_place(mic->total);
    uint32_t room = keep ? TK_MIC_SAMPLES - place : SCRATCH;
    if (mic->settle > 0 && mic->settle < room) room = mic->settle;
    uint32_t n = (uint32_t)hal->mic_read(hal->context, keep ? mic->ring + place : scratch, room, &index, &time_us);
    if (n == 0) return 0;
    mic->time_index = index;
    mic->time_us = time_us;
    if (keep) keep_samples(mic, index, n);
    if (mic->settle <= n) mic->state = TK_MIC_ON;
    mic->settle -= mic->settle < n ? mic->settle : n;
    return n;
}

tk_mic_news tk_mic_tend(tk_mic *mic)
{
    if (mic->state == TK_MIC_OFF) return TK_MIC_NOTHING;
    const tk_hal *hal = mic->hal;
    uint32_t taken = 0, n;
    /* At most half a ring, in case sound comes faster than this loop. */
    while (taken < TK_MIC_SAMPLES / 2 && (n = take(mic)) > 0) taken += n;
    uint32_t now = hal->micros(hal->context);
    if (taken > 0) {
        bool back = mic->dead;
        mic->seen_us = now;
        mic->dead = mic->restarted = false;
        return back ? TK_MIC_BACK : TK_MIC_NOTHING;
    }
    if (!mic->dead && now - mic->seen_us > TK_MIC_DEAD_US) return TK_MIC_DIED;
    if (now - mic->seen_us <= TK_MIC_RESTART_US || now - mic->started_us <= TK_MIC_RESTART_US) return TK_MIC_NOTHING;
    start(mic);
    if (mic->restarted) return TK_MIC_NOTHING; /* told already */
    mic->restarted = true;
    return TK_MIC_RESTARTED;
}

void tk_mic_told_dead(tk_mic *mic)
{
    mic->dead = true;
}
