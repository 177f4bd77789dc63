/* tk_hal: all that the core asks of a board, as callbacks.
 *
 * The sketch fills one tk_hal in (examples/Board/Board.ino); tests fill it in on the host. None of
 * the callbacks may wait: what can't be done now is answered with "nothing" and asked again later.
 * The exception is the flash, where a page erase takes up to 90 ms on the nRF52840.
 */
#ifndef TK_HAL_H
#define TK_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tk_i2c.h"
#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_IMU_CHANNELS 6u    /* aX aY aZ gX gY gZ, in this order */
#define TK_COUNTS_PER_G 8192  /* counts of acceleration in one g: 4 g full scale */
#define TK_COUNTS_PER_DPS 16.384 /* counts of angular rate in one degree per second: 2000 full scale */
#define TK_COUNTS_PER_SOUND 32768 /* counts of sound in full scale, 1 */
#define TK_FLASH_PAGE 4096u   /* bytes that are erased together */
#define TK_SLOTS 2u

/* One reading of the IMU, in counts: the LSM9DS1's own steps as the Arduino library sets it. */
typedef struct tk_sample {
    uint32_t index;   /* running number given by the sensor: a gap means samples were lost */
    uint32_t time_us; /* when it was taken, on the clock of tk_hal.micros */
    int16_t value[TK_IMU_CHANNELS];
} tk_sample;

typedef struct tk_hal {
    void *context; /* handed to every callback */

    /* Microseconds since boot, wrapping at 2^32. */
    uint32_t (*micros)(void *context);

    /* Count processor cycles from start to stop; both NULL: the board can't, cycles are reported
     * as 0. Called in pairs, never nested. `key` names the work: equal keys, equal work, so that an
     * emulator may count it once and remember. */
    void (*cycles_start)(void *context, uint32_t key);
    uint32_t (*cycles_stop)(void *context);

    /* Take up to `capacity` received bytes; returns how many there were. */
    size_t (*serial_read)(void *context, uint8_t *bytes, size_t capacity);
    /* Send up to `length` bytes; returns how many were taken (0 when the line is busy). When nobody
     * is connected, return `length`: the bytes are lost, as they would be on a cable. */
    size_t (*serial_write)(void *context, const uint8_t *bytes, size_t length);

    /* Take the oldest reading that was not taken yet: 1 when there was one, else 0. NULL: no IMU. */
    int (*imu_read)(void *context, tk_sample *sample);
    const char *imu_name;   /* "LSM9DS1" or "BMI270" */
    uint32_t imu_rate_mhz;  /* its nominal rate in thousandths of a hertz: 119000 */

    /* Take up to `capacity` samples of sound that follow one another without a gap, the oldest that were
     * not taken yet; returns how many. `*index` gets the number of the first, counted by the source: a
     * jump from call to call means that samples were lost. `*time_us` gets when the first was taken, on
     * the clock of micros. NULL: no microphone. */
    size_t (*mic_read)(void *context, int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us);
    /* Start the microphone; if it was started before, stop it and start it again. */
    void (*mic_start)(void *context);
    const char *mic_name;   /* "MP34DT06" */
    uint32_t mic_rate_mhz;  /* 16000000 */
    uint32_t mic_settle_ms; /* sound is not to be trusted for so long after each start */

    /* Erase the page that begins at `address` to all ones. TK_OK or TK_ERR_FLASH. */
    tk_status (*flash_erase)(void *context, uint32_t address);
    /* Write `count` 32-bit words at `address`, a multiple of 4. Flash can only clear bits. */
    tk_status (*flash_write)(void *context, uint32_t address, const uint32_t *words, size_t count);
    const uint8_t *flash;             /* where flash address 0 can be read: NULL on the board itself */
    uint32_t slot_address[TK_SLOTS];  /* first page of each slot; NULL callbacks and 0 bytes: no slots */
    uint32_t slot_bytes;              /* size of each, a multiple of TK_FLASH_PAGE */

    /* Bytes of RAM that nothing uses; NULL: unknown. */
    uint32_t (*free_ram)(void *context);
    uint32_t code_bytes;   /* flash that the firmware itself takes, drivers and all; 0: unknown */
    uint32_t static_bytes; /* RAM for static variables, the arena among them; 0: unknown */
    const char *board;    /* "Arduino Nano 33 BLE Sense" */
    const char *id;       /* serial number: the same as long as the board lives */
    bool is_virtual;

    /* The bus with the environment sensors (tk_environment.h says which are looked for); NULL: none. */
    const tk_i2c *i2c;
} tk_hal;

#ifdef __cplusplus
}
#endif
#endif
