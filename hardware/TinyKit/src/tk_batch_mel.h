/* tk_batch_mel: the mel front end over many clips in one call, for the host. The firmware leaves it out. */
#ifndef TK_BATCH_MEL_H
#define TK_BATCH_MEL_H

#include "tk_mel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Features of every whole frame of `clips` clips of `samples` samples, one after the other in `sound`
 * and in `out`, by a front end's block. Errors as tk_mel_parse(); TK_ERR_ARGUMENT when a clip has more
 * than 2^32 - 1 samples. */
tk_status tk_batch_mel(const uint8_t *block, size_t length, const int16_t *sound, size_t clips, size_t samples,
                       float *out);

/* `rows` frames' features as the network's input. */
tk_status tk_batch_mel_quantized(const uint8_t *block, size_t length, const float *features, size_t rows,
                                 int8_t *out);

#ifdef __cplusplus
}
#endif
#endif
