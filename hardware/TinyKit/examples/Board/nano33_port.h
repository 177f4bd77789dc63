/* nano33_port: what Board.ino asks of a real Nano 33 BLE Sense (see its head comment).
 *
 * Read against the sources of Arduino's mbed core 4.6, and compiled with its headers, its PDM library's
 * and the two IMU libraries' (tests/hardware/test_real_headers.py); not yet run on a board.
 */
#ifndef NANO33_PORT_H
#define NANO33_PORT_H

#include <Arduino.h>
#include <USB/PluggableUSBSerial.h>
#include <drivers/FlashIAP.h>
#include <malloc.h>
#include <tk_schedule.h>

#define PORT_BOARD "Arduino Nano 33 BLE Sense"
#define PORT_VIRTUAL 0

static mbed::FlashIAP port_flash;

/* The USB port is open already: the core's main() has called Serial.begin(). A second call would start a
 * second thread that waits for the 1200 baud of an upload. */
static inline void port_begin()
{
    port_flash.init(); /* should it fail, so does every erase, and that is told */
    CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk; /* without this the cycle counter stands still */
    DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
}

/* The same words, in the same order, as the core makes the USB serial number of, so that a board is known
 * by one number whether it is asked or only seen on the bus. */
static inline const char *port_id()
{
    static char id[17];
    for (int i = 0; i < 16; i++) {
        uint32_t word = NRF_FICR->DEVICEADDR[i < 8 ? 1 : 0];
        id[i] = "0123456789ABCDEF"[(word >> (28 - 4 * (i % 8))) & 15];
    }
    return id;
}

/* Serial.write would wait for ever on a host that has the port open and does not read. send_nb, of
 * the USB port that Serial stands for, takes what fits into the one packet that is free, if it is. At
 * most 63 of a packet's 64 bytes: a full one is held back by the host until another follows. */
static inline size_t port_serial_write(const uint8_t *bytes, size_t length)
{
    uint32_t sent = 0;
    if (!_SerialUSB.connected()) return length; /* nobody listens: lost, as on a cable */
    _SerialUSB.send_nb((uint8_t *)bytes, length > 63 ? 63 : length, &sent, true);
    return sent;
}

/* Neither library tells the sensor's own count or clock, so both are reckoned from when readings are taken.
 * When the board was away for longer than the sensor remembers (a flash erase takes 90 ms), the count goes
 * on by what must have been lost. */
static tk_schedule port_imu;

static inline uint32_t port_imu_index(uint32_t kept, uint32_t period_us)
{
    tk_schedule_reading(&port_imu, micros(), period_us, kept);
    return port_imu.index;
}

static inline uint32_t port_imu_time() { return port_imu.time_us; }

/* Nor does the microphone's driver count: it calls back when a buffer is full, always of the same size. When
 * interrupts were held back for longer than a buffer takes, it has overwritten what nobody read. */
static tk_schedule port_mic;

static inline uint32_t port_mic_index(uint32_t samples)
{
    tk_schedule_reading(&port_mic, micros(), samples * 125u / 2u, 1);
    return port_mic.index * samples;
}

static inline uint32_t port_mic_time(uint32_t samples) { return port_mic.time_us - samples * 125u / 2u; }

static inline bool port_flash_erase(uint32_t address) { return port_flash.erase(address, 4096) == 0; }

static inline bool port_flash_write(uint32_t address, const uint32_t *words, size_t count)
{
    return port_flash.program(words, address, count * 4) == 0;
}

static uint32_t port_cycles_from;
static inline void port_cycles_start(uint32_t) { port_cycles_from = DWT->CYCCNT; }
static inline uint32_t port_cycles_stop() { return DWT->CYCCNT - port_cycles_from; }

/* Heap that was never asked for, by asking for it. */
static inline uint32_t port_free_ram()
{
    for (uint32_t bytes = 96 * 1024; bytes >= 1024; bytes -= 1024) {
        void *block = malloc(bytes);
        if (block != NULL) {
            free(block);
            return bytes;
        }
    }
    return 0;
}

/* The sketch begins at 0x10000, behind the bootloader, and ends with what its variables begin as; RAM
 * begins with the interrupt vectors. Names of the mbed core's linker script. */
extern uint32_t __bss_end__;
static inline uint32_t port_code_bytes() { return FLASHIAP_APP_ROM_END_ADDR - 0x10000u; }
static inline uint32_t port_static_bytes() { return (uint32_t)(uintptr_t)&__bss_end__ - 0x20000000u; }

static inline void port_idle() { rtos::ThisThread::yield(); }

#endif
