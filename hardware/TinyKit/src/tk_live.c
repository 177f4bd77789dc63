#include "tk_live.h"

#include <string.h>

tk_status tk_live_start(tk_live *live, const tk_pipeline *pipeline, const tk_rule *rule,
                        const tk_history *history, uint32_t sensor_mhz)
{
    memset(live, 0, sizeof *live);
    tk_status status = tk_resample_init(&live->resample, sensor_mhz, pipeline->rate_mhz);
    if (status == TK_OK) status = tk_decide_init(&live->decide, rule, pipeline->label_count);
    if (status != TK_OK) return status;
    memcpy(live->channel, pipeline->channel, sizeof live->channel);
    live->channels = pipeline->channels;
    live->window = pipeline->rows;
    live->hop = pipeline->hop;
    live->gap_most = sensor_mhz / 10000;
    live->position = tk_history_oldest(history);
    live->on = true;
    return TK_OK;
}

static void put_row(tk_live *live, const int16_t *sample)
{
    int16_t *row = live->of.ring + live->first * live->channels;
    for (uint32_t c = 0; c < live->channels; c++) row[c] = sample[live->channel[c]];
    if (++live->first == live->window) live->first = 0;
    live->since++;
    /* The first answer is due as soon as the window is full. */
    if (live->rows < live->window && ++live->rows == live->window) live->since = live->hop;
}

static void put_sample(tk_live *live, const int16_t *sample)
{
    int16_t row[TK_IMU_CHANNELS];
    tk_resample_give(&live->resample, sample);
    while (tk_resample_take(&live->resample, row)) put_row(live, row);
}

static void start_window(tk_live *live)
{
    /* Both rates were accepted before. */
    (void)tk_resample_init(&live->resample, live->resample.in_rate, live->resample.out_rate);
    live->rows = 0;
    live->first = 0;
}

static void take_sample(tk_live *live, const tk_sample *sample)
{
    uint32_t gap = live->primed ? sample->index - live->next_index : 0;
    if (gap > live->gap_most) {
        start_window(live);
    } else {
        for (; gap > 0; gap--) put_sample(live, live->last);
    }
    put_sample(live, sample->value);
    memcpy(live->last, sample->value, sizeof live->last);
    live->last_index = sample->index;
    live->last_us = sample->time_us;
    live->next_index = sample->index + 1;
    live->primed = true;
}

bool tk_live_feed(tk_live *live, const tk_history *history)
{
    uint32_t waiting;
    if (!live->on) return false;
    bool first_answer = live->number == 0, old = false;
    while ((waiting = tk_history_waiting(history, &live->position, NULL)) > 0) {
        take_sample(live, tk_history_at(history, live->position));
        live->position++;
        waiting--;
        if (live->rows < live->window || live->since < live->hop) continue;
        /* Of the windows that the history holds at the start only the last is worth an answer. */
        if (first_answer && waiting > 0) {
            old = true;
            continue;
        }
        /* A sample may give several rows: those beyond the hop belong to the next one. */
        live->since = old || live->since >= 2 * live->hop ? 0 : live->since - live->hop;
        /* Rows that wait already make a further hop: answer that one instead. */
        if ((uint64_t)waiting * live->resample.out_rate >= (uint64_t)live->hop * live->resample.in_rate) {
            live->number++;
            continue;
        }
        return true;
    }
    return false;
}
