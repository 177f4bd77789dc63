/* What Board.ino needs of the Arduino core, over the virtual board's registers. Not a whole
 * Arduino core: what is missing here is missing on purpose until a sketch needs it. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tk_virtual.h"

typedef uint8_t byte;
typedef bool boolean;

#define HIGH 1
#define LOW 0
#define INPUT 0
#define OUTPUT 1
#define LED_BUILTIN 13
#define LEDR 22 /* lit when LOW, as on the real board */
#define LEDG 23
#define LEDB 24
#define DEC 10
#define HEX 16
#define F(text) (text)

#ifdef __cplusplus
extern "C" {
#endif
void setup(void);
void loop(void);
uint32_t micros(void);
uint32_t millis(void);
void delay(uint32_t ms);
void delayMicroseconds(uint32_t us);
void yield(void); /* waits for an event: a byte, a sensor sample */
void interrupts(void);
void noInterrupts(void);
void pinMode(int pin, int mode);
void digitalWrite(int pin, int value);
void NVIC_SystemReset(void) __attribute__((noreturn));
#ifdef __cplusplus
}

template <class A, class B> static inline auto min(A a, B b) -> decltype(true ? A() : B()) {
    return a < b ? a : b;
}
template <class A, class B> static inline auto max(A a, B b) -> decltype(true ? A() : B()) {
    return a > b ? a : b;
}

class Print {
  public:
    virtual size_t write(const uint8_t *buffer, size_t size) = 0;
    size_t write(uint8_t value) { return write(&value, 1); }
    size_t write(const char *buffer, size_t size) { return write((const uint8_t *)buffer, size); }
    size_t write(const char *text) { return write(text, strlen(text)); }
    size_t print(const char *text) { return write(text); }
    size_t print(char value) { return write((uint8_t)value); }
    size_t print(int value, int base = DEC) { return print((long)value, base); }
    size_t print(unsigned value, int base = DEC) { return print((unsigned long)value, base); }
    size_t print(long value, int base = DEC);
    size_t print(unsigned long value, int base = DEC);
    size_t print(double value, int digits = 2);
    size_t println() { return write("\r\n"); }
    template <class T> size_t println(T value) { return print(value) + println(); }
    template <class T> size_t println(T value, int format) { return print(value, format) + println(); }
};

class Stream : public Print {
  public:
    virtual int available() = 0;
    virtual int read() = 0;
    virtual int peek() = 0;
    size_t readBytes(uint8_t *buffer, size_t size); /* what is there now, at most size */
    size_t readBytes(char *buffer, size_t size) { return readBytes((uint8_t *)buffer, size); }
};

/* The USB serial port, with the Arduino core's 256-byte receive ring. */
class VirtualSerial : public Stream {
  public:
    void begin(unsigned long) {}
    void end() {}
    void flush() {}
    int available() override;
    int read() override;
    int peek() override;
    size_t write(const uint8_t *buffer, size_t size) override;
    using Print::write;
    operator bool(); /* does a program on the host hold the port open? */

  private:
    void fill();
    uint8_t ring_[256];
    uint32_t first_, last_;
};
extern VirtualSerial Serial;
#endif /* __cplusplus */
#endif
