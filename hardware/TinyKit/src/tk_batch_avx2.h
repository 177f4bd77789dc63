/* tk_batch_avx2: a part of tk_batch_mel for processors that have AVX2. */
#ifndef TK_BATCH_AVX2_H
#define TK_BATCH_AVX2_H

#include "tk_mel.h"

#ifndef TK_HAS_AVX2_CODE
#if defined __clang__ && defined __x86_64__
#define TK_HAS_AVX2_CODE 1
#else
#define TK_HAS_AVX2_CODE 0
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Does this processor have it, and the compiler made code for it? */
int tk_has_avx2(void);

#if TK_HAS_AVX2_CODE
/* Features of frames, as tk_batch_mel() says, for a front end that has been parsed; work starts at a
 * multiple of 64 bytes. */
void tk_batch_avx2(const tk_mel_front *front, const int16_t *sound, size_t clips, size_t samples, void *work,
                   float *out);
#endif

#ifdef __cplusplus
}
#endif
#endif
