#include "sensor.h"

#include <Arduino_LSM9DS1.h>
#include <Arduino_BMI270_BMM150.h>

#include "model.h"
#include "src/tk_schedule.h"

static tk_history history;
static tk_schedule schedule;
static uint32_t rate_mhz;
static bool second_revision;

static uint32_t now_us(void *)
{
    return micros();
}

const tk_hal *sensor_hal()
{
    static tk_hal hal;
    hal.micros = now_us;
    return &hal;
}

tk_status sensor_check(tk_solo *solo, tk_solo_checked *checked)
{
    return tk_solo_check_imu(solo, model_checks, MODEL_CHECKS, checked);
}

static int16_t to_counts(float value, float per_unit)
{
    float counts = value * per_unit;
    counts += counts < 0 ? -0.5f : 0.5f;
    return counts >= 32767.0f ? 32767 : counts <= -32768.0f ? -32768 : (int16_t)counts;
}

/* Both IMUs have the same calls, but no common class. `kept`: readings that the sensor remembers. */
template <class Imu> static bool read_imu(Imu &imu, uint32_t kept, tk_sample *sample)
{
    float a[3], g[3];
    if (!imu.accelerationAvailable()) return false;
    /* On a bus that fails the LSM9DS1's library says that there is a reading, and -1 when it is read. */
    if (imu.readGyroscope(g[0], g[1], g[2]) != 1 || imu.readAcceleration(a[0], a[1], a[2]) != 1) return false;
    /* Neither library counts or times readings: both are reckoned from when they are taken. */
    tk_schedule_reading(&schedule, micros(), 1000000000u / rate_mhz, kept);
    sample->index = schedule.index;
    sample->time_us = schedule.time_us;
    for (int i = 0; i < 3; i++) {
        sample->value[i] = to_counts(a[i], (float)TK_COUNTS_PER_G);
        sample->value[3 + i] = to_counts(g[i], (float)TK_COUNTS_PER_DPS);
    }
    return true;
}

static bool read_reading(tk_sample *sample)
{
    return second_revision ? read_imu(IMU_BMI270_BMM150, 1, sample) : read_imu(IMU_LSM9DS1, 32, sample);
}

/* The two revisions of the board have the same USB id, so ask the IMU itself. The LSM9DS1 keeps 32 readings
 * when it is told to, the BMI270 one. */
const char *sensor_begin(tk_solo *solo)
{
    float rate;
    if (IMU_LSM9DS1.begin()) {
        IMU_LSM9DS1.setContinuousMode();
        rate = IMU_LSM9DS1.accelerationSampleRate();
    } else if (IMU_BMI270_BMM150.begin()) {
        second_revision = true;
        rate = IMU_BMI270_BMM150.accelerationSampleRate();
    } else {
        return "no IMU answers, neither an LSM9DS1 nor a BMI270: is this a Nano 33 BLE Sense?";
    }
    /* The BMI270's library reads it off the sensor; if just that fails, it is any number. */
    if (!(rate > 10.0f && rate < 1000.0f)) rate = second_revision ? 99.84f : 119.0f;
    rate_mhz = (uint32_t)(rate * 1000.0f + 0.5f);
    tk_history_init(&history);
    return tk_solo_start_imu(solo, &history, rate_mhz) == TK_OK ? NULL : "the network wants another rate";
}

const char *sensor_name()
{
    return second_revision ? "BMI270, so this is a Rev2" : "LSM9DS1, so this is a Rev1";
}

bool sensor_answer(tk_solo *solo, tk_solo_answer *answer)
{
    tk_sample sample;
    for (int i = 0; i < 64 && read_reading(&sample); i++) tk_history_push(&history, &sample);
    return tk_solo_feel(solo, &history, answer);
}
