#include "tk_apds9960.h"

#include "tk_bytes.h"

enum {
    ENABLE = 0x80,
    ATIME = 0x81,
    PPULSE = 0x8E,
    CONTROL = 0x8F,
    ID = 0x92,
    STATUS = 0x93, /* then clear, red, green, blue, 16 bits each, and proximity, 8 bits */
    ITS_NAME = 0xAB,
    POWER_LIGHT_PROXIMITY = 0x07,
    FOUR_CYCLES = 252, /* 256 - 4 of 2.78 ms */
    PULSES = 0x8F,     /* 16 us, 16 of them */
    GAIN_16 = 0x02,    /* of light; of proximity 1, LED at 100 mA */
    BOTH_VALID = 0x03,
};

bool tk_apds9960_find(const tk_i2c *bus)
{
    uint8_t name;
    return tk_i2c_get(bus, TK_APDS9960_ADDRESS, ID, &name, 1) && name == ITS_NAME;
}

bool tk_apds9960_switch(const tk_i2c *bus, bool on)
{
    if (!tk_i2c_set(bus, TK_APDS9960_ADDRESS, ENABLE, 0)) return false;
    if (!on) return true;
    return tk_i2c_set(bus, TK_APDS9960_ADDRESS, ATIME, FOUR_CYCLES) &&
           tk_i2c_set(bus, TK_APDS9960_ADDRESS, PPULSE, PULSES) &&
           tk_i2c_set(bus, TK_APDS9960_ADDRESS, CONTROL, GAIN_16) &&
           tk_i2c_set(bus, TK_APDS9960_ADDRESS, ENABLE, POWER_LIGHT_PROXIMITY);
}

static int16_t counts(const uint8_t *bytes)
{
    uint16_t value = tk_get_u16(bytes);
    return (int16_t)(value < INT16_MAX ? value : INT16_MAX);
}

bool tk_apds9960_read(const tk_i2c *bus, tk_apds9960_reading *reading)
{
    uint8_t out[10];
    if (!tk_i2c_get(bus, TK_APDS9960_ADDRESS, STATUS, out, sizeof out)) return false;
    if ((out[0] & BOTH_VALID) != BOTH_VALID) return false;
    reading->clear = counts(out + 1);
    reading->red = counts(out + 3);
    reading->green = counts(out + 5);
    reading->blue = counts(out + 7);
    reading->proximity = (int16_t)(255 - out[9]);
    return true;
}
