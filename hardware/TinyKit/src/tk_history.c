#include "tk_history.h"

void tk_history_init(tk_history *history)
{
    history->total = 0;
    history->held = 0;
}

void tk_history_push(tk_history *history, const tk_sample *sample)
{
    history->ring[history->total % TK_HISTORY_SAMPLES] = *sample;
    history->total++;
    if (history->held < TK_HISTORY_SAMPLES) history->held++;
}

uint32_t tk_history_oldest(const tk_history *history)
{
    return history->total - history->held;
}

uint32_t tk_history_waiting(const tk_history *history, uint32_t *position, uint32_t *lost)
{
    uint32_t behind = history->total - *position;
    if (behind > history->held) {
        if (lost != NULL) *lost += behind - history->held;
        *position = tk_history_oldest(history);
        behind = history->held;
    }
    return behind;
}

const tk_sample *tk_history_at(const tk_history *history, uint32_t position)
{
    return &history->ring[position % TK_HISTORY_SAMPLES];
}
