#include <string.h>

#include "tk_protocol.h"
#include "tk_solo.h"

#define FRAMES_AT_ONCE 8u /* some ten milliseconds; then the microphone wants to be tended */

tk_status tk_solo_start_mic(tk_solo *solo, tk_mic *mic)
{
    if (solo->pipeline.sensor != TK_SENSOR_MIC) return TK_ERR_SENSOR;
    (void)tk_mic_start(mic);
    return tk_live_start_sound(&solo->live, &solo->pipeline, &solo->pipeline.rule, mic, 0);
}

bool tk_solo_hear(tk_solo *solo, const tk_mic *mic, tk_solo_answer *answer)
{
    for (uint32_t i = 0; i < FRAMES_AT_ONCE; i++) {
        tk_live_step step = tk_live_hear(&solo->live, mic);
        if (step == TK_LIVE_IDLE) return false;
        if (step == TK_LIVE_FRAME) continue;
        tk_live_heard(&solo->live, solo->network.input);
        return tk_solo_answer_now(solo, answer);
    }
    return false;
}

/* The microphone's ring holds the noise as far as the frame reaches; frames overlap. */
static void put_noise(tk_mic *mic, uint32_t from, uint32_t to, uint32_t *seed, uint32_t level)
{
    for (; from < to; from++) mic->ring[from % TK_MIC_SAMPLES] = tk_solo_noise(seed, level);
}

static void put_window(tk_solo *solo, tk_mic *mic, const tk_solo_check *check)
{
    const tk_mel_front *mel = &solo->pipeline.mel;
    int8_t *out = solo->network.input;
    uint32_t seed = check->seed, made = 0;
    float features[TK_MEL_BANDS_MAX];
    for (uint32_t row = 0; row < solo->pipeline.rows; row++, out += mel->features) {
        uint32_t start = row * mel->hop;
        put_noise(mic, made, start + mel->frame, &seed, check->level);
        made = start + mel->frame;
        tk_mel_frame(mel, mic->ring, TK_MIC_SAMPLES, start % TK_MIC_SAMPLES, &solo->live.work, features);
        tk_mel_quantized(mel, features, out);
    }
}

tk_status tk_solo_check_mic(tk_solo *solo, tk_mic *mic, const tk_solo_check *checks, uint32_t count,
                            tk_solo_checked *checked)
{
    tk_status status = TK_OK;
    memset(checked, 0, sizeof *checked);
    if (solo->pipeline.sensor != TK_SENSOR_MIC) return TK_ERR_SENSOR;
    tk_mic_lend(mic);
    for (; count > 0 && status == TK_OK; count--, checks++) {
        put_window(solo, mic, checks);
        status = tk_solo_compare(solo, checks, checked);
    }
    tk_mic_take_back(mic);
    return status;
}
