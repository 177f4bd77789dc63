/* The registers of the virtual board: the one list of them, for the firmware and for Python.
 *
 * Every register is a 32-bit word; Python (tinykit/board/virtual/devices.py) serves it and reads
 * the offsets out of this file, so keep the form `#define TKV_NAME 0x000u`. Buffers are given by
 * address and length and copied at once, so that a frame costs one access, not one a byte.
 * What each register does in words: README.md beside this file.
 */
#ifndef TK_VIRTUAL_H
#define TK_VIRTUAL_H

#include <stdint.h>

#define TKV_BASE 0x40000000u /* first register; the block is 4 kB */

/* System */
#define TKV_ID 0x000u      /* r: 0x42564B54, "TKVB" */
#define TKV_VERSION 0x004u /* r: 3, version of this list */
#define TKV_SEED 0x008u    /* r: the board's serial number, 32 bits */
#define TKV_IDLE 0x00Cu    /* w: wait for an event, at most so many microseconds (0: no limit) */
#define TKV_SLEEP 0x010u   /* w: wait so many microseconds, but not past an interrupt: look at the clock */
#define TKV_RESET 0x014u   /* w: TKV_RESET_KEY restarts the board */
#define TKV_PANIC 0x018u   /* w: address of a text that says why the firmware gives up; never returns */
#define TKV_LED 0x01Cu     /* w: bit 0 built-in LED, bits 1-3 red, green, blue (1: lit) */
#define TKV_MASK 0x028u    /* w: 1 holds interrupts back, 0 lets them come (at power-on: 0) */
#define TKV_RESET_KEY 0x5AFE0001u

/* Clock */
#define TKV_TIME_LO 0x020u /* r: microseconds since power-on, low word; latches the high word */
#define TKV_TIME_HI 0x024u /* r: high word as it was when TIME_LO was read */

/* Serial port. Line bit 0: a program on the host holds the port open (DTR). Bit 1: it carries packets of at most 64
 * bytes, and holds one of 64 back until another follows. */
#define TKV_LINE 0x040u         /* r */
#define TKV_RX_AVAILABLE 0x044u /* r: bytes that have arrived and are not read yet */
#define TKV_RX_ADDRESS 0x048u   /* w: where to put them */
#define TKV_RX_TAKE 0x04Cu      /* w: copy at most so many bytes there */
#define TKV_RX_TAKEN 0x050u     /* r: how many were copied */
#define TKV_TX_ADDRESS 0x054u   /* w: first byte to send */
#define TKV_TX_SEND 0x058u      /* w: send up to so many bytes; never waits */
#define TKV_TX_SENT 0x05Cu      /* r: how many were taken (0: the host is behind, or nobody holds the port) */

/* IMU */
#define TKV_IMU_KIND 0x080u     /* r: 0 none or dead, 1 LSM9DS1, 2 BMI270 */
#define TKV_IMU_RATE_MHZ 0x084u /* r: samples in 1000 seconds */
#define TKV_IMU_COUNT 0x088u    /* r: samples waiting in the sensor's FIFO */
#define TKV_IMU_ADDRESS 0x08Cu  /* w: where to put a tkv_imu_sample */
#define TKV_IMU_POP 0x090u      /* w: copy at most so many samples there and drop them from the FIFO */
#define TKV_IMU_POPPED 0x094u   /* r: how many were copied */

/* Microphone. Samples come in buffers; a full one raises an interrupt, which hands it over: from then on
 * COUNT samples can be popped. If any are left when the next is to be handed over, the microphone stops
 * and says nothing. Buffers that fill up while interrupts are held back are lost, but for the last. */
#define TKV_MIC_KIND 0x0E0u    /* r: 0 none, 1 MP34DT06 */
#define TKV_MIC_HANDLER 0x0E4u /* w: address of the function that the interrupt calls; 0: none */
#define TKV_MIC_SAMPLES 0x0E8u /* w: samples in a buffer, 1 to 4096 (at power-on: 256); holds from the next start */
#define TKV_MIC_GAIN 0x0ECu    /* w: half decibels, 0 to 80; at 20 a sample is what the source says */
#define TKV_MIC_RATE 0x0F0u    /* w: start at so many samples a second, 16000 or 41667; 0: stop */
#define TKV_MIC_COUNT 0x0F4u   /* r: samples handed over and not popped yet */
#define TKV_MIC_ADDRESS 0x0F8u /* w: where to put samples, int16 */
#define TKV_MIC_POP 0x0FCu     /* w: copy at most so many there; r: how many were copied */
#define TKV_MIC_INDEX 0x100u   /* r: number of the first of them; a gap is what was lost */
#define TKV_MIC_TIME 0x104u    /* r: when it was taken, us, low word of the clock */

/* I2C bus with the environment sensors: TKV_I2C_WRITE sends bytes to a device, TKV_I2C_READ fetches some. */
#define TKV_I2C_DEVICE 0x140u  /* w: 7-bit address of a device */
#define TKV_I2C_ADDRESS 0x144u /* w: where in memory the bytes are, or are to go */
#define TKV_I2C_WRITE 0x148u   /* w: send so many */
#define TKV_I2C_READ 0x14Cu    /* w: fetch so many */
#define TKV_I2C_STATUS 0x150u  /* r: 0, or 1: no such device answered */

/* Flash controller, over the slots (0x50000-0xF0000); elsewhere it fails. A write only clears bits, an
 * erase sets a page to ones. */
#define TKV_FLASH_ADDRESS 0x0C0u /* w: first byte; a multiple of 4 (write) or of the page (erase) */
#define TKV_FLASH_SOURCE 0x0C4u  /* w: address of the words to write */
#define TKV_FLASH_WORDS 0x0C8u   /* w: how many 32-bit words */
#define TKV_FLASH_COMMAND 0x0CCu /* w: TKV_FLASH_ERASE (one page) or TKV_FLASH_WRITE */
#define TKV_FLASH_STATUS 0x0D0u  /* r: bit 0 busy, bit 1 the last command failed; poll until bit 0 is clear */
#define TKV_FLASH_ERASE 1u
#define TKV_FLASH_WRITE 2u
#define TKV_FLASH_BUSY 1u
#define TKV_FLASH_FAILED 2u
#define TKV_FLASH_PAGE 4096u

/* Work done, low words of running counts. The clock above runs by the same cycles. */
#define TKV_CYCLES 0x120u       /* r: estimated cycles of a Cortex-M4F at 64 MHz; stands for DWT->CYCCNT */
#define TKV_INSTRUCTIONS 0x124u /* r: instructions, those that IT skips included */

#ifdef __cplusplus
extern "C" {
#endif

/* One sample as TKV_IMU_POP writes it: 20 bytes. */
typedef struct tkv_imu_sample {
    uint32_t index;   /* running number since power-on; a gap is what the FIFO lost */
    uint32_t time_us; /* when the sensor took it, low word of the clock */
    int16_t value[6]; /* aX aY aZ (8192 a g), gX gY gZ (16.384 a degree per second) */
} tkv_imu_sample;

static inline volatile uint32_t *tkv_register(uint32_t offset) {
    return (volatile uint32_t *)(uintptr_t)(TKV_BASE + offset);
}
static inline uint32_t tkv_read(uint32_t offset) { return *tkv_register(offset); }
static inline void tkv_write(uint32_t offset, uint32_t value) { *tkv_register(offset) = value; }

/* Counts up whenever the firmware uses a device, so that main() knows an idle turn of loop(). */
extern uint32_t tkv_activity;

/* Wait until something happens, at most `max_us` microseconds (0: no limit). */
static inline void tkv_idle(uint32_t max_us) {
    tkv_activity++; /* so that main() does not wait a second time for what came in */
    tkv_write(TKV_IDLE, max_us);
}

/* Copies up to `n` waiting samples; returns how many. */
uint32_t tkv_imu_pop(tkv_imu_sample *samples, uint32_t n);

/* Copies up to `n` samples of the buffer that the microphone handed over; returns how many. */
uint32_t tkv_mic_pop(int16_t *samples, uint32_t n);

/* Sends what the line takes now, at most `n` bytes; returns how many. */
uint32_t tkv_serial_send(const uint8_t *bytes, uint32_t n);

/* `command` is TKV_I2C_WRITE or TKV_I2C_READ. 0, or -1 when nobody answered. */
int tkv_i2c_transfer(uint32_t device, uint32_t command, const uint8_t *bytes, uint32_t n);

/* 0, or -1 when the controller refused. Both return when the work is done. */
int tkv_flash_erase(uint32_t address);
int tkv_flash_write(uint32_t address, const uint32_t *words, uint32_t n);

/* Stop for good and say why; the text appears in the board's log on the host. */
void tkv_panic(const char *text) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
