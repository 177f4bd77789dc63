// A sketch that does one small thing at a command: what the tests of the virtual board run.
#include <Arduino_BMI270_BMM150.h>
#include <Arduino_LSM9DS1.h>
#include <FlashIAP.h>

static mbed::FlashIAP flash;
static uint32_t words[1024];
static uint32_t stream_left;
static uint32_t rev;

static uint8_t next() {
    while (!Serial.available())
        yield();
    return (uint8_t)Serial.read();
}
static uint32_t next32() {
    uint32_t v = next();
    v |= (uint32_t)next() << 8;
    v |= (uint32_t)next() << 16;
    return v | (uint32_t)next() << 24;
}
static void send(const void *p, size_t n) { Serial.write((const uint8_t *)p, n); }
static void send32(uint32_t v) { send(&v, 4); }

void setup() {
    Serial.begin(115200);
    flash.init();
    rev = IMU_LSM9DS1.begin() ? 1 : IMU_BMI270_BMM150.begin() ? 2 : 0;
}

static void command(uint8_t letter) {
    switch (letter) {
    case 'p': send("pong", 4); break;
    case 't': send32(micros()); break;
    case 'm': send32(millis()); break;
    case 'v': send32(rev); break;
    case 's': stream_left = next32(); break;
    case 'd': { uint32_t ms = next32(), from = micros(); delay(ms); send32(micros() - from); break; }
    case 'l': digitalWrite(LEDG, LOW); digitalWrite(LED_BUILTIN, HIGH); send("l", 1); break;
    case 'n': Serial.print(-42); Serial.print(' '); Serial.print(3.14159, 3); Serial.print(' '); Serial.println(255u, HEX); break;
    case 'c': { // how many cycles do n turns of an empty loop take?
        uint32_t n = next32(), from = tkv_read(TKV_CYCLES);
        while (n--)
            __asm__ volatile("nop");
        send32(tkv_read(TKV_CYCLES) - from);
        break;
    }
    case 'E': { uint32_t at = next32(); send32(flash.erase(at, 4096) ? 1 : 0); break; }
    case 'W': {
        uint32_t at = next32(), n = next32();
        for (uint32_t i = 0; i < n; i++)
            words[i] = next32();
        send32(flash.program(words, at, 4 * n) ? 1 : 0);
        break;
    }
    case 'R': { uint32_t at = next32(); send((const void *)(uintptr_t)at, next32()); break; }
    case 'F': // for ever: pages of zeros, and erased again
        memset(words, 0, sizeof words);
        for (;;) {
            flash.program(words, 0x50000, 4096);
            flash.erase(0x50000, 4096);
        }
    case 'B': { uint32_t n = next32(); while (n--) send32(n); break; }
    case 'h': for (;;) __asm__ volatile("");
    case '!': tkv_panic("told to");
    case 'r': NVIC_SystemReset();
    case 'x': *(volatile uint32_t *)0x30000000 = 1; break;
    }
}

void loop() {
    if (Serial.available())
        command((uint8_t)Serial.read());
    tkv_imu_sample sample;
    while (stream_left && tkv_imu_pop(&sample, 1)) {
        send(&sample, sizeof sample);
        stream_left--;
    }
    if (!stream_left && rev) { // as a sketch does that shows no samples: the library's calls
        float x, y, z;
        VirtualImu &imu = rev == 1 ? IMU_LSM9DS1 : IMU_BMI270_BMM150;
        while (imu.accelerationAvailable() && imu.gyroscopeAvailable())
            if (!imu.readAcceleration(x, y, z) || !imu.readGyroscope(x, y, z))
                break;
    }
}
