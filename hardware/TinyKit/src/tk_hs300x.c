#include "tk_hs300x.h"

#define FULL 0x3FFF /* 14 bits: 100 per cent; 125 degrees, 0 being -40 */

bool tk_hs300x_ask(const tk_i2c *bus)
{
    uint8_t any = 0; /* the address alone would do, but Arduino's Wire reads then */
    return bus->transfer(bus->context, TK_HS300X_ADDRESS, &any, 1, NULL, 0);
}

bool tk_hs300x_read(const tk_i2c *bus, int16_t *temperature, int16_t *humidity)
{
    uint8_t out[4];
    bool read = bus->transfer(bus->context, TK_HS300X_ADDRESS, NULL, 0, out, sizeof out);
    bool asked = tk_hs300x_ask(bus);
    if (!read || !asked || (out[0] & 0xC0) != 0) return false; /* the two bits: not new */
    int32_t h = (out[0] & 0x3F) << 8 | out[1], t = out[2] << 6 | out[3] >> 2;
    *humidity = (int16_t)((h * 10000 + FULL / 2) / FULL);
    *temperature = (int16_t)((t * 16500 + FULL / 2) / FULL - 4000);
    return true;
}
