/* tk_apds9960: colour and proximity, after Broadcom's data sheet AV02-4191EN, set as Arduino's library
 * Arduino_APDS9960 sets it, so that its numbers can be compared: 11 ms of light at 16 times gain, proximity by
 * 16 pulses of 16 us at 100 mA. Measures by itself while it is on.
 */
#ifndef TK_APDS9960_H
#define TK_APDS9960_H

#include "tk_i2c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_APDS9960_ADDRESS 0x39u

typedef struct tk_apds9960_reading {
    int16_t red, green, blue, clear; /* counts of light, no unit: 0 to 4100 */
    int16_t proximity;               /* 0: something touches it; 255: nothing within 20 cm or so */
} tk_apds9960_reading;

bool tk_apds9960_find(const tk_i2c *bus);
bool tk_apds9960_switch(const tk_i2c *bus, bool on);

/* The latest measurement; false: none yet, or no answer. */
bool tk_apds9960_read(const tk_i2c *bus, tk_apds9960_reading *reading);

#ifdef __cplusplus
}
#endif
#endif
