/* port: all that the program asks of a board.
 *
 * host/port.c plays a recording on a computer. cortex/port.c is for a microcontroller: it has no sensor
 * yet, so there is a place in it for yours. None of these functions may wait, but port_wait().
 */
#ifndef PORT_H
#define PORT_H

#include "tk_hal.h"

/* Prepare what is needed. False: it can't work, and the reason was said. */
bool port_begin(int argc, char **argv);

/* Microseconds since the start, wrapping at 2^32. */
uint32_t port_micros(void);

/* Say what the program has found: lines of text, to a serial port or a screen. */
void port_say(const char *text, size_t length);

/* Rest until a reading may have come. False: none will come any more, and main() returns. */
bool port_wait(void);

/* ---- an IMU, for pipelines that feel ---- */

/* Its rate in thousandths of a hertz; the program resamples to what the network wants. */
uint32_t port_imu_mhz(void);

/* Take the oldest reading that was not taken yet. Counts: 8192 a g, 16.384 a degree per second. `index`
 * counts the sensor's readings, so that lost ones leave a gap. */
bool port_imu_read(tk_sample *sample);

/* ---- a microphone, for pipelines that hear ---- */

/* Start it, or start it again. Its sound is thrown away for so many milliseconds after that. */
void port_mic_start(void);
uint32_t port_mic_settle_ms(void);

/* Take up to `capacity` samples, 16000 a second; returns how many there were. `*index` gets the number of
 * the first, counted by the source, `*time_us` when it was taken. */
size_t port_mic_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us);

#endif
