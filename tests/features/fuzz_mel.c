/* fuzz_mel FILE COUNT SEED: damage a front end's block COUNT times, parse it, and compute two frames of
 * random sound with what is accepted. Prints how many were accepted and how many refused. FILE cut: cut
 * the block at every byte. Built with sanitizers by test_mel_refusals.py: a step outside, or what C leaves
 * undefined, ends the program. Block and sound are allocated anew, exactly as large as they say.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tk_batch_mel.h"

static uint64_t state;

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717ull) >> 32);
}

static int try_block(const uint8_t *bytes, size_t length)
{
    tk_mel_front front;
    tk_mel_work work;
    float out[TK_MEL_BANDS_MAX];
    int8_t q[TK_MEL_BANDS_MAX];
    size_t used;
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) abort();
    memcpy(copy, bytes, length);
    if (tk_mel_parse(&front, copy, length, &used) != TK_OK) {
        free(copy);
        return 0;
    }
    if (used > length || used % 4 != 0) abort();
    const uint32_t size = front.frame + next() % 3;
    int16_t *sound = malloc(size * sizeof *sound);
    if (sound == NULL) abort();
    for (uint32_t i = 0; i < size; i++) sound[i] = (int16_t)(next() & 1 ? next() : (next() & 1) * 65535u - 32768u);
    for (int turn = 0; turn < 2; turn++) {
        tk_mel_frame(&front, sound, size, turn == 0 ? 0 : next() % size, &work, out);
        tk_mel_quantized(&front, out, q);
        for (uint32_t i = 0; i < front.features; i++) {
            if (!isfinite(out[i])) abort();
        }
    }
    free(sound);
    free(copy);
    return 1;
}

int main(int argc, char **argv)
{
    static uint8_t block[1 << 16];
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) return 2;
    const size_t length = fread(block, 1, sizeof block, file);
    fclose(file);
    if (!strcmp(argv[2], "cut")) {
        size_t cut = 0;
        state = 1;
        while (cut < length && !try_block(block, cut)) cut++;
        printf("%zu\n", try_block(block, length) ? cut : 0);
        return 0;
    }
    static uint8_t damaged[1 << 16];
    unsigned long accepted = 0, tries = strtoul(argv[2], NULL, 10);
    state = 88172645463325252ull + strtoul(argv[3], NULL, 10);
    for (unsigned long i = 0; i < tries; i++) {
        memcpy(damaged, block, length);
        for (uint32_t n = 1 + next() % 3; n > 0; n--) {
            /* Half of the damage in the first bytes, where sizes and spans are; often small steps. */
            uint32_t at = next() % (next() & 1 ? 24u : (uint32_t)length);
            uint8_t *byte = damaged + at;
            *byte = (uint8_t)(next() & 1 ? *byte + next() % 5 - 2 : next());
            if ((next() & 7) == 0) memset(damaged + at / 4 * 4, (int)(next() & 1 ? 0xFF : next()), 4);
        }
        accepted += (unsigned long)try_block(damaged, length);
    }
    printf("%lu %lu\n", accepted, tries - accepted);
    return 0;
}
