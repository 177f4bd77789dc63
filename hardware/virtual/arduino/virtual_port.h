/* virtual_port: what Board.ino asks of the virtual board (see the sketch's head comment). */
#ifndef VIRTUAL_PORT_H
#define VIRTUAL_PORT_H

#include "Arduino.h"
#include "Arduino_LSM9DS1.h"
#include "Arduino_BMI270_BMM150.h"
#include "PDM.h"

#define PORT_BOARD "Virtual Nano 33 BLE Sense"
#define PORT_VIRTUAL 1

static inline void port_begin() {}

static inline const char *port_id() {
    static char id[17] = "VIRTUAL-";
    uint32_t seed = tkv_read(TKV_SEED);
    for (int i = 0; i < 8; i++)
        id[8 + i] = "0123456789ABCDEF"[(seed >> (28 - 4 * i)) & 15];
    return id;
}

static inline size_t port_serial_write(const uint8_t *bytes, size_t length) {
    uint32_t line = tkv_read(TKV_LINE);
    if (!(line & 1u))
        return length; /* nobody listens: lost, as on a cable */
    return tkv_serial_send(bytes, length > 63 && (line & 2u) ? 63 : length);
}

/* Only one of the two sensors is there, so only one has ever counted. */
static inline uint32_t port_imu_index(uint32_t, uint32_t) {
    return IMU_BMI270_BMM150.present() ? IMU_BMI270_BMM150.sampleIndex() : IMU_LSM9DS1.sampleIndex();
}
static inline uint32_t port_imu_time() {
    return IMU_BMI270_BMM150.present() ? IMU_BMI270_BMM150.sampleTime() : IMU_LSM9DS1.sampleTime();
}

/* Of the samples that PDM.read() just gave: number of the first, and when it was taken. The microphone
 * itself counts here; a real one's numbers are reckoned from how many come how often (tk_schedule). */
static inline uint32_t port_mic_index(uint32_t) { return PDM.sampleIndex(); }
static inline uint32_t port_mic_time(uint32_t) { return PDM.sampleTime(); }

static inline bool port_flash_erase(uint32_t address) { return tkv_flash_erase(address) == 0; }
static inline bool port_flash_write(uint32_t address, const uint32_t *words, size_t count) {
    return tkv_flash_write(address, words, count) == 0;
}

static uint32_t port_cycles_from;
static inline void port_cycles_start(uint32_t) { port_cycles_from = tkv_read(TKV_CYCLES); }
static inline uint32_t port_cycles_stop() { return tkv_read(TKV_CYCLES) - port_cycles_from; }

/* Between the static variables and the stack as it stands. */
static inline uint32_t port_free_ram() {
    extern uint32_t tkv_bss_end[];
    return (uint32_t)((uintptr_t)__builtin_frame_address(0) - (uintptr_t)tkv_bss_end);
}

/* Names of virtual.ld. */
static inline uint32_t port_code_bytes() {
    extern uint32_t tkv_data_load[], tkv_data_start[], tkv_data_end[];
    return (uint32_t)((uintptr_t)tkv_data_load + ((uintptr_t)tkv_data_end - (uintptr_t)tkv_data_start)) - 0x10000u;
}
static inline uint32_t port_static_bytes() {
    extern uint32_t tkv_bss_end[];
    return (uint32_t)(uintptr_t)tkv_bss_end - 0x20000000u;
}

/* Rest until something happens, unless this turn did something: then there may be more to do. */
static inline void port_idle() {
    static uint32_t seen;
    if (seen == tkv_activity)
        tkv_idle(20000); /* not for ever: the slow sensors are read by the clock, and silence must be noticed */
    seen = tkv_activity;
}
#endif
