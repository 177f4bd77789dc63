/* The Arduino functions over the registers, and the C functions of tk_virtual.h. */
#include "Arduino.h"
#include "Arduino_BMI270_BMM150.h"
#include "Arduino_LSM9DS1.h"
#include "FlashIAP.h"
#include "PDM.h"
#include "Wire.h"

uint32_t tkv_activity;
VirtualSerial Serial;
VirtualImu IMU_LSM9DS1(1), IMU_BMI270_BMM150(2);
PDMClass PDM;
TwoWire Wire1;

static inline uint32_t address_of(const void *p) { return (uint32_t)(uintptr_t)p; }

extern "C" {

__attribute__((noreturn)) void tkv_main(void) {
    setup();
    for (;;) {
        uint32_t before = tkv_activity;
        loop();
        if (before == tkv_activity)
            tkv_idle(100000); /* not for ever: a sensor that falls silent must be noticed */
    }
}

uint32_t micros(void) { return tkv_read(TKV_TIME_LO); }

uint32_t millis(void) {
    uint64_t low = tkv_read(TKV_TIME_LO);
    return (uint32_t)((((uint64_t)tkv_read(TKV_TIME_HI) << 32) | low) / 1000u);
}

/* An interrupt ends a sleep before its time. */
void delayMicroseconds(uint32_t us) {
    for (uint32_t from = micros(), passed = 0; passed < us; passed = micros() - from)
        tkv_write(TKV_SLEEP, us - passed);
}

void delay(uint32_t ms) {
    for (; ms > 1000; ms -= 1000)
        delayMicroseconds(1000000u);
    delayMicroseconds(ms * 1000u);
}

void yield(void) { tkv_idle(0); }
void noInterrupts(void) { tkv_write(TKV_MASK, 1); }
void interrupts(void) { tkv_write(TKV_MASK, 0); }
void pinMode(int, int) {}

void digitalWrite(int pin, int value) {
    static uint32_t lit;
    uint32_t bit = pin == LED_BUILTIN ? 1u : pin == LEDR ? 2u : pin == LEDG ? 4u : pin == LEDB ? 8u : 0u;
    bool on = (value != LOW) == (bit == 1u);
    lit = on ? lit | bit : lit & ~bit;
    tkv_write(TKV_LED, lit);
}

void NVIC_SystemReset(void) {
    for (;;)
        tkv_write(TKV_RESET, TKV_RESET_KEY);
}

void tkv_panic(const char *text) {
    for (;;)
        tkv_write(TKV_PANIC, address_of(text));
}

/* Zig's runtime asks for these when a destructor of a global exists; the firmware never ends. */
void *__dso_handle;
int __cxa_atexit(void (*)(void *), void *, void *) { return 0; }
int __aeabi_atexit(void *, void (*)(void *), void *) { return 0; }
void __cxa_pure_virtual(void) { tkv_panic("pure virtual call"); }

uint32_t tkv_imu_pop(tkv_imu_sample *samples, uint32_t n) {
    tkv_write(TKV_IMU_ADDRESS, address_of(samples));
    tkv_write(TKV_IMU_POP, n);
    uint32_t popped = tkv_read(TKV_IMU_POPPED);
    tkv_activity += popped;
    return popped;
}

uint32_t tkv_mic_pop(int16_t *samples, uint32_t n) {
    tkv_write(TKV_MIC_ADDRESS, address_of(samples));
    tkv_write(TKV_MIC_POP, n);
    uint32_t popped = tkv_read(TKV_MIC_POP);
    tkv_activity += popped;
    return popped;
}

static void mic_interrupt(void) { PDM.IrqHandler(true); }

uint32_t tkv_serial_send(const uint8_t *bytes, uint32_t n) {
    tkv_write(TKV_TX_ADDRESS, address_of(bytes));
    tkv_write(TKV_TX_SEND, n);
    uint32_t sent = tkv_read(TKV_TX_SENT);
    tkv_activity += sent;
    return sent;
}

int tkv_i2c_transfer(uint32_t device, uint32_t command, const uint8_t *bytes, uint32_t n) {
    tkv_activity++;
    tkv_write(TKV_I2C_DEVICE, device);
    tkv_write(TKV_I2C_ADDRESS, address_of(bytes));
    tkv_write(command, n);
    return tkv_read(TKV_I2C_STATUS) ? -1 : 0;
}

static int flash_finish(uint32_t command) {
    tkv_activity++;
    tkv_write(TKV_FLASH_COMMAND, command);
    uint32_t status;
    do
        status = tkv_read(TKV_FLASH_STATUS);
    while (status & TKV_FLASH_BUSY);
    return status & TKV_FLASH_FAILED ? -1 : 0;
}

int tkv_flash_erase(uint32_t address) {
    tkv_write(TKV_FLASH_ADDRESS, address);
    return flash_finish(TKV_FLASH_ERASE);
}

int tkv_flash_write(uint32_t address, const uint32_t *words, uint32_t n) {
    tkv_write(TKV_FLASH_ADDRESS, address);
    tkv_write(TKV_FLASH_SOURCE, address_of(words));
    tkv_write(TKV_FLASH_WORDS, n);
    return flash_finish(TKV_FLASH_WRITE);
}

} /* extern "C" */

/* Serial */

void VirtualSerial::fill() {
    if (first_ != last_)
        return;
    tkv_write(TKV_RX_ADDRESS, address_of(ring_));
    tkv_write(TKV_RX_TAKE, sizeof ring_);
    first_ = 0;
    last_ = tkv_read(TKV_RX_TAKEN);
}

int VirtualSerial::available() {
    fill();
    return (int)(last_ - first_);
}

int VirtualSerial::peek() {
    fill();
    return first_ == last_ ? -1 : ring_[first_];
}

int VirtualSerial::read() {
    fill();
    if (first_ == last_)
        return -1;
    tkv_activity++;
    return ring_[first_++];
}

/* As on the real board: 0 when nobody holds the port, and it waits for a host that does not read. */
size_t VirtualSerial::write(const uint8_t *buffer, size_t size) {
    for (size_t sent = 0; sent < size;) {
        size_t taken = tkv_serial_send(buffer + sent, size - sent);
        sent += taken;
        if (!taken) {
            if (!(tkv_read(TKV_LINE) & 1u))
                return sent;
            tkv_idle(0);
        }
    }
    return size;
}

VirtualSerial::operator bool() {
    if (tkv_read(TKV_LINE) & 1u)
        return true;
    tkv_idle(10000); /* sketches wait for the port in a tight loop */
    return tkv_read(TKV_LINE) & 1u;
}

size_t Stream::readBytes(uint8_t *buffer, size_t size) {
    size_t n = 0;
    for (; n < size && available(); n++)
        buffer[n] = (uint8_t)read();
    return n;
}

size_t Print::print(unsigned long value, int base) {
    char digits[33];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789ABCDEF"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (value);
    return write(digits + at, sizeof digits - at);
}

size_t Print::print(long value, int base) {
    if (value < 0 && base == DEC)
        return write("-") + print(0ul - (unsigned long)value, base);
    return print((unsigned long)value, base);
}

size_t Print::print(double value, int digits) {
    if (value != value)
        return write("nan");
    size_t n = value < 0 ? write("-") : 0;
    double rest = value < 0 ? -value : value, half = 0.5;
    if (rest > 4294967040.0)
        return n + write("ovf");
    for (int i = 0; i < digits; i++)
        half /= 10;
    rest += half;
    unsigned long integer = (unsigned long)rest;
    n += print(integer);
    if (digits > 0)
        n += write(".");
    for (rest -= integer; digits > 0; digits--) {
        rest *= 10;
        unsigned digit = (unsigned)rest;
        n += print(digit);
        rest -= digit;
    }
    return n;
}

/* IMU */

int VirtualImu::begin() { return present_ = tkv_read(TKV_IMU_KIND) == kind_; }
float VirtualImu::accelerationSampleRate() { return (float)tkv_read(TKV_IMU_RATE_MHZ) / 1000.0f; }

/* The head of the FIFO is kept here until both halves are read, or one is asked for twice. */
bool VirtualImu::next() {
    if (!present_ || !tkv_imu_pop(&sample_, 1))
        return false;
    acceleration_read_ = gyroscope_read_ = false;
    return true;
}

int VirtualImu::accelerationAvailable() { return (int)tkv_read(TKV_IMU_COUNT) + !acceleration_read_; }
int VirtualImu::gyroscopeAvailable() { return (int)tkv_read(TKV_IMU_COUNT) + !gyroscope_read_; }

int VirtualImu::readAcceleration(float &x, float &y, float &z) {
    if (acceleration_read_ && !next())
        return 0;
    acceleration_read_ = true;
    x = sample_.value[0] * 4.0f / 32768.0f;
    y = sample_.value[1] * 4.0f / 32768.0f;
    z = sample_.value[2] * 4.0f / 32768.0f;
    return 1;
}

int VirtualImu::readGyroscope(float &x, float &y, float &z) {
    if (gyroscope_read_ && !next())
        return 0;
    gyroscope_read_ = true;
    x = sample_.value[3] * 2000.0f / 32768.0f;
    y = sample_.value[4] * 2000.0f / 32768.0f;
    z = sample_.value[5] * 2000.0f / 32768.0f;
    return 1;
}

/* Microphone */

int PDMClass::begin(int channels, int sampleRate) {
    if (channels != 1 || (sampleRate != 16000 && sampleRate != 41667) || !tkv_read(TKV_MIC_KIND))
        return 0;
    tkv_write(TKV_MIC_HANDLER, address_of((const void *)mic_interrupt));
    tkv_write(TKV_MIC_SAMPLES, samples_);
    tkv_write(TKV_MIC_RATE, (uint32_t)sampleRate);
    return 1;
}

void PDMClass::end() { tkv_write(TKV_MIC_RATE, 0); }
int PDMClass::available() { return 2 * (int)tkv_read(TKV_MIC_COUNT); }
int PDMClass::read(void *buffer, size_t size) {
    return 2 * (int)tkv_mic_pop((int16_t *)buffer, (uint32_t)(size / 2));
}
void PDMClass::setGain(int gain) { tkv_write(TKV_MIC_GAIN, (uint32_t)gain); }
void PDMClass::setBufferSize(int bytes) { samples_ = (uint32_t)bytes / 2; }
void PDMClass::IrqHandler(bool) {
    if (receive_)
        receive_();
}

/* Wire */

void TwoWire::beginTransmission(uint8_t device) {
    device_ = device;
    count_ = 0;
}

size_t TwoWire::write(const uint8_t *bytes, size_t count) {
    size_t n = min(count, sizeof out_ - count_);
    memcpy(out_ + count_, bytes, n);
    count_ += n;
    return n;
}

uint8_t TwoWire::endTransmission(bool) {
    if (!begun_)
        tkv_panic("Wire1 is used, but was not begun");
    return tkv_i2c_transfer(device_, TKV_I2C_WRITE, out_, count_) ? 2 : 0;
}

size_t TwoWire::requestFrom(uint8_t device, size_t count, bool) {
    if (!begun_)
        tkv_panic("Wire1 is used, but was not begun");
    first_ = last_ = 0;
    count = min(count, sizeof in_);
    if (tkv_i2c_transfer(device, TKV_I2C_READ, in_, (uint32_t)count))
        return 0;
    last_ = (uint32_t)count;
    return count;
}

/* Flash */

int mbed::FlashIAP::erase(uint32_t address, uint32_t size) {
    for (uint32_t at = 0; at < size; at += TKV_FLASH_PAGE)
        if (tkv_flash_erase(address + at))
            return -1;
    return 0;
}

int mbed::FlashIAP::program(const void *buffer, uint32_t address, uint32_t size) {
    if (size % 4 || address_of(buffer) % 4)
        return -1;
    return tkv_flash_write(address, (const uint32_t *)buffer, size / 4);
}
