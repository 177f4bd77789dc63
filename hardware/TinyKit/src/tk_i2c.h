/* tk_i2c: a bus with small sensors on it, as the board offers it. */
#ifndef TK_I2C_H
#define TK_I2C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_i2c {
    void *context; /* handed to the callback */
    /* Send bytes to the device of a 7-bit address, then read some from it, without letting go of the bus
     * between; either may be none. Returns when that is done (a byte takes 23 us at 400 kHz); false when no
     * such device answered. */
    bool (*transfer)(void *context, uint8_t device, const uint8_t *out, size_t out_count, uint8_t *in,
                     size_t in_count);
} tk_i2c;

/* Set one register. */
bool tk_i2c_set(const tk_i2c *bus, uint8_t device, uint8_t address, uint8_t value);

/* Read registers that follow one another, from `address` on. */
bool tk_i2c_get(const tk_i2c *bus, uint8_t device, uint8_t address, uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
