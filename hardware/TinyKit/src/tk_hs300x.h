/* tk_hs300x: temperature and humidity of a Nano 33 BLE Sense Rev2 (HS3003), after Renesas' data sheet of
 * the HS300x.
 *
 * It measures when it is asked, and needs up to 35 ms; what comes of it is read the next time.
 */
#ifndef TK_HS300X_H
#define TK_HS300X_H

#include "tk_i2c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_HS300X_ADDRESS 0x44u
#define TK_HS300X_US 35000u /* that a measurement takes */

/* Ask for a measurement; false: it is not there. (It has no name that could be asked for.) */
bool tk_hs300x_ask(const tk_i2c *bus);

/* The measurement that was last asked for, in hundredths of a degree Celsius and of a per cent; then asks for
 * another. False: it was read already, or is not done, or no answer. Not to be called again within TK_HS300X_US. */
bool tk_hs300x_read(const tk_i2c *bus, int16_t *temperature, int16_t *humidity);

#ifdef __cplusplus
}
#endif
#endif
