#include "tk_lps22hb.h"

enum {
    WHO_AM_I = 0x0F,
    CTRL_REG1 = 0x10,
    CTRL_REG2 = 0x11,
    PRESS_OUT = 0x28, /* 24 bits, 4096 in one hPa */
    ITS_NAME = 0xB1,
    RATE_25 = 0x30,
    WHOLE = 0x02, /* the three bytes are of the same measurement */
    MORE = 0x10,  /* several registers in a row; so at power-on */
};

bool tk_lps22hb_find(const tk_i2c *bus)
{
    uint8_t name;
    return tk_i2c_get(bus, TK_LPS22HB_ADDRESS, WHO_AM_I, &name, 1) && name == ITS_NAME;
}

bool tk_lps22hb_switch(const tk_i2c *bus, bool on)
{
    return tk_i2c_set(bus, TK_LPS22HB_ADDRESS, CTRL_REG2, MORE) &&
           tk_i2c_set(bus, TK_LPS22HB_ADDRESS, CTRL_REG1, on ? RATE_25 | WHOLE : 0);
}

bool tk_lps22hb_read(const tk_i2c *bus, int16_t *pressure)
{
    uint8_t out[3];
    if (!tk_i2c_get(bus, TK_LPS22HB_ADDRESS, PRESS_OUT, out, sizeof out)) return false;
    int32_t raw = out[0] | out[1] << 8 | out[2] << 16;
    int32_t counts = (raw * TK_COUNTS_PER_HPA + 2048) >> 12;
    if (counts <= 0 || counts > INT16_MAX) return false; /* has not measured yet: it goes from 260 hPa to 1260 */
    *pressure = (int16_t)counts;
    return true;
}
