/* port, for a computer: plays a recording to the program.
 *
 *     @PROGRAM@ recording.csv      timestamp in ms, then aX,aY,aZ (g) and gX,gY,gZ (degrees per second)
 *     @PROGRAM@ recording.wav      16-bit PCM, one channel, 16000 Hz
 *
 * Without one the program only checks itself. Time is the recording's, so it takes no time at all.
 */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"

static FILE *file;
static uint32_t taken, given, rate_mhz = 100000;

static bool refuse(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return false;
}

void port_say(const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
}

#if PIPELINE_HEARS

static int16_t block[PIPELINE_BLOCK];
static size_t waiting;

static uint32_t number(const uint8_t *at, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes; i > 0; i--) value = value << 8 | at[i - 1];
    return value;
}

/* Go to the samples of a WAV file, past whatever else is in it. */
static bool open_sound(void)
{
    uint8_t head[16];
    bool known = false;
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0) return false;
    while (fread(head, 1, 8, file) == 8) {
        uint32_t size = number(head + 4, 4);
        if (memcmp(head, "data", 4) == 0) return known;
        if (memcmp(head, "fmt ", 4) == 0 && size >= 16) {
            if (fread(head, 1, 16, file) != 16) return false;
            known = number(head, 2) == 1 && number(head + 2, 2) == 1 && number(head + 4, 4) == 16000 &&
                    number(head + 14, 2) == 16;
            size -= 16;
        }
        if (fseek(file, (long)(size + size % 2), SEEK_CUR) != 0) return false;
    }
    return false;
}

bool port_begin(int argc, char **argv)
{
    if (argc < 2) return true;
    file = fopen(argv[1], "rb");
    if (file == NULL) return refuse("There is no such file.");
    return open_sound() || refuse("The file is no WAV of 16 bits, one channel and 16000 Hz.");
}

bool port_wait(void)
{
    uint8_t bytes[2 * PIPELINE_BLOCK];
    taken += (uint32_t)waiting;
    waiting = file == NULL ? 0 : fread(bytes, 2, PIPELINE_BLOCK, file);
    for (size_t i = 0; i < waiting; i++) block[i] = (int16_t)((int32_t)(number(bytes + 2 * i, 2) ^ 0x8000u) - 0x8000);
    given = 0;
    return waiting > 0;
}

size_t port_mic_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    size_t n = waiting - given < capacity ? waiting - given : capacity;
    memcpy(samples, block + given, 2 * n);
    *index = taken + given;
    *time_us = (uint32_t)((uint64_t)*index * 125u / 2u);
    given += (uint32_t)n;
    return n;
}

uint32_t port_micros(void)
{
    return (uint32_t)((uint64_t)(taken + waiting) * 125u / 2u);
}

void port_mic_start(void) {}
uint32_t port_mic_settle_ms(void) { return 0; }

/* No IMU. */
uint32_t port_imu_mhz(void) { return rate_mhz; }
bool port_imu_read(tk_sample *sample)
{
    (void)sample;
    return false;
}

#else

static const char *const names[] = {"aX", "aY", "aZ", "gX", "gY", "gZ"};
static int column[TK_IMU_CHANNELS]; /* of each channel; 0: the file has none */
static tk_sample reading;
static double first_ms, last_ms;

/* Cut a line at its commas; returns how many parts there were. */
static int cut(char *text, char **parts, int most)
{
    int n = 0;
    for (char *at = text; at != NULL && n < most; n++) {
        parts[n] = at;
        at = strpbrk(at, ",\r\n");
        if (at != NULL && *at == ',') {
            *at++ = 0;
        } else if (at != NULL) {
            *at = 0;
            at = NULL;
        }
    }
    return n;
}

static int16_t to_counts(double value, double per_unit)
{
    double counts = value * per_unit;
    counts += counts < 0 ? -0.5 : 0.5;
    return counts >= 32767 ? INT16_MAX : counts > -32768 ? (int16_t)counts : INT16_MIN; /* what is no number: the least */
}

static bool read_row(double *ms)
{
    char text[1024], *parts[32];
    while (fgets(text, sizeof text, file) != NULL) {
        int n = cut(text, parts, 32);
        if (*parts[0] == 0) continue;
        *ms = strtod(parts[0], NULL);
        for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
            double value = column[c] > 0 && column[c] < n ? strtod(parts[column[c]], NULL) : 0.0;
            reading.value[c] = to_counts(value, c < 3 ? TK_COUNTS_PER_G : TK_COUNTS_PER_DPS);
        }
        return true;
    }
    return false;
}

/* Find the columns, and the rate by the first and the last time. */
static bool open_motion(void)
{
    char text[1024], *parts[32];
    uint32_t rows = 0;
    if (fgets(text, sizeof text, file) == NULL) return false;
    int n = cut(text, parts, 32), found = 0;
    for (int i = 1; i < n; i++) {
        for (uint32_t c = 0; c < TK_IMU_CHANNELS; c++) {
            if (strcmp(parts[i], names[c]) == 0) found += (column[c] = i) > 0;
        }
    }
    long start = ftell(file);
    if (found == 0 || !read_row(&first_ms)) return false;
    for (rows = 1; read_row(&last_ms);) rows++;
    if (rows < 2 || last_ms <= first_ms) return false;
    rate_mhz = (uint32_t)((rows - 1) * 1e6 / (last_ms - first_ms) + 0.5);
    return fseek(file, start, SEEK_SET) == 0;
}

bool port_begin(int argc, char **argv)
{
    if (argc < 2) return true;
    file = fopen(argv[1], "rb");
    if (file == NULL) return refuse("There is no such file.");
    return open_motion() || refuse("The file is no CSV with a timestamp in ms and columns aX to gZ.");
}

bool port_wait(void)
{
    double ms;
    if (file == NULL || !read_row(&ms)) return false;
    reading.index = taken++;
    reading.time_us = (uint32_t)(int64_t)((ms - first_ms) * 1000.0 + 0.5);
    given = 1;
    return true;
}

bool port_imu_read(tk_sample *sample)
{
    bool fresh = given > 0;
    *sample = reading;
    given = 0;
    return fresh;
}

uint32_t port_micros(void) { return reading.time_us; }
uint32_t port_imu_mhz(void) { return rate_mhz; }

/* No microphone. */
void port_mic_start(void) {}
uint32_t port_mic_settle_ms(void) { return 0; }
size_t port_mic_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    (void)samples, (void)capacity, (void)index, (void)time_us;
    return 0;
}

#endif
