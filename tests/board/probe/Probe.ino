// A sketch that does one small thing at a command: what the tests of the virtual board run.
#include <Arduino_BMI270_BMM150.h>
#include <Arduino_LSM9DS1.h>
#include <FlashIAP.h>
#include <PDM.h>

static mbed::FlashIAP flash;
static uint32_t words[1024];
static uint32_t stream_left;
static uint32_t rev;

// What the microphone's interrupt puts there and `a` sends.
struct Heard { uint32_t index, time_us; int16_t sample[256]; };
static Heard heard[96]; /* a second and a half: a host that is late must not look like a microphone that loses */
static volatile uint32_t heard_in, heard_out, interrupts_seen, leave;
static void on_sound() {
    interrupts_seen++;
    Heard &h = heard[heard_in % 96];
    uint32_t n = PDM.available() / 2;
    if (leave) { leave--; n = 0; }
    if (PDM.read(h.sample, 2 * n)) {
        h.index = PDM.sampleIndex();
        h.time_us = PDM.sampleTime();
        if (heard_in - heard_out < 96) heard_in++;
    }
}

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
    case 'k': { uint32_t hz = next32(); PDM.onReceive(on_sound); send32((uint32_t)PDM.begin(1, (int)hz)); break; }
    case 'K': PDM.end(); send32(interrupts_seen); break;
    case 'L': leave = next32(); send32(interrupts_seen); break;
    case 'i': send32(interrupts_seen); break;
    case 'A': heard_out = heard_in; send32(heard_out); break;
    case 'a': { // send n buffers, as they come
        for (uint32_t n = next32(); n; n--, heard_out++) {
            while (heard_in == heard_out) yield();
            send(&heard[heard_out % 96], sizeof(Heard));
        }
        break;
    }
    case 'g': PDM.setGain((int)next32()); send32(0); break;
    case 'M': { uint32_t ms = next32(); noInterrupts(); delay(ms); interrupts(); send32(heard_in); break; }
    case 'w': { // work without touching a device, and say how long it took and what came meanwhile
        uint32_t n = next32(), from = micros(), seen = interrupts_seen;
        volatile uint32_t x = 0;
        while (n--) x = x * 3 + 1;
        send32(micros() - from);
        send32(interrupts_seen - seen);
        send32(x);
        break;
    }
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
