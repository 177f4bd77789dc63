/* tk_stream: the IMU's samples from the history to the host, in frames or as lines of text. */
#ifndef TK_STREAM_H
#define TK_STREAM_H

#include "tk_history.h"
#include "tk_link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_STREAM_SAMPLES 35u    /* most samples in one frame: 12 bytes and 14 a sample in 512 */
#define TK_STREAM_LOST 1u        /* flag: samples before these were overwritten before they could leave */
#define TK_STREAM_GAP 2u         /* flag: the sensor's own numbers jump before these */

/* How far a stream is; that of sound (tk_audio) and of the environment (tk_environment) as well. */
typedef struct tk_stream {
    bool on;
    uint8_t per_frame;  /* samples collected before a frame is sent */
    uint32_t position;  /* of the next sample in the history, or in the microphone's ring */
    uint32_t next;      /* number that the sensor should give to the next sample */
    uint32_t sent;      /* samples since the start */
    uint32_t overruns;  /* samples that were overwritten before they could leave */
    uint32_t told;      /* of these, how many a flag has told about */
} tk_stream;

/* Begin with the next sample that arrives; `sent` and `overruns` start at 0. */
void tk_stream_start(tk_stream *stream, const tk_history *history, uint8_t per_frame);

/* Flags of a frame that begins with the sensor's sample `index`. */
uint8_t tk_stream_flags(const tk_stream *stream, uint32_t index);

/* A frame of `count` samples has found room; `next` is the number behind the last of them. */
void tk_stream_went(tk_stream *stream, uint32_t count, uint32_t next);

/* Send every full frame of samples that waits and finds room. Samples that find none stay in the
 * history for its four seconds. */
void tk_stream_pump(tk_stream *stream, const tk_history *history, tk_link *link);

/* As tk_stream_pump, one line a sample: "aX,aY,aZ,gX,gY,gZ", g with 4 decimals and degrees per
 * second with 2, carriage return and line feed. */
void tk_stream_pump_text(tk_stream *stream, const tk_history *history, tk_link *link);

/* Write one such line to `line` (at least TK_LINE_MAX bytes); returns its length. */
#define TK_LINE_MAX 64u
size_t tk_stream_line(const tk_sample *sample, uint8_t *line);

#ifdef __cplusplus
}
#endif
#endif
