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

/* An IMU whose library answers with `answer` whenever it is read: 1, or as the LSM9DS1's does on a bus that
 * fails, where it says that there is a reading, and -1 when that is read. */
struct ImuOfTheTest {
    int found, answer;
    float rate;
    int begin() { return found; }
    void setContinuousMode() {}
    int accelerationAvailable() { return 1; }
    int readAcceleration(float &x, float &y, float &z) { x = y = z = 1; return answer; }
    int readGyroscope(float &x, float &y, float &z) { x = y = z = 1; return answer; }
    float accelerationSampleRate() { return rate; }
} IMU_LSM9DS1, IMU_BMI270_BMM150;

/* The bus of a board without environment sensors. */
struct BusOfTheTest {
    void begin() {}
    void setClock(uint32_t) {}
    void beginTransmission(uint8_t) {}
    size_t write(const uint8_t *, size_t n) { return n; }
    uint8_t endTransmission(bool) { return 2; }
    size_t requestFrom(uint8_t, size_t) { return 0; }
    int read() { return -1; }
} Wire1;

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
/* How many readings there are when revision 1 or 2 answers so, the board's setup() done; -1: no IMU found. */
int test_imu(int revision, int answer, float rate)
{
    tk_sample sample;
    int n = 0;
    IMU_LSM9DS1 = {revision == 1, answer, rate};
    IMU_BMI270_BMM150 = {revision == 2, answer, rate};
    find_imu();
    if (hal.imu_read == nullptr) return -1;
    while (n < 10 && hal.imu_read(nullptr, &sample) == 1) n++;
    return n;
}
uint32_t test_imu_rate() { return hal.imu_rate_mhz; }
void test_start() { mic_start(nullptr); }
uint32_t test_begun() { return begun; }
uint32_t test_ended() { return ended; }
}
