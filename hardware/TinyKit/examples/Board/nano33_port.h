/* nano33_port: what Board.ino asks of a real Nano 33 BLE Sense (see its head comment).
 *
 * Written for Arduino's mbed core 4.x; not yet run on a board.
 */
#ifndef NANO33_PORT_H
#define NANO33_PORT_H

#include <Arduino.h>
#include <drivers/FlashIAP.h>
#include <malloc.h>

#define PORT_BOARD "Arduino Nano 33 BLE Sense"
#define PORT_VIRTUAL 0

static mbed::FlashIAP port_flash;
static uint32_t port_samples;

static inline void port_begin()
{
    port_flash.init();
    CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk; /* without this the cycle counter stands still */
    DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
}

/* The factory's 64-bit number, which is what the USB serial number is made of. */
static inline const char *port_id()
{
    static char id[17];
    for (int i = 0; i < 16; i++) {
        uint32_t word = NRF_FICR->DEVICEID[i < 8 ? 1 : 0];
        id[i] = "0123456789ABCDEF"[(word >> (28 - 4 * (i % 8))) & 15];
    }
    return id;
}

/* Serial.write would wait for ever on a host that has the port open and does not read. send_nb
 * takes what fits into the one packet that is free, if it is. */
static inline size_t port_serial_write(const uint8_t *bytes, size_t length)
{
    uint32_t sent = 0;
    if (!Serial.connected()) return length; /* nobody listens: lost, as on a cable */
    Serial.send_nb((uint8_t *)bytes, length > 64 ? 64 : length, &sent, true);
    return sent;
}

/* Neither library tells the sensor's own count or clock, so count and time the readings here. */
static inline uint32_t port_imu_index() { return port_samples++; }
static inline uint32_t port_imu_time() { return micros(); }

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

static inline void port_idle() { rtos::ThisThread::yield(); }

#endif
