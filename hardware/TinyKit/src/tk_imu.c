#include "tk_imu.h"

uint32_t tk_isqrt(uint32_t x)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

static int32_t mean(const tk_imu_front *front, const int16_t *counts, uint32_t channel)
{
    int32_t sum = 0, n = front->window; /* 512 rows of 2^15 fit */
    for (uint32_t row = 0; row < front->window; row++) sum += counts[row * front->channels + channel];
    return sum < 0 ? -((-sum + n / 2) / n) : (sum + n / 2) / n;
}

static int32_t length(const int16_t *v)
{
    uint32_t sum = 0; /* 3 * 2^30 at most */
    for (int i = 0; i < 3; i++) sum += (uint32_t)((int32_t)v[i] * v[i]);
    return (int32_t)tk_isqrt(sum);
}

static void means(const tk_imu_front *front, const int16_t *counts, int32_t *out)
{
    for (uint32_t c = 0; c < front->channels; c++) out[c] = front->center ? mean(front, counts, c) : 0;
}

static void features_of_row(const tk_imu_front *front, const int16_t *row, const int32_t *mean_of,
                            int32_t *out)
{
    for (uint32_t c = 0; c < front->channels; c++) *out++ = row[c] - mean_of[c];
    if (front->a_first >= 0) *out++ = length(row + front->a_first);
    if (front->g_first >= 0) *out++ = length(row + front->g_first);
}

static int8_t quantize(int32_t feature, int32_t multiplier, uint32_t shift, int32_t zero)
{
    int64_t product = (int64_t)feature * multiplier;
    int64_t half = (int64_t)1 << (shift - 1);
    /* Shifts of what is not negative only: the others are the machine's choice in C99. */
    int64_t q = zero + (product < 0 ? -((half - product) >> shift) : (product + half) >> shift);
    return (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
}

void tk_imu_features(const tk_imu_front *front, const int16_t *counts, uint32_t first, int32_t *out)
{
    int32_t mean_of[TK_IMU_FEATURES];
    means(front, counts, mean_of);
    for (uint32_t i = 0; i < front->window; i++, out += front->features) {
        features_of_row(front, counts + first * front->channels, mean_of, out);
        if (++first == front->window) first = 0;
    }
}

void tk_imu_quantized(const tk_imu_front *front, const int16_t *counts, uint32_t first, int8_t *out)
{
    int32_t mean_of[TK_IMU_FEATURES], row[TK_IMU_FEATURES];
    means(front, counts, mean_of);
    for (uint32_t i = 0; i < front->window; i++) {
        features_of_row(front, counts + first * front->channels, mean_of, row);
        for (uint32_t f = 0; f < front->features; f++) {
            *out++ = quantize(row[f], front->multiplier[f], front->shift[f], front->zero);
        }
        if (++first == front->window) first = 0;
    }
}
