/* Board.ino's microphone on this computer, with a driver that the test plays: see test_sketch.py. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TINYKIT_VIRTUAL
#define PORT_BOARD "Test"
#define PORT_VIRTUAL 1

static uint32_t micros() { return 0; }

struct SerialOfTheTest {
    void begin(uint32_t) {}
    int available() { return 0; }
    int read() { return -1; }
} Serial;

struct NoImu {
    int begin() { return 0; }
    void setContinuousMode() {}
    int accelerationAvailable() { return 0; }
    int readAcceleration(float &, float &, float &) { return 0; }
    int readGyroscope(float &, float &, float &) { return 0; }
    float accelerationSampleRate() { return 1; }
} IMU_LSM9DS1, IMU_BMI270_BMM150;

static uint32_t made, begun, ended, first_index; /* samples made by the driver so far, ... */
static int waiting;                              /* bytes in its buffer */
static void (*callback)(void);

struct DriverOfTheTest {
    void onReceive(void (*function)(void)) { callback = function; }
    int begin(int channels, int rate) { return (begun += channels == 1 && rate == 16000) > 0; }
    void end() { ended++; }
    int read(void *buffer, size_t size)
    {
        int bytes = waiting < (int)size ? waiting : (int)size;
        for (int i = 0; i < bytes / 2; i++) ((int16_t *)buffer)[i] = (int16_t)(made + (uint32_t)i);
        waiting -= bytes;
        return bytes;
    }
} PDM;

static inline void port_begin() {}
static inline const char *port_id() { return "TEST"; }
static inline size_t port_serial_write(const uint8_t *, size_t length) { return length; }
static inline uint32_t port_imu_index(uint32_t, uint32_t) { return 0; }
static inline uint32_t port_imu_time() { return 0; }
static inline uint32_t port_mic_index(uint32_t) { return first_index; }
static inline uint32_t port_mic_time(uint32_t) { return 1000000u + made * 125u / 2u; }
static inline bool port_flash_erase(uint32_t) { return false; }
static inline bool port_flash_write(uint32_t, const uint32_t *, size_t) { return false; }
static inline void port_cycles_start(uint32_t) {}
static inline uint32_t port_cycles_stop() { return 0; }
static inline uint32_t port_free_ram() { return 0; }
static inline uint32_t port_code_bytes() { return 0; }
static inline uint32_t port_static_bytes() { return 0; }
static inline void port_idle() {}

#include "Board.h" /* a copy of Board.ino */

extern "C" {
/* The rest of the core is not asked for here. */
void tk_device_init(tk_device *, const tk_hal *, void *, size_t) {}
void tk_device_poll(tk_device *) {}

/* The driver's interrupt: a buffer of so many samples is full. Returns the bytes left unread. */
int test_interrupt(uint32_t samples)
{
    waiting = 2 * (int)samples;
    first_index = made;
    if (callback) callback();
    made += samples;
    return waiting;
}
size_t test_read(int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    return mic_read(nullptr, samples, capacity, index, time_us);
}
void test_start() { mic_start(nullptr); }
uint32_t test_begun() { return begun; }
uint32_t test_ended() { return ended; }
}
