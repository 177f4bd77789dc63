#include "tk_i2c.h"

bool tk_i2c_set(const tk_i2c *bus, uint8_t device, uint8_t address, uint8_t value)
{
    uint8_t bytes[2] = {address, value};
    return bus->transfer(bus->context, device, bytes, sizeof bytes, NULL, 0);
}

bool tk_i2c_get(const tk_i2c *bus, uint8_t device, uint8_t address, uint8_t *bytes, size_t count)
{
    return bus->transfer(bus->context, device, &address, 1, bytes, count);
}
