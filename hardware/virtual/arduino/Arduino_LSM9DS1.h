/* The LSM9DS1 of the Nano 33 BLE Sense (Rev1), with the interface of Arduino_LSM9DS1 1.1.1:
 * 119 Hz, +-4 g, +-2000 degrees per second; acceleration in g, angular rate in degrees per second. */
#ifndef VIRTUAL_ARDUINO_LSM9DS1_H
#define VIRTUAL_ARDUINO_LSM9DS1_H
#include "virtual_imu.h"
extern VirtualImu IMU_LSM9DS1;
#undef IMU
#define IMU IMU_LSM9DS1
#endif
