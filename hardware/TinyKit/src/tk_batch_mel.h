/* tk_batch_mel: the mel front end over many clips in one call, for the host. The firmware leaves it out. */
#ifndef TK_BATCH_MEL_H
#define TK_BATCH_MEL_H

#include "tk_mel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of work for tk_batch_mel(): eight frames at a time, and some to begin at a multiple of 64. */
#define TK_BATCH_MEL_WORK (32u * (TK_MEL_FRAME_MAX + 2u * TK_MEL_BANDS_MAX) + 64u)

/* Features of every whole frame of `clips` clips of `samples` samples, one after the other in `sound`
 * and in `out`, by a front end's block: what tk_mel_frame() gives, several frames at a time where the
 * machine has vectors. `work` has TK_BATCH_MEL_WORK bytes. Errors as tk_mel_parse(). */
tk_status tk_batch_mel(const uint8_t *block, size_t length, const int16_t *sound, size_t clips, size_t samples,
                       void *work, float *out);

/* `rows` frames' features as the network's input. */
tk_status tk_batch_mel_quantized(const uint8_t *block, size_t length, const float *features, size_t rows,
                                 int8_t *out);

#ifdef __cplusplus
}
#endif
#endif
