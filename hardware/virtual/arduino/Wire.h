/* The I2C bus with the sensors of the Nano 33 BLE Sense, with the interface of the Wire library of Arduino's
 * mbed core; there, too, begin() starts anew, and a transfer before begin() or after end() is the end of the
 * sketch. The IMU is not on it here: its library reads registers of its own. */
#ifndef VIRTUAL_WIRE_H
#define VIRTUAL_WIRE_H
#include "Arduino.h"

class TwoWire : public Stream {
  public:
    void begin() { begun_ = true; }
    void end() { begun_ = false; }
    void setClock(uint32_t) {}
    void beginTransmission(uint8_t device);
    uint8_t endTransmission(bool stop = true); /* 0, or 2: nobody answered */
    size_t requestFrom(uint8_t device, size_t count, bool stop = true);
    size_t write(const uint8_t *bytes, size_t count) override;
    using Print::write;
    int available() override { return (int)(last_ - first_); }
    int read() override { return first_ == last_ ? -1 : in_[first_++]; }
    int peek() override { return first_ == last_ ? -1 : in_[first_]; }

  private:
    bool begun_;
    uint8_t device_, out_[32], in_[32];
    uint32_t count_, first_, last_;
};
extern TwoWire Wire1;
#endif
