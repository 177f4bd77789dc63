/* Loops around single functions of the mel front end, for this computer and for the emulated core. */
#include "tk_mel.h"

static tk_mel_front front;
static tk_mel_work work;

/* Features and network input of `n` frames, each a hop after the one before, in a ring of `size`. */
int probe_frames(const uint8_t *block, uint32_t length, const int16_t *ring, uint32_t size, uint32_t start, uint32_t n,
                 float *out, int8_t *quantized)
{
    size_t used;
    tk_status status = tk_mel_parse(&front, block, length, &used);
    if (status != TK_OK) return status;
    for (; n > 0; n--, out += front.features, quantized += front.features) {
        tk_mel_frame(&front, ring, size, start, &work, out);
        tk_mel_quantized(&front, out, quantized);
        start = (start + front.hop) % size;
    }
    return used == length ? 0 : 1;
}

void probe_ln(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i++) y[i] = tk_ln(x[i]);
}

void probe_quantized(const float *gain, const float *offset, const float *x, uint32_t n, int8_t *y)
{
    for (uint32_t i = 0; i < n; i++) {
        tk_mel_front one = {.features = 1, .gain = gain, .offset = offset};
        tk_mel_quantized(&one, x + i, y + i);
    }
}

/* Make this thread flush subnormal numbers to zero, as code built with -ffast-math leaves it, or not. */
int probe_flush(int on)
{
#if defined __x86_64__
    unsigned control = on ? 0x9FC0u : 0x1F80u;
    __asm__ volatile("ldmxcsr %0" : : "m"(control));
    return 1;
#elif defined __aarch64__
    __asm__ volatile("msr fpcr, %0" : : "r"(on ? 1ul << 24 : 0ul));
    return 1;
#else
    return on & 0;
#endif
}
