/* nano33_port.h on this computer, over a core that behaves as the sources of Arduino's mbed core 4.6 say: see
 * test_nano33_port.py. */
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint32_t now;
static uint32_t micros() { return now; }

/* USBCDC::send_nb: one buffer of 64 bytes, taken by the host or not; nothing while DTR is off. */
struct UsbOfTheTest {
    bool dtr, busy, asked_to_send;
    uint8_t sent[64];
    uint32_t count;
    bool connected() { return dtr; }
    void send_nb(uint8_t *bytes, uint32_t size, uint32_t *actual, bool at_once)
    {
        *actual = 0;
        if (!dtr || busy) return;
        *actual = count = size < sizeof sent ? size : (uint32_t)sizeof sent;
        memcpy(sent, bytes, count);
        busy = asked_to_send = at_once;
    }
} _SerialUSB;

static struct { uint32_t DEMCR; } debug;
static struct { uint32_t CTRL, CYCCNT; } dwt;
static struct { uint32_t DEVICEID[2], DEVICEADDR[2]; } ficr = {{1, 2}, {0x89ABCDEF, 0xFFFF0123}};
#define CoreDebug (&debug)
#define DWT (&dwt)
#define NRF_FICR (&ficr)
enum { CoreDebug_DEMCR_TRCENA_Msk = 1 << 24, DWT_CTRL_CYCCNTENA_Msk = 1 };
namespace rtos { namespace ThisThread { static void yield() {} } }

static uint32_t flash_at, flash_size, flash_calls;
static int flash_answer;
namespace mbed {
struct FlashIAP {
    int init() { return 0; }
    int erase(uint32_t at, uint32_t size) { flash_calls++; flash_at = at; flash_size = size; return flash_answer; }
    int program(const void *, uint32_t at, uint32_t size) { return erase(at, size); }
};
}
#define FLASHIAP_APP_ROM_END_ADDR 0x30000u
uint32_t __bss_end__;

#include "nano33_port.h"

extern "C" {
const char *test_id() { return port_id(); }
void test_line(bool dtr, bool busy) { _SerialUSB = {dtr, busy, false, {}, 0}; }
size_t test_write(const uint8_t *bytes, size_t n) { return port_serial_write(bytes, n); }
bool test_sending() { return _SerialUSB.asked_to_send; }
uint32_t test_mic(uint32_t at) { now = at; return port_mic_index(256); }
uint32_t test_mic_time() { return port_mic_time(256); }
uint32_t test_imu(uint32_t at, uint32_t kept, uint32_t period) { now = at; return port_imu_index(kept, period); }
uint32_t test_imu_time() { return port_imu_time(); }
bool test_erase(uint32_t at, int answer) { flash_answer = answer; return port_flash_erase(at); }
bool test_program(uint32_t at, size_t words, int answer) { flash_answer = answer; return port_flash_write(at, NULL, words); }
void test_flash(uint32_t *out) { out[0] = flash_at; out[1] = flash_size; out[2] = flash_calls; }
uint32_t test_cycles(uint32_t from, uint32_t to)
{
    port_begin();
    dwt.CYCCNT = from;
    port_cycles_start(0);
    dwt.CYCCNT = to;
    return dwt.CTRL & 1 && debug.DEMCR >> 24 & 1 ? port_cycles_stop() : 0;
}
uint32_t test_code_bytes() { return port_code_bytes(); }
}
