#include "tk_audio.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"

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
    out[1] = 0;
    if (stream->overruns != stream->told) {
        out[1] = TK_STREAM_LOST;
    } else if (stream->sent > 0 && index != stream->next) {
        out[1] = TK_STREAM_GAP;
    }
    tk_put_u16(out + 2, (uint16_t)count);
    tk_put_u32(out + 4, index);
    tk_put_u32(out + 8, tk_mic_time(mic, stream->position));
    for (uint32_t i = 0; i < count; i++) {
        tk_put_u16(out + 12 + 2 * i, (uint16_t)mic->ring[tk_mic_place(stream->position + i)]);
    }
    if (tk_link_event(link, TK_EVENT_AUDIO, 12 + 2 * count) != TK_OK) return false;
    stream->next = index + count;
    stream->position += count;
    stream->sent += count;
    stream->told = stream->overruns;
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
