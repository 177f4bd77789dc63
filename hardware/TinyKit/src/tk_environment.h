/* tk_environment: the slow sensors as one: temperature and humidity (HTS221 on Rev1, HS300x on Rev2), air
 * pressure (LPS22HB), colour and proximity (APDS9960), of which any may be missing.
 *
 * They measure by themselves while a stream of them is on, and are off else. Every 0.1 s all are read, which
 * waits for none of them, into one sample. Samples are kept here until they have found room in the link.
 */
#ifndef TK_ENVIRONMENT_H
#define TK_ENVIRONMENT_H

#include "tk_hal.h"
#include "tk_hts221.h"
#include "tk_link.h"
#include "tk_stream.h"
#include "tk_text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_ENVIRONMENT_CHANNELS 8u
#define TK_ENVIRONMENT_RATE_MHZ 10000u /* thousandths of a hertz */
#define TK_ENVIRONMENT_SAMPLES 16u     /* a power of two; 1.6 s, 400 bytes of RAM */
#define TK_ENVIRONMENT_DEAD_US 2000000u /* silence after which they count as dead */

typedef struct tk_environment_sample {
    uint32_t index;   /* number of its tenth of a second: a gap is what was missed */
    uint32_t time_us; /* when it was read */
    int16_t value[TK_ENVIRONMENT_CHANNELS]; /* of the channels there are, in the order of tk_environment_info() */
} tk_environment_sample;

/* What tk_environment_tend() has found that people should hear of. */
typedef enum tk_environment_news {
    TK_ENVIRONMENT_NOTHING,
    TK_ENVIRONMENT_DIED, /* no sample for TK_ENVIRONMENT_DEAD_US; told again until tk_environment_told_dead() */
    TK_ENVIRONMENT_BACK
} tk_environment_news;

typedef struct tk_environment {
    const tk_hal *hal;
    bool has_hts221, has_hs300x, has_lps22hb, has_apds9960;
    tk_hts221 hts221;
    uint8_t channels;  /* 0: no such sensor */
    bool dead;
    uint32_t slot;     /* number of the current tenth of a second */
    uint32_t slot_us;  /* when it began */
    uint32_t read_us;  /* when they were last asked */
    uint32_t seen_us;  /* when the last sample was taken */
    tk_stream stream;
    uint32_t total;    /* samples ever put in, wrapping at 2^32: the next one's position */
    uint32_t held;     /* of these, how many the ring holds */
    tk_environment_sample ring[TK_ENVIRONMENT_SAMPLES];
} tk_environment;

/* Look which sensors are on hal->i2c, and leave them off. Takes some milliseconds. */
void tk_environment_init(tk_environment *environment, const tk_hal *hal);

/* "PARTS:RATE:CHANNELS:SCALES" as the INFO reply has it; nothing without a sensor. */
void tk_environment_info(const tk_environment *environment, tk_text *text);

/* Switch them on, and begin a stream with the next sample; switch them off. */
void tk_environment_start(tk_environment *environment);
void tk_environment_stop(tk_environment *environment);

/* Take a sample if it is time, while the stream is on. To be called at least every 0.1 s, or some are missed. */
tk_environment_news tk_environment_tend(tk_environment *environment);

/* The host was told that they are dead. */
void tk_environment_told_dead(tk_environment *environment);

/* Send what waits, a frame a sample, as far as there is room. */
void tk_environment_pump(tk_environment *environment, tk_link *link);

/* As tk_environment_pump, a line a sample: tk_environment_line(). */
void tk_environment_pump_text(tk_environment *environment, tk_link *link);

/* Write a sample as numbers in their units with commas between them, carriage return and line feed, to `line`
 * (at least TK_ENVIRONMENT_LINE_MAX bytes); returns its length. */
#define TK_ENVIRONMENT_LINE_MAX 80u
size_t tk_environment_line(const tk_environment *environment, const tk_environment_sample *sample, uint8_t *line);

#ifdef __cplusplus
}
#endif
#endif
