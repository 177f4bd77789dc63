#include "tk_live.h"

#include <string.h>

tk_status tk_live_start_sound(tk_live *live, const tk_pipeline *pipeline, const tk_rule *rule,
                              const tk_mic *mic, uint32_t cycle_key)
{
    const tk_mel_front *mel = &pipeline->mel;
    memset(live, 0, sizeof *live);
    tk_status status = tk_decide_init(&live->decide, rule, pipeline->label_count);
    if (status != TK_OK) return status;
    live->mel = mel;
    live->window = pipeline->rows;
    live->hop = pipeline->hop / mel->hop;
    live->gap_most = pipeline->rate_mhz / 10000;
    live->cycle_key = cycle_key;
    /* Of the windows that the ring holds only the last is worth an answer. */
    uint32_t frames = mic->held < mel->frame ? 0 : 1u + (mic->held - mel->frame) / mel->hop;
    live->position = live->seen = tk_mic_oldest(mic);
    if (frames > live->window) live->position = live->seen += (frames - live->window) * mel->hop;
    live->next_index = tk_mic_index(mic, live->seen);
    live->on = true;
    return TK_OK;
}

static void start_window(tk_live *live, const tk_mic *mic, uint32_t position)
{
    live->position = live->seen = position;
    live->next_index = tk_mic_index(mic, position);
    live->rows = 0;
    live->first = 0;
}

/* Is the next frame whole? Short gaps in it are bridged, a longer one starts the window again. */
static bool find_frame(tk_live *live, const tk_mic *mic)
{
    for (;;) {
        uint32_t lost = 0, frame = live->mel->frame;
        uint32_t waiting = tk_mic_waiting(mic, &live->position, &lost);
        live->overruns += lost;
        if (lost > 0) start_window(live, mic, live->position);
        if (waiting < frame) return false;
        uint32_t end = live->position + frame;
        while (live->seen != end) {
            uint32_t index = tk_mic_index(mic, live->seen);
            if (index - live->next_index > live->gap_most) break;
            uint32_t run = tk_mic_run(mic, live->seen, end - live->seen);
            live->seen += run;
            live->next_index = index + run;
        }
        if (live->seen == end) return true;
        start_window(live, mic, live->seen);
    }
}

static void put_frame(tk_live *live, const tk_mic *mic)
{
    const tk_hal *hal = mic->hal;
    float features[TK_MEL_BANDS_MAX];
    if (hal->cycles_start != NULL) hal->cycles_start(hal->context, live->cycle_key);
    tk_mel_frame(live->mel, mic->ring, TK_MIC_SAMPLES, tk_mic_place(live->position), &live->work, features);
    tk_mel_quantized(live->mel, features, live->of.frames + live->first * live->mel->features);
    if (hal->cycles_stop != NULL) live->cycles += hal->cycles_stop(hal->context);
    uint32_t last = live->position + live->mel->frame - 1;
    live->last_index = tk_mic_index(mic, last);
    live->last_us = tk_mic_time(mic, last);
    live->position += live->mel->hop;
}

tk_live_step tk_live_hear(tk_live *live, const tk_mic *mic)
{
    if (!live->on || !find_frame(live, mic)) return TK_LIVE_IDLE;
    put_frame(live, mic);
    if (++live->first == live->window) live->first = 0;
    live->since++;
    /* The first answer is due as soon as the window is full. */
    if (live->rows < live->window && ++live->rows == live->window) live->since = live->hop;
    if (live->rows < live->window || live->since < live->hop) return TK_LIVE_FRAME;
    live->since = 0;
    /* Sound that waits already makes a further hop: answer that one instead. */
    uint32_t further = (live->hop - 1) * live->mel->hop + live->mel->frame;
    if (mic->total - live->position < further) return TK_LIVE_DUE;
    live->number++;
    return TK_LIVE_FRAME;
}

void tk_live_heard(const tk_live *live, int8_t *out)
{
    uint32_t features = live->mel->features;
    uint32_t before = live->first * features, all = live->window * features;
    memcpy(out, live->of.frames + before, all - before);
    memcpy(out + all - before, live->of.frames, before);
}
