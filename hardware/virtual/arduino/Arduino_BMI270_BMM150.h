/* The BMI270 of the Nano 33 BLE Sense Rev2, with the interface of Arduino_BMI270_BMM150 1.0.0:
 * 99.8 Hz, +-4 g, +-2000 degrees per second. */
#ifndef VIRTUAL_ARDUINO_BMI270_BMM150_H
#define VIRTUAL_ARDUINO_BMI270_BMM150_H
#include "virtual_imu.h"
extern VirtualImu IMU_BMI270_BMM150;
#undef IMU
#define IMU IMU_BMI270_BMM150
#endif
