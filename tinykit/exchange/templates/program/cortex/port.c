/* port, for a microcontroller: put your board's drivers in here.
 *
 * As it is, the program checks itself and then waits for a sensor that nobody has connected. What it says
 * lands in `said`, where a debugger can read it; send it to a serial port instead.
 */
#include "port.h"

char said[512];
uint32_t said_length;

bool port_begin(int argc, char **argv)
{
    (void)argc, (void)argv;
    /* YOUR BOARD: clocks, a timer for port_micros(), the serial port, the sensor. */
    return true;
}

uint32_t port_micros(void)
{
    return 0; /* YOUR BOARD: a timer that counts microseconds. */
}

void port_say(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) said[said_length++ % sizeof said] = text[i]; /* YOUR BOARD */
}

bool port_wait(void)
{
    __asm__ volatile("wfi" ::: "memory"); /* YOUR BOARD: the sensor's interrupt ends this. */
    return true;
}

uint32_t port_imu_mhz(void) { return 100000; /* YOUR BOARD */ }

bool port_imu_read(tk_sample *sample)
{
    (void)sample; /* YOUR BOARD */
    return false;
}

void port_mic_start(void) { /* YOUR BOARD */ }
uint32_t port_mic_settle_ms(void) { return 0; /* YOUR BOARD */ }

size_t port_mic_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    (void)samples, (void)capacity, (void)index, (void)time_us; /* YOUR BOARD */
    return 0;
}
