#include "tk_batch.h"

#include <string.h>

tk_status tk_batch_features(const void *section, size_t length, const int16_t *counts, size_t windows,
                            int32_t *out)
{
    tk_pipeline p;
    tk_status status = tk_pipeline_parse(&p, section, length);
    if (status != TK_OK) return status;
    for (; windows > 0; windows--) {
        tk_imu_features(&p.front, counts, 0, out);
        counts += p.front.window * p.front.channels;
        out += p.front.window * p.front.features;
    }
    return TK_OK;
}

tk_status tk_batch_quantized(const void *section, size_t length, const int16_t *counts, size_t windows,
                             int8_t *out)
{
    tk_pipeline p;
    tk_status status = tk_pipeline_parse(&p, section, length);
    if (status != TK_OK) return status;
    for (; windows > 0; windows--) {
        tk_imu_quantized(&p.front, counts, 0, out);
        counts += p.front.window * p.front.channels;
        out += p.front.window * p.front.features;
    }
    return TK_OK;
}

tk_status tk_batch_resample(uint32_t in_mhz, uint32_t out_mhz, const int16_t *counts, size_t samples,
                            int16_t *out, size_t capacity, size_t *made)
{
    tk_resample resample;
    int16_t row[TK_IMU_CHANNELS];
    tk_status status = tk_resample_init(&resample, in_mhz, out_mhz);
    *made = 0;
    if (status != TK_OK) return status;
    for (; samples > 0; samples--, counts += TK_IMU_CHANNELS) {
        tk_resample_give(&resample, counts);
        while (tk_resample_take(&resample, row)) {
            if (*made == capacity) return TK_ERR_BUFFER;
            memcpy(out, row, sizeof row);
            out += TK_IMU_CHANNELS;
            ++*made;
        }
    }
    return TK_OK;
}
