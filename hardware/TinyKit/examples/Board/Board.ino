/* Board: a Nano 33 BLE Sense as tinykit wants it. Flash it once; everything else comes by USB.
 *
 * Thin glue between the Arduino libraries and the core (TinyKit/src), the same on the real board
 * and on the virtual one. What differs between them is in one header each, which defines:
 *
 *   PORT_BOARD, PORT_VIRTUAL                        name, and 1 on the virtual board
 *   void port_begin()                               anything to prepare, Serial if it needs it
 *   const char *port_id()                           the board's serial number
 *   size_t port_serial_write(bytes, length)         what the line takes now, never waiting
 *   uint32_t port_imu_index(kept, period_us)        number of the reading just taken, by a sensor
 *                                                   that keeps so many and takes one every so often
 *   uint32_t port_imu_time()                        when it was taken, us
 *   uint32_t port_mic_index(samples)                number of the first of so many samples that
 *                                                   PDM.read() has just given
 *   uint32_t port_mic_time(samples)                 when that one was taken, us
 *   bool port_flash_erase(address)                  one 4 KB page
 *   bool port_flash_write(address, words, count)
 *   void port_cycles_start(key), uint32_t port_cycles_stop()
 *   uint32_t port_free_ram()
 *   uint32_t port_code_bytes()                      flash that this firmware takes
 *   uint32_t port_static_bytes()                    RAM that its static variables take
 *   void port_idle()                                rest a moment: nothing was to do
 */
#include <Arduino_LSM9DS1.h>
#include <Arduino_BMI270_BMM150.h>
#include <PDM.h>
#include <TinyKit.h>
#include <Wire.h>

#ifdef TINYKIT_VIRTUAL
#include "virtual_port.h"
#else
#include "nano33_port.h"
#endif

/* What networks compute in. With Bluetooth off, 200 KB would fit; 128 hold every MLPerf Tiny model. */
static uint8_t arena[128 * 1024] __attribute__((aligned(16)));
static tk_device device;
static tk_hal hal;

/* ---- sensors ---- */

static int16_t to_counts(float value, float per_unit)
{
    float counts = value * per_unit;
    counts += counts < 0 ? -0.5f : 0.5f;
    return counts >= 32767.0f ? 32767 : counts <= -32768.0f ? -32768 : (int16_t)counts;
}

/* Both IMUs have the same calls, but no common class. */
template <class Imu> static int read_imu(Imu &imu, uint32_t kept, tk_sample *sample)
{
    float a[3], g[3];
    if (!imu.accelerationAvailable()) return 0;
    /* On a bus that fails the LSM9DS1's library says that there is a reading, and -1 when it is read. */
    if (imu.readGyroscope(g[0], g[1], g[2]) != 1 || imu.readAcceleration(a[0], a[1], a[2]) != 1) return 0;
    sample->index = port_imu_index(kept, 1000000000u / hal.imu_rate_mhz);
    sample->time_us = port_imu_time();
    for (int i = 0; i < 3; i++) {
        sample->value[i] = to_counts(a[i], (float)TK_COUNTS_PER_G);
        sample->value[3 + i] = to_counts(g[i], (float)TK_COUNTS_PER_DPS);
    }
    return 1;
}

static int read_rev1(void *, tk_sample *sample) { return read_imu(IMU_LSM9DS1, 32, sample); }
static int read_rev2(void *, tk_sample *sample) { return read_imu(IMU_BMI270_BMM150, 1, sample); }

/* The BMI270's library reads its rate off the sensor; if just that fails, it is any number. */
static uint32_t to_mhz(float hz, uint32_t usual)
{
    return hz > 10.0f && hz < 1000.0f ? (uint32_t)(hz * 1000.0f + 0.5f) : usual;
}

/* The two revisions have the same USB id, so ask the IMU itself. The LSM9DS1 keeps 32 readings in
 * its FIFO. The BMI270's library has such a mode too, but reads before its buffer there (1.2), so it is
 * used without: it keeps one. */
static void find_imu()
{
    if (IMU_LSM9DS1.begin()) {
        IMU_LSM9DS1.setContinuousMode();
        hal.imu_read = read_rev1;
        hal.imu_name = "LSM9DS1";
        hal.imu_rate_mhz = to_mhz(IMU_LSM9DS1.accelerationSampleRate(), 119000);
    } else if (IMU_BMI270_BMM150.begin()) {
        hal.imu_read = read_rev2;
        hal.imu_name = "BMI270";
        hal.imu_rate_mhz = to_mhz(IMU_BMI270_BMM150.accelerationSampleRate(), 99840);
    }
}

/* ---- microphone ---- */

/* The driver has two buffers of 16 ms, and stops without a word when one is not read before the next is
 * full. So it is read where that can't be late: in the driver's own callback, in an interrupt, into a
 * queue of blocks from which the loop takes them. The queue needs no lock: the callback alone moves
 * `mic_head`, the loop alone `mic_tail`, each after its data. One block is always left free for the
 * callback: when the loop is late, what is read there is lost, not the microphone, and the next block's
 * index shows it. */
#define MIC_BLOCKS 8u    /* 112 ms of sound; the loop comes by between a network's layers */
#define MIC_SAMPLES 256u /* in one of the driver's buffers */

static struct {
    uint32_t index;   /* of the first sample */
    uint32_t time_us; /* when that was taken */
    uint32_t count;
    int16_t sample[MIC_SAMPLES];
} mic_block[MIC_BLOCKS];
static uint32_t mic_head, mic_tail; /* blocks ever put in and taken out */
static uint32_t mic_used;           /* samples of the oldest block that were taken */
static bool mic_started;

static void on_sound()
{
    uint32_t head = mic_head, waiting = head - __atomic_load_n(&mic_tail, __ATOMIC_ACQUIRE);
    auto &block = mic_block[head % MIC_BLOCKS];
    int bytes = PDM.read(block.sample, sizeof block.sample);
    if (bytes < 2) return;
    block.count = (uint32_t)bytes / 2;
    block.index = port_mic_index(block.count);
    block.time_us = port_mic_time(block.count);
    if (waiting < MIC_BLOCKS - 1) __atomic_store_n(&mic_head, head + 1, __ATOMIC_RELEASE);
}

static size_t mic_read(void *, int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    uint32_t tail = mic_tail;
    if (tail == __atomic_load_n(&mic_head, __ATOMIC_ACQUIRE)) return 0;
    const auto &block = mic_block[tail % MIC_BLOCKS];
    uint32_t rest = block.count - mic_used;
    uint32_t n = rest < capacity ? rest : (uint32_t)capacity;
    memcpy(samples, block.sample + mic_used, 2 * n);
    *index = block.index + mic_used;
    *time_us = block.time_us + mic_used * 125u / 2u; /* 62.5 us a sample */
    mic_used += n;
    if (mic_used == block.count) {
        mic_used = 0;
        __atomic_store_n(&mic_tail, tail + 1, __ATOMIC_RELEASE);
    }
    return n;
}

static void mic_start(void *)
{
    if (mic_started) PDM.end();
    mic_started = true;
    PDM.onReceive(on_sound);
    PDM.begin(1, 16000); /* should it fail, nothing comes, and it is tried again */
}

/* ---- environment sensors ---- */

/* They are read by the core's own drivers (tk_environment): Arduino's libraries for them wait, 35 ms for the
 * HS300x, while the BMI270 forgets three readings; and HTS221's begin(), where there is none, takes the bus
 * away from the IMU, which it shares. */
static bool bus_transfer(void *, uint8_t sensor, const uint8_t *out, size_t out_count, uint8_t *in, size_t in_count)
{
    if (out_count > 0) {
        Wire1.beginTransmission(sensor);
        Wire1.write(out, out_count);
        if (Wire1.endTransmission(in_count == 0) != 0) return false;
    }
    if (in_count > 0 && Wire1.requestFrom(sensor, in_count) != in_count) return false;
    for (size_t i = 0; i < in_count; i++) in[i] = (uint8_t)Wire1.read();
    return true;
}

static const tk_i2c bus = {nullptr, bus_transfer};

/* After the IMU's library, which begins and may end the bus as it likes. All sensors on it can do 400 kHz; at
 * the 100 that it begins with, reading the IMU takes a fifth of the time there is. */
static void begin_bus()
{
    Wire1.begin();
    Wire1.setClock(400000);
    hal.i2c = &bus;
}

/* ---- the rest of the board ---- */

static uint32_t now_us(void *) { return micros(); }
static void cycles_start(void *, uint32_t key) { port_cycles_start(key); }
static uint32_t cycles_stop(void *) { return port_cycles_stop(); }
static uint32_t free_ram(void *) { return port_free_ram(); }

static size_t serial_read(void *, uint8_t *bytes, size_t capacity)
{
    size_t n = 0;
    while (n < capacity && Serial.available() > 0) bytes[n++] = (uint8_t)Serial.read();
    return n;
}

static size_t serial_write(void *, const uint8_t *bytes, size_t length)
{
    return port_serial_write(bytes, length);
}

static tk_status flash_erase(void *, uint32_t address)
{
    return port_flash_erase(address) ? TK_OK : TK_ERR_FLASH;
}

static tk_status flash_write(void *, uint32_t address, const uint32_t *words, size_t count)
{
    return port_flash_write(address, words, count) ? TK_OK : TK_ERR_FLASH;
}

void setup()
{
    port_begin(); /* and don't wait for a host: the board works without one */
    find_imu();
    begin_bus();
    hal.micros = now_us;
    hal.mic_read = mic_read;
    hal.mic_start = mic_start;
    hal.mic_name = "MP34DT06";
    hal.mic_rate_mhz = 16000000;
    hal.mic_settle_ms = 3500;
    hal.cycles_start = cycles_start;
    hal.cycles_stop = cycles_stop;
    hal.serial_read = serial_read;
    hal.serial_write = serial_write;
    hal.flash_erase = flash_erase;
    hal.flash_write = flash_write;
    hal.slot_address[0] = 0x50000;
    hal.slot_address[1] = 0xA0000;
    hal.slot_bytes = 0x50000;
    hal.free_ram = free_ram;
    hal.code_bytes = port_code_bytes();
    hal.static_bytes = port_static_bytes();
    hal.board = PORT_BOARD;
    hal.id = port_id();
    hal.is_virtual = PORT_VIRTUAL;
    tk_device_init(&device, &hal, arena, sizeof arena);
}

void loop()
{
    tk_device_poll(&device);
    port_idle();
}
