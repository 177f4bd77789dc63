/* tk_audio: sound from the microphone's ring to the host: in frames, or its loudness as text. */
#ifndef TK_AUDIO_H
#define TK_AUDIO_H

#include "tk_link.h"
#include "tk_mic.h"
#include "tk_stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_AUDIO_SAMPLES 240u /* most samples in one frame: 15 ms */

/* Begin with the next sample that arrives; `sent` and `overruns` start at 0. */
void tk_audio_start(tk_stream *stream, const tk_mic *mic, uint8_t per_frame);

/* Send every full frame of samples that waits and finds room. Samples that find none stay in the ring
 * for its second. */
void tk_audio_pump(tk_stream *stream, const tk_mic *mic, tk_link *link);

/* As tk_audio_pump, its loudness as text: a line for each TK_AUDIO_LINE_SAMPLES, "rms,peak", as shares of full
 * scale with 4 decimals. */
#define TK_AUDIO_LINE_SAMPLES 160u /* 10 ms: 100 lines a second */
void tk_audio_pump_text(tk_stream *stream, const tk_mic *mic, tk_link *link);

#ifdef __cplusplus
}
#endif
#endif
