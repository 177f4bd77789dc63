/* tk_mel_body: the arithmetic of tk_mel, included where `real` is defined.
 *
 * tk_mel.c includes it with `real` a float, tk_batch_mel.c with `real` a vector of floats, one frame in
 * each lane: the same operations in the same order, so the same bits. Who includes it defines
 *
 *   real                 float, or a vector of floats
 *   TIMES(a, b)          a product that is never fused with a sum
 *   SAMPLE(sound, i)     sample i of a frame, or of all lanes' frames, as real
 *   exponent_of(x, &e)   x / 2^e, from sqrt(1/2) up to sqrt(2), for positive, normal, finite x
 *
 * The spectrum of n real samples is that of n / 2 complex ones and one more pass: even samples are
 * real parts, odd ones imaginary. The complex FFT is decimation in time by 4: the first pass, with the
 * window, reads samples in order and puts its results where the next passes want them. When n / 2 is
 * no power of 4 the first pass goes by 2.
 */

/* Natural logarithm. x = m 2^e with m near 1, and ln m = f + f^2 p(f), f = m - 1: p is a polynomial with
 * the least largest error of f^2 p(f), 7e-9, fitted for this purpose. With the roundings the result is
 * at most 1.6 units in its last place from the truth, 5e-8 where |x - 1| is small. */
static inline real ln_of(real x)
{
    real e, f = exponent_of(x, &e) - 1.0f;
    real p = TIMES(f, 0.0873363f) - 0.14441878f;
    p = TIMES(p, f) + 0.14979288f;
    p = TIMES(p, f) - 0.16552335f;
    p = TIMES(p, f) + 0.19953613f;
    p = TIMES(p, f) - 0.2500249f;
    p = TIMES(p, f) + 0.33334225f;
    p = TIMES(p, f) - 0.49999982f;
    return TIMES(e, 0.6931472f) + (TIMES(TIMES(f, f), p) + f);
}

/* The base-4 digits of n, of which there are `digits` <= 4, in reverse. */
static inline uint32_t reversed(uint32_t n, uint32_t digits)
{
    n = (n & 0x33) << 2 | (n & 0xCC) >> 2;
    return ((n & 0x0F) << 4 | n >> 4) >> (8 - 2 * digits);
}

static void leaves_of_two(const tk_mel_front *front, const int16_t *sound, real *z)
{
    const uint32_t half = front->points / 4, pairs = front->frame / 2u;
    const uint32_t digits = half == 64 ? 3 : 4;
    const float *w = front->window;
    for (uint32_t n = 0; n < half; n++, sound += 2, w += 2) {
        real *out = z + 4 * reversed(n, digits);
        real ar = TIMES(SAMPLE(sound, 0), w[0]), ai = TIMES(SAMPLE(sound, 1), w[1]);
        if (n + half < pairs) { /* beyond the frame lie zeros */
            real br = TIMES(SAMPLE(sound, 2 * half), w[2 * half]);
            real bi = TIMES(SAMPLE(sound, 2 * half + 1), w[2 * half + 1]);
            out[0] = ar + br;
            out[1] = ai + bi;
            out[2] = ar - br;
            out[3] = ai - bi;
        } else {
            out[0] = out[2] = ar;
            out[1] = out[3] = ai;
        }
    }
}

static void leaves_of_four(const tk_mel_front *front, const int16_t *sound, real *z)
{
    const uint32_t quarter = front->points / 8, pairs = front->frame / 2u;
    const float *w = front->window;
    for (uint32_t n = 0; n < quarter; n++, sound += 2, w += 2) {
        real *out = z + 8 * reversed(n, 3);
        const uint32_t b = 2 * quarter, c = 4 * quarter, d = 6 * quarter;
        real ar = TIMES(SAMPLE(sound, 0), w[0]), ai = TIMES(SAMPLE(sound, 1), w[1]);
        real br = TIMES(SAMPLE(sound, b), w[b]), bi = TIMES(SAMPLE(sound, b + 1), w[b + 1]);
        real s0r = ar, s0i = ai, s1r = ar, s1i = ai, s2r = br, s2i = bi, s3r = br, s3i = bi;
        if (n + 2 * quarter < pairs) {
            real cr = TIMES(SAMPLE(sound, c), w[c]), ci = TIMES(SAMPLE(sound, c + 1), w[c + 1]);
            s0r = ar + cr;
            s0i = ai + ci;
            s1r = ar - cr;
            s1i = ai - ci;
        }
        if (n + 3 * quarter < pairs) {
            real dr = TIMES(SAMPLE(sound, d), w[d]), di = TIMES(SAMPLE(sound, d + 1), w[d + 1]);
            s2r = br + dr;
            s2i = bi + di;
            s3r = br - dr;
            s3i = bi - di;
        }
        out[0] = s0r + s2r;
        out[1] = s0i + s2i;
        out[2] = s1r + s3i;
        out[3] = s1i - s3r;
        out[4] = s0r - s2r;
        out[5] = s0i - s2i;
        out[6] = s1r - s3i;
        out[7] = s1i + s3r;
    }
}

/* Four spectra of `l` bins each, at z and 2 l further each, to one of 4 l: bin j of each. */
static inline void four(real *z, uint32_t l, real br, real bi, real cr, real ci, real dr, real di)
{
    real *a = z, *b = z + 2 * l, *c = z + 4 * l, *d = z + 6 * l;
    real s0r = a[0] + cr, s0i = a[1] + ci, s1r = a[0] - cr, s1i = a[1] - ci;
    real s2r = br + dr, s2i = bi + di, s3r = br - dr, s3i = bi - di;
    a[0] = s0r + s2r;
    a[1] = s0i + s2i;
    b[0] = s1r + s3i;
    b[1] = s1i - s3r;
    c[0] = s0r - s2r;
    c[1] = s0i - s2i;
    d[0] = s1r - s3i;
    d[1] = s1i + s3r;
}

static void combine(real *z, real *end, uint32_t l)
{
    const uint32_t step = 256 / l;
    for (real *p = z; p < end; p += 8 * l) {
        four(p, l, p[2 * l], p[2 * l + 1], p[4 * l], p[4 * l + 1], p[6 * l], p[6 * l + 1]);
    }
    for (uint32_t j = 1; j < l; j++) {
        const float *w1 = tk_fft_turns[j * step], *w2 = tk_fft_turns[2 * j * step], *w3 = tk_fft_turns[3 * j * step];
        const float c1 = w1[0], i1 = w1[1], c2 = w2[0], i2 = w2[1], c3 = w3[0], i3 = w3[1];
        for (real *p = z + 2 * j; p < end; p += 8 * l) {
            real br = p[2 * l], bi = p[2 * l + 1], cr = p[4 * l], ci = p[4 * l + 1];
            real dr = p[6 * l], di = p[6 * l + 1];
            four(p, l, TIMES(br, c1) + TIMES(bi, i1), TIMES(bi, c1) - TIMES(br, i1),
                 TIMES(cr, c2) + TIMES(ci, i2), TIMES(ci, c2) - TIMES(cr, i2),
                 TIMES(dr, c3) + TIMES(di, i3), TIMES(di, c3) - TIMES(dr, i3));
        }
    }
}

/* Bins k and m - k of the power spectrum of the real samples, to z[2 k] and z[2 (m - k)], for all that
 * any band needs; of the rest of z nothing is left. The window has halved what is taken twice here. */
static void power(const tk_mel_front *front, real *z)
{
    const uint32_t m = front->points / 2u, step = 1024u / front->points;
    uint32_t k = front->first, above = m - front->end + 1;
    if (above < k) k = above;
    const float *turn = tk_fft_turns[k * step];
    real *low = z + 2 * k, *high = z + 2 * (m - k);
    for (; low <= high; low += 2, high -= 2, turn += 2 * step) {
        real er = low[0] + high[0], ei = low[1] - high[1];
        real pr = low[1] + high[1], pi = high[0] - low[0];
        real tr = TIMES(pr, turn[0]) + TIMES(pi, turn[1]), ti = TIMES(pi, turn[0]) - TIMES(pr, turn[1]);
        real xr = er + tr, xi = ei + ti, yr = er - tr, yi = ei - ti;
        low[0] = TIMES(xr, xr) + TIMES(xi, xi);
        high[0] = TIMES(yr, yr) + TIMES(yi, yi);
    }
}

/* Features of one frame, or of all lanes' frames; `energy` is the caller's room for bands reals. */
static void features_of(const tk_mel_front *front, const int16_t *sound, real *z, real *energy, real *out)
{
    real *logs = front->coefficients != 0 ? energy : out;
    uint32_t l = front->points == 512 ? 4 : 2;
    if (l == 4) leaves_of_four(front, sound, z);
    else leaves_of_two(front, sound, z);
    for (; l < front->points / 2u; l *= 4) combine(z, z + front->points, l);
    power(front, z);
    const float *weight = front->weights;
    const uint16_t *span = front->spans;
    for (uint32_t band = 0; band < front->bands; band++, span += 2) {
        const real *bin = z + 2 * span[0];
        real sum = TIMES(bin[0], weight[0]);
        for (uint32_t i = 1; i < span[1]; i++) sum = sum + TIMES(bin[2 * i], weight[i]);
        weight += span[1];
        logs[band] = ln_of(sum + front->floor);
    }
    const float *table = front->dct;
    for (uint32_t c = 0; c < front->coefficients; c++, table += front->bands) {
        real sum = TIMES(logs[0], table[0]);
        for (uint32_t band = 1; band < front->bands; band++) sum = sum + TIMES(logs[band], table[band]);
        out[c] = sum;
    }
}
