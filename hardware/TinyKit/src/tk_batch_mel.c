#include "tk_batch_mel.h"

#include "tk_batch_avx2.h"

/* Vectors of four where the machine has them and the compiler makes them of plain expressions. */
#ifndef LANES
#if defined __clang__ && (defined __SSE2__ || defined __ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LANES 4
#else
#define LANES 1
#endif
#endif
#include "tk_lanes.inc"

tk_status tk_batch_mel(const uint8_t *block, size_t length, const int16_t *sound, size_t clips, size_t samples,
                       void *work, float *out)
{
    tk_mel_front front;
    size_t used;
    tk_status status = tk_mel_parse(&front, block, length, &used);
    if (status != TK_OK || samples < front.frame) return status;
    uint8_t *aligned = (uint8_t *)work + (64 - (uintptr_t)work % 64) % 64;
#if TK_HAS_AVX2_CODE
    if (tk_has_avx2()) {
        tk_batch_avx2(&front, sound, clips, samples, aligned, out);
        return TK_OK;
    }
#endif
    lanes_of_frames(&front, sound, clips, samples, aligned, out);
    return TK_OK;
}

tk_status tk_batch_mel_quantized(const uint8_t *block, size_t length, const float *features, size_t rows,
                                 int8_t *out)
{
    tk_mel_front front;
    size_t used;
    tk_status status = tk_mel_parse(&front, block, length, &used);
    if (status != TK_OK) return status;
    for (; rows > 0; rows--, features += front.features, out += front.features) {
        tk_mel_quantized(&front, features, out);
    }
    return TK_OK;
}
