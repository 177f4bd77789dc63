#include "tk_batch_mel.h"

tk_status tk_batch_mel(const uint8_t *block, size_t length, const int16_t *sound, size_t clips, size_t samples,
                       float *out)
{
    tk_mel_front front;
    tk_mel_work work;
    size_t used;
    tk_status status = tk_mel_parse(&front, block, length, &used);
    if (status != TK_OK) return status;
    if (samples > UINT32_MAX) return TK_ERR_ARGUMENT;
    for (; clips > 0; clips--, sound += samples) {
        for (size_t start = 0; start + front.frame <= samples; start += front.hop, out += front.features) {
            tk_mel_frame(&front, sound, (uint32_t)samples, (uint32_t)start, &work, out);
        }
    }
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
