/* tk_batch: the front end over many windows in one call, for the host. The firmware leaves it out. */
#ifndef TK_BATCH_H
#define TK_BATCH_H

#include "tk_pipeline.h"
#include "tk_resample.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Features of `windows` windows, one after the other in `counts` and in `out`, by the front end of a
 * pipeline section. Errors as tk_pipeline_parse(). */
tk_status tk_batch_features(const void *section, size_t length, const int16_t *counts, size_t windows,
                            int32_t *out);

/* The same as int8. */
tk_status tk_batch_quantized(const void *section, size_t length, const int16_t *counts, size_t windows,
                             int8_t *out);

/* Resample `samples` rows of 6 counts to at most `capacity` rows of `out`; `*made` gets their number.
 * TK_ERR_RATE, or TK_ERR_BUFFER when `out` is too small. */
tk_status tk_batch_resample(uint32_t in_mhz, uint32_t out_mhz, const int16_t *counts, size_t samples,
                            int16_t *out, size_t capacity, size_t *made);

#ifdef __cplusplus
}
#endif
#endif
