/* One class for both IMU libraries: their interfaces are the same. */
#ifndef VIRTUAL_IMU_H
#define VIRTUAL_IMU_H
#include "Arduino.h"

class VirtualImu {
  public:
    explicit VirtualImu(uint32_t kind) : kind_(kind), present_(false), acceleration_read_(true), gyroscope_read_(true) {}
    int begin(); /* 1, or 0 when this board has another sensor or a dead one */
    void end() {}
    void setContinuousMode() {} /* samples always wait in the FIFO */
    int accelerationAvailable(); /* samples whose acceleration was not read yet */
    int gyroscopeAvailable();
    int readAcceleration(float &x, float &y, float &z); /* g */
    int readGyroscope(float &x, float &y, float &z);    /* degrees per second */
    float accelerationSampleRate();

    /* Not in the real libraries: what begin() found, and the sensor's own count and clock for the sample
     * just read. */
    bool present() const { return present_; }
    uint32_t sampleIndex() const { return sample_.index; }
    uint32_t sampleTime() const { return sample_.time_us; }

  private:
    bool next();
    uint32_t kind_;
    bool present_; /* as begin() found */
    tkv_imu_sample sample_;
    bool acceleration_read_, gyroscope_read_;
};
#endif
