#include "tk_environment.h"

#include <string.h>

#include "tk_apds9960.h"
#include "tk_bytes.h"
#include "tk_hs300x.h"
#include "tk_lps22hb.h"
#include "tk_protocol.h"

#define SLOT_US (1000000000u / TK_ENVIRONMENT_RATE_MHZ)

void tk_environment_init(tk_environment *environment, const tk_hal *hal)
{
    const tk_i2c *bus = hal->i2c;
    memset(environment, 0, sizeof *environment);
    environment->hal = hal;
    if (bus == NULL) return;
    environment->has_hts221 = tk_hts221_find(&environment->hts221, bus);
    environment->has_hs300x = !environment->has_hts221 && tk_hs300x_ask(bus);
    environment->has_lps22hb = tk_lps22hb_find(bus);
    environment->has_apds9960 = tk_apds9960_find(bus);
    if (environment->has_hts221 || environment->has_hs300x) environment->channels += 2;
    if (environment->has_lps22hb) environment->channels += 1;
    if (environment->has_apds9960) environment->channels += 5;
    tk_environment_stop(environment);
}

/* What there is, each in its place, with `between` before all but the first. */
static void list(const tk_environment *environment, tk_text *text, const char *between, const char *climate,
                 const char *air, const char *light)
{
    const char *before = "";
    if (environment->has_hts221 || environment->has_hs300x) {
        tk_text_put(text, climate);
        before = between;
    }
    if (environment->has_lps22hb) {
        tk_text_put(text, before);
        tk_text_put(text, air);
        before = between;
    }
    if (environment->has_apds9960) {
        tk_text_put(text, before);
        tk_text_put(text, light);
    }
}

void tk_environment_info(const tk_environment *environment, tk_text *text)
{
    if (environment->channels == 0) return;
    list(environment, text, "+", environment->has_hts221 ? "HTS221" : "HS300x", "LPS22HB", "APDS9960");
    tk_text_put(text, ":");
    tk_text_decimal(text, TK_ENVIRONMENT_RATE_MHZ / 100, 1);
    tk_text_put(text, ":");
    list(environment, text, ",", "temperature,humidity", "pressure", "red,green,blue,clear,proximity");
    tk_text_put(text, ":");
    list(environment, text, ",", "100,100", TK_TEXT_DIGITS(TK_COUNTS_PER_HPA), "1,1,1,1,1");
}

/* All of them, as far as they answer. */
static void switch_all(tk_environment *environment, bool on)
{
    const tk_i2c *bus = environment->hal->i2c;
    if (environment->has_hts221) (void)tk_hts221_switch(&environment->hts221, bus, on);
    if (environment->has_hs300x && on) (void)tk_hs300x_ask(bus);
    if (environment->has_lps22hb) (void)tk_lps22hb_switch(bus, on);
    if (environment->has_apds9960) (void)tk_apds9960_switch(bus, on);
}

void tk_environment_start(tk_environment *environment)
{
    memset(&environment->stream, 0, sizeof environment->stream);
    environment->stream.on = true;
    environment->stream.per_frame = 1;
    environment->stream.position = environment->total;
    environment->slot_us = environment->seen_us = environment->hal->micros(environment->hal->context);
    environment->read_us = environment->slot_us;
    environment->dead = false;
    switch_all(environment, true);
}

void tk_environment_stop(tk_environment *environment)
{
    environment->stream.on = false;
    switch_all(environment, false);
}

/* All of them, or nothing: a sample is of one moment. */
static bool read_all(tk_environment *environment, int16_t *value)
{
    const tk_i2c *bus = environment->hal->i2c;
    tk_apds9960_reading light;
    if (environment->has_hts221) {
        if (!tk_hts221_read(&environment->hts221, bus, value, value + 1)) return false;
        value += 2;
    }
    if (environment->has_hs300x) {
        if (!tk_hs300x_read(bus, value, value + 1)) return false;
        value += 2;
    }
    if (environment->has_lps22hb && !tk_lps22hb_read(bus, value++)) return false;
    if (environment->has_apds9960) {
        if (!tk_apds9960_read(bus, &light)) return false;
        value[0] = light.red;
        value[1] = light.green;
        value[2] = light.blue;
        value[3] = light.clear;
        value[4] = light.proximity;
    }
    return true;
}

tk_environment_news tk_environment_tend(tk_environment *environment)
{
    const tk_hal *hal = environment->hal;
    if (!environment->stream.on) return TK_ENVIRONMENT_NOTHING;
    uint32_t now = hal->micros(hal->context), slots = (now - environment->slot_us) / SLOT_US;
    if (slots == 0) return TK_ENVIRONMENT_NOTHING;
    /* After a late turn the next is near: the slot can wait for what was asked for then. */
    if (environment->has_hs300x && now - environment->read_us < TK_HS300X_US) return TK_ENVIRONMENT_NOTHING;
    environment->read_us = now;
    environment->slot += slots;
    environment->slot_us += slots * SLOT_US;
    tk_environment_sample *sample = &environment->ring[environment->total % TK_ENVIRONMENT_SAMPLES];
    if (!read_all(environment, sample->value)) {
        if (now - environment->seen_us <= TK_ENVIRONMENT_DEAD_US) return TK_ENVIRONMENT_NOTHING;
        switch_all(environment, true); /* should one have lost its power, it must be told again */
        return environment->dead ? TK_ENVIRONMENT_NOTHING : TK_ENVIRONMENT_DIED;
    }
    sample->index = environment->slot;
    sample->time_us = now;
    environment->total++;
    if (environment->held < TK_ENVIRONMENT_SAMPLES) environment->held++;
    environment->seen_us = now;
    bool back = environment->dead;
    environment->dead = false;
    return back ? TK_ENVIRONMENT_BACK : TK_ENVIRONMENT_NOTHING;
}

void tk_environment_told_dead(tk_environment *environment)
{
    environment->dead = true;
}

/* The oldest sample that was not sent yet; NULL: none. */
static const tk_environment_sample *next(tk_environment *environment)
{
    tk_stream *stream = &environment->stream;
    uint32_t waiting = environment->total - stream->position;
    if (waiting > environment->held) {
        stream->overruns += waiting - environment->held;
        stream->position = environment->total - environment->held;
    }
    return stream->position == environment->total ? NULL
                                                  : &environment->ring[stream->position % TK_ENVIRONMENT_SAMPLES];
}

void tk_environment_pump(tk_environment *environment, tk_link *link)
{
    tk_stream *stream = &environment->stream;
    const tk_environment_sample *sample;
    while (stream->on && (sample = next(environment)) != NULL) {
        uint8_t *out = tk_link_payload(link);
        out[0] = TK_SENSOR_ENVIRONMENT;
        out[1] = 1;
        out[2] = environment->channels;
        out[3] = tk_stream_flags(stream, sample->index);
        tk_put_u32(out + 4, sample->index);
        tk_put_u32(out + 8, sample->time_us);
        tk_put_u16(out + 12, 0);
        for (uint32_t c = 0; c < environment->channels; c++) tk_put_u16(out + 14 + 2 * c, (uint16_t)sample->value[c]);
        if (tk_link_event(link, TK_EVENT_SAMPLES, 14u + 2u * environment->channels) != TK_OK) return;
        tk_stream_went(stream, 1, sample->index + 1);
    }
}

size_t tk_environment_line(const tk_environment *environment, const tk_environment_sample *sample, uint8_t *line)
{
    tk_text text = {line, 0, TK_ENVIRONMENT_LINE_MAX};
    uint32_t climate = environment->has_hts221 || environment->has_hs300x ? 2 : 0;
    uint32_t air = climate + (environment->has_lps22hb ? 1 : 0);
    for (uint32_t c = 0; c < environment->channels; c++) {
        if (c > 0) tk_text_put(&text, ",");
        if (c < air) {
            int32_t factor = c < climate ? 1 : 100 / TK_COUNTS_PER_HPA;
            tk_text_decimal(&text, factor * sample->value[c], 2);
        } else {
            tk_text_decimal(&text, sample->value[c], 0);
        }
    }
    tk_text_put(&text, "\r\n");
    return text.length;
}

void tk_environment_pump_text(tk_environment *environment, tk_link *link)
{
    tk_stream *stream = &environment->stream;
    const tk_environment_sample *sample;
    uint8_t line[TK_ENVIRONMENT_LINE_MAX];
    while (stream->on && (sample = next(environment)) != NULL) {
        size_t length = tk_environment_line(environment, sample, line);
        if (tk_link_text(link, line, length) != TK_OK) return;
        stream->position++;
        stream->sent++;
    }
}
