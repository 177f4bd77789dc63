/* tk_mel: from sound to log-mel energies or MFCC, one frame at a time, the same bits on every machine.
 *
 * A frame of int16 samples, of full scale 1, times a periodic Hann window and zero-padded to the next
 * power of two, gives a power spectrum; triangles on the mel scale sum it into bands; ln(energy + floor)
 * is a log-mel feature, and the first coefficients of its orthonormal DCT-II are MFCC. Everything is
 * float32 by + - * alone, in a fixed order, never fused (tk_float.h); sums run from the lowest bin or
 * band up. As the network's input a feature becomes
 *
 *     q = clamp(round(feature * gain + offset), -128, 127)      round half away from zero
 *
 * What depends on the front end is made on the host (tinykit/features/mel.py) and read in place, in a
 * block of a pipeline section. Little-endian, at an address that is a multiple of 4:
 *
 *   0 u16 frame, samples     8 f32 floor
 *   2 u16 hop, samples      12 f32 lower edge of the lowest band, Hz   (these two are
 *   4 u16 FFT points        16 f32 upper edge of the highest band, Hz   for people only)
 *   6 u8 bands              20 u16 weights in all
 *   7 u8 coefficients,      22 u16 0
 *     0: log-mel
 *  24 frame times: f32 Hann window / 65536 (full scale is 32768; the FFT gives double)
 *   . bands times: u16 first bin, u16 bins
 *   . weights times: f32 weight, band after band
 *   . coefficients times bands: f32 of the DCT, coefficient after coefficient
 *   . features times: f32 gain
 *   . features times: f32 offset
 */
#ifndef TK_MEL_H
#define TK_MEL_H

#include <stddef.h>
#include <stdint.h>

#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_MEL_FRAME_MIN 130u    /* samples; frames are even */
#ifndef TK_MEL_FRAME_MAX /* a program of its own may have less */
#define TK_MEL_FRAME_MAX 1024u
#endif
#define TK_MEL_BANDS_MAX 80u     /* also the most features */
#define TK_MEL_BLOCK_MIN 24u     /* bytes before the tables */

/* A block that has been checked. Caller-owned; the bytes must stay where they are. */
typedef struct tk_mel_front {
    uint16_t frame;          /* samples in a frame, TK_MEL_FRAME_MIN to TK_MEL_FRAME_MAX, even */
    uint16_t hop;            /* samples from one frame to the next, 1 to frame */
    uint16_t points;         /* of the FFT: 256, 512 or 1024, the least that holds a frame */
    uint16_t first, end;     /* bins that any band needs: first to end - 1, within 1 to points / 2 - 1 */
    uint8_t bands;           /* 1 to TK_MEL_BANDS_MAX */
    uint8_t coefficients;    /* 0: log-mel; else MFCC, at most bands */
    uint8_t features;        /* numbers a frame gives: coefficients, or bands */
    float floor;             /* 1e-20 to 1 */
    const float *window;     /* frame */
    const uint16_t *spans;   /* bands times: first bin, bins */
    const float *weights;
    const float *dct;        /* coefficients x bands */
    const float *gain;       /* features */
    const float *offset;     /* features */
} tk_mel_front;

/* Room for one frame's work: 6.5 KB, nothing in it is kept from frame to frame. */
typedef struct tk_mel_work {
    float z[TK_MEL_FRAME_MAX];              /* spectrum: real and imaginary parts in turn */
    float energy[TK_MEL_BANDS_MAX];
    int16_t straight[TK_MEL_FRAME_MAX];     /* a frame that a ring has in two pieces */
} tk_mel_work;

/* Check a block of at most `length` bytes and fill in `front`; `*used` gets the block's bytes, a
 * multiple of 4. Every field, count and float is checked, so that what comes after needs no checks and
 * never meets an infinity. TK_OK, or TK_ERR_LENGTH, _ALIGNMENT, _PIPELINE. */
tk_status tk_mel_parse(tk_mel_front *front, const uint8_t *block, size_t length, size_t *used);

/* Features of the frame whose first sample is sound[start], in a ring of `size` samples (for sound that
 * is no ring, its length): front->features numbers to `out`. `start` is below `size`, and `size` at
 * least a frame. */
void tk_mel_frame(const tk_mel_front *front, const int16_t *sound, uint32_t size, uint32_t start,
                  tk_mel_work *work, float *out);

/* One frame's features as the network's input: front->features int8 to `out`. */
void tk_mel_quantized(const tk_mel_front *front, const float *features, int8_t *out);

/* Natural logarithm of a positive, normal, finite float. */
float tk_ln(float x);

#ifdef __cplusplus
}
#endif
#endif
