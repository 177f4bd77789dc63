#include "tk_hts221.h"

#include "tk_bytes.h"

enum {
    WHO_AM_I = 0x0F,
    CTRL_REG1 = 0x20,
    STATUS = 0x27,
    OUT = 0x28,         /* humidity, then temperature, 16 bits each */
    CALIBRATION = 0x30, /* 16 bytes */
    MORE = 0x80,        /* added to an address: several registers in a row */
    ITS_NAME = 0xBC,
    POWER = 0x80,
    WHOLE = 0x04, /* both bytes of an output are of the same measurement */
    RATE_12_5 = 0x03,
    BOTH_NEW = 0x03,
};

static int16_t signed16(const uint8_t *bytes)
{
    return (int16_t)tk_get_u16(bytes);
}

bool tk_hts221_find(tk_hts221 *sensor, const tk_i2c *bus)
{
    uint8_t name, c[16];
    if (!tk_i2c_get(bus, TK_HTS221_ADDRESS, WHO_AM_I, &name, 1) || name != ITS_NAME) return false;
    if (!tk_i2c_get(bus, TK_HTS221_ADDRESS, CALIBRATION | MORE, c, sizeof c)) return false;
    sensor->humidity_is[0] = c[0];
    sensor->humidity_is[1] = c[1];
    sensor->temperature_is[0] = (int16_t)(c[2] | (c[5] & 0x03) << 8);
    sensor->temperature_is[1] = (int16_t)(c[3] | (c[5] & 0x0C) << 6);
    sensor->humidity_at[0] = signed16(c + 6);
    sensor->humidity_at[1] = signed16(c + 10);
    sensor->temperature_at[0] = signed16(c + 12);
    sensor->temperature_at[1] = signed16(c + 14);
    sensor->ready = false;
    return sensor->humidity_at[0] != sensor->humidity_at[1] && sensor->temperature_at[0] != sensor->temperature_at[1];
}

bool tk_hts221_switch(tk_hts221 *sensor, const tk_i2c *bus, bool on)
{
    sensor->ready = false;
    return tk_i2c_set(bus, TK_HTS221_ADDRESS, CTRL_REG1, on ? POWER | WHOLE | RATE_12_5 : 0);
}

/* Where `x` is on the line through two points, times factor / divisor, rounded; at the ends of 16 bits it stays. */
static int16_t on_line(int32_t x, const int16_t *at, const int16_t *is, int32_t factor, int32_t divisor)
{
    int64_t run = (int64_t)at[1] - at[0];
    int64_t above = factor * (is[0] * run + ((int64_t)x - at[0]) * (is[1] - is[0])), below = divisor * run;
    if (below < 0) {
        above = -above;
        below = -below;
    }
    int64_t value = (above + (above < 0 ? -below / 2 : below / 2)) / below;
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

bool tk_hts221_read(tk_hts221 *sensor, const tk_i2c *bus, int16_t *temperature, int16_t *humidity)
{
    uint8_t status, out[4];
    if (!sensor->ready) {
        if (!tk_i2c_get(bus, TK_HTS221_ADDRESS, STATUS, &status, 1)) return false;
        sensor->ready = (status & BOTH_NEW) == BOTH_NEW;
        if (!sensor->ready) return false;
    }
    if (!tk_i2c_get(bus, TK_HTS221_ADDRESS, OUT | MORE, out, sizeof out)) return false;
    *humidity = on_line(signed16(out), sensor->humidity_at, sensor->humidity_is, 100, 2);
    *temperature = on_line(signed16(out + 2), sensor->temperature_at, sensor->temperature_is, 100, 8);
    return true;
}
