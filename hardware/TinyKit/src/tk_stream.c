#include "tk_stream.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_protocol.h"
#include "tk_text.h"

void tk_stream_start(tk_stream *stream, const tk_history *history, uint8_t per_frame)
{
    memset(stream, 0, sizeof *stream);
    stream->on = true;
    stream->per_frame = per_frame;
    stream->position = history->total;
}

/* How many of the next samples can share a frame: numbered one after the other, less than 65 ms
 * apart. The rest begins a frame of its own, which states number and time anew. */
static uint32_t run_length(const tk_history *history, uint32_t position, uint32_t most)
{
    uint32_t n = 1;
    for (; n < most; n++) {
        const tk_sample *a = tk_history_at(history, position + n - 1);
        const tk_sample *b = tk_history_at(history, position + n);
        if (b->index != a->index + 1 || b->time_us - a->time_us > 0xFFFFu) break;
    }
    return n;
}

uint8_t tk_stream_flags(const tk_stream *stream, uint32_t index)
{
    if (stream->overruns != stream->told) return TK_STREAM_LOST;
    return stream->sent > 0 && index != stream->next ? TK_STREAM_GAP : 0;
}

void tk_stream_went(tk_stream *stream, uint32_t count, uint32_t next)
{
    stream->next = next;
    stream->position += count;
    stream->sent += count;
    stream->told = stream->overruns;
}

static bool send_frame(tk_stream *stream, const tk_history *history, tk_link *link, uint32_t count)
{
    uint8_t *out = tk_link_payload(link);
    const tk_sample *sample = tk_history_at(history, stream->position);
    uint32_t before = sample->time_us;
    out[0] = TK_SENSOR_IMU;
    out[1] = (uint8_t)count;
    out[2] = TK_IMU_CHANNELS;
    out[3] = tk_stream_flags(stream, sample->index);
    tk_put_u32(out + 4, sample->index);
    tk_put_u32(out + 8, before);
    uint8_t *times = out + 12, *values = times + 2 * count;
    for (uint32_t i = 0; i < count; i++) {
        sample = tk_history_at(history, stream->position + i);
        tk_put_u16(times + 2 * i, (uint16_t)(sample->time_us - before));
        before = sample->time_us;
        for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
            tk_put_u16(values, (uint16_t)sample->value[c]);
            values += 2;
        }
    }
    if (tk_link_event(link, TK_EVENT_SAMPLES, (size_t)(values - out)) != TK_OK) return false;
    tk_stream_went(stream, count, sample->index + 1);
    return true;
}

void tk_stream_pump(tk_stream *stream, const tk_history *history, tk_link *link)
{
    if (!stream->on) return;
    for (;;) {
        uint32_t waiting = tk_history_waiting(history, &stream->position, &stream->overruns);
        if (waiting == 0) return;
        uint32_t most = waiting < stream->per_frame ? waiting : stream->per_frame;
        uint32_t count = run_length(history, stream->position, most);
        if (count == most && most < stream->per_frame) return; /* not full yet, and no break in it */
        if (!send_frame(stream, history, link, count)) return;
    }
}

static int32_t divide_rounded(int32_t a, int32_t b)
{
    return a < 0 ? -((-a + b / 2) / b) : (a + b / 2) / b;
}

size_t tk_stream_line(const tk_sample *sample, uint8_t *line)
{
    tk_text text = {line, 0, TK_LINE_MAX};
    for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
        int32_t counts = sample->value[c];
        if (c > 0) tk_text_put(&text, ",");
        /* TK_COUNTS_PER_DPS in integers: 16.384 * 3125 = 100 * 512. */
        if (c < 3) {
            tk_text_decimal(&text, divide_rounded(counts * 10000, TK_COUNTS_PER_G), 4);
        } else {
            tk_text_decimal(&text, divide_rounded(counts * 3125, 512), 2);
        }
    }
    tk_text_put(&text, "\r\n");
    return text.length;
}

void tk_stream_pump_text(tk_stream *stream, const tk_history *history, tk_link *link)
{
    uint8_t line[TK_LINE_MAX];
    while (tk_history_waiting(history, &stream->position, &stream->overruns) > 0) {
        size_t length = tk_stream_line(tk_history_at(history, stream->position), line);
        if (tk_link_text(link, line, length) != TK_OK) return;
        stream->position++;
        stream->sent++;
    }
}
