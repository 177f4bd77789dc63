#include "tk_audio.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_imu.h"
#include "tk_protocol.h"
#include "tk_text.h"

void tk_audio_start(tk_stream *stream, const tk_mic *mic, uint8_t per_frame)
{
    memset(stream, 0, sizeof *stream);
    stream->on = true;
    stream->per_frame = per_frame;
    stream->position = mic->total;
}

static bool send_frame(tk_stream *stream, const tk_mic *mic, tk_link *link, uint32_t count)
{
    uint8_t *out = tk_link_payload(link);
    uint32_t index = tk_mic_index(mic, stream->position);
    out[0] = TK_SENSOR_MIC;
    out[1] = tk_stream_flags(stream, index);
    tk_put_u16(out + 2, (uint16_t)count);
    tk_put_u32(out + 4, index);
    tk_put_u32(out + 8, tk_mic_time(mic, stream->position));
    for (uint32_t i = 0; i < count; i++) {
        tk_put_u16(out + 12 + 2 * i, (uint16_t)mic->ring[tk_mic_place(stream->position + i)]);
    }
    if (tk_link_event(link, TK_EVENT_AUDIO, 12 + 2 * count) != TK_OK) return false;
    tk_stream_went(stream, count, index + count);
    return true;
}

void tk_audio_pump(tk_stream *stream, const tk_mic *mic, tk_link *link)
{
    if (!stream->on) return;
    for (;;) {
        uint32_t waiting = tk_mic_waiting(mic, &stream->position, &stream->overruns);
        if (waiting == 0) return;
        uint32_t most = waiting < stream->per_frame ? waiting : stream->per_frame;
        uint32_t count = tk_mic_run(mic, stream->position, most);
        if (count == most && most < stream->per_frame) return; /* not full yet, and no break in it */
        if (!send_frame(stream, mic, link, count)) return;
    }
}

/* Counts of full scale -> ten-thousandths, rounded. */
static int32_t share(uint32_t counts)
{
    return (int32_t)((counts * 10000u + TK_COUNTS_PER_SOUND / 2u) / TK_COUNTS_PER_SOUND);
}

void tk_audio_pump_text(tk_stream *stream, const tk_mic *mic, tk_link *link)
{
    uint8_t line[32];
    while (stream->on && tk_mic_waiting(mic, &stream->position, &stream->overruns) >= TK_AUDIO_LINE_SAMPLES) {
        tk_text text = {line, 0, sizeof line};
        uint32_t peak = 0;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < TK_AUDIO_LINE_SAMPLES; i++) {
            int32_t value = mic->ring[tk_mic_place(stream->position + i)];
            uint32_t size = (uint32_t)(value < 0 ? -value : value);
            sum += size * size;
            if (size > peak) peak = size;
        }
        tk_text_decimal(&text, share(tk_isqrt((uint32_t)(sum / TK_AUDIO_LINE_SAMPLES))), 4);
        tk_text_put(&text, ",");
        tk_text_decimal(&text, share(peak), 4);
        tk_text_put(&text, "\r\n");
        if (tk_link_text(link, line, text.length) != TK_OK) return;
        stream->position += TK_AUDIO_LINE_SAMPLES;
        stream->sent += TK_AUDIO_LINE_SAMPLES;
    }
}
