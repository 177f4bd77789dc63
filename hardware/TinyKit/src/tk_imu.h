/* tk_imu: from a window of IMU counts to the network's int8 input, in integers only.
 *
 * A window is `window` rows of `channels` int16 counts, row by row, oldest first. Each row becomes
 * `features` numbers: the channels, if asked for less their mean over the window (rounded, half away
 * from zero), then the lengths |a| and |g| of the acceleration and the angular rate (integer square
 * root, rounded down, of values before the mean is taken away). A feature becomes an int8 as
 *
 *     q = clamp(zero + round(feature * multiplier / 2^shift), -128, 127)
 *
 * with rounding half away from zero and a 64-bit product, so that every machine agrees.
 */
#ifndef TK_IMU_H
#define TK_IMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TK_IMU_FEATURES 8u   /* most features: six channels, |a| and |g| */
#ifndef TK_WINDOW_MAX /* a program of its own may have less */
#define TK_WINDOW_MAX 512u   /* most rows in a window */
#endif

/* Filled in and checked by tk_pipeline_parse(). */
typedef struct tk_imu_front {
    uint16_t window;                      /* rows, 1 to TK_WINDOW_MAX */
    uint8_t channels;                     /* columns of the counts, 1 to 6 */
    uint8_t features;                     /* columns of the result, channels plus lengths */
    bool center;                          /* take each channel's mean away */
    int8_t a_first, g_first;              /* column where aX (gX) lies when |a| (|g|) is wanted, else -1 */
    int8_t zero;                          /* zero point of the network's input */
    uint8_t shift[TK_IMU_FEATURES];       /* 16 to 62 */
    int32_t multiplier[TK_IMU_FEATURES];  /* 2^30 to 2^31 - 1 */
} tk_imu_front;

/* Features of one window, before scaling: window x features int32 to `out`. The window may lie in a
 * ring of exactly `window` rows: its oldest row is number `first`. About 85 cycles a
 * value on a Cortex-M4 (estimated, benchmarks/device.py), a length costs 300. */
void tk_imu_features(const tk_imu_front *front, const int16_t *counts, uint32_t first, int32_t *out);

/* The same as the network's input: window x features int8 to `out`. */
void tk_imu_quantized(const tk_imu_front *front, const int16_t *counts, uint32_t first, int8_t *out);

/* Integer square root, rounded down. */
uint32_t tk_isqrt(uint32_t x);

#ifdef __cplusplus
}
#endif
#endif
