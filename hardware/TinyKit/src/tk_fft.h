/* tk_fft: constants of the FFT in tk_mel_body.inc. */
#ifndef TK_FFT_H
#define TK_FFT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Cosine and sine of k / 1024 of a turn, correctly rounded: 6 KB of flash. */
extern const float tk_fft_turns[768][2];

#ifdef __cplusplus
}
#endif
#endif
