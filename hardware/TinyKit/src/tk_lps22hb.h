/* tk_lps22hb: air pressure, after ST's data sheet DocID027083. Measures by itself while it is on. */
#ifndef TK_LPS22HB_H
#define TK_LPS22HB_H

#include "tk_i2c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_LPS22HB_ADDRESS 0x5Cu
#define TK_COUNTS_PER_HPA 25 /* 1260 hPa, the most that it measures, are within 16 bits */

bool tk_lps22hb_find(const tk_i2c *bus);
bool tk_lps22hb_switch(const tk_i2c *bus, bool on);

/* The latest measurement, TK_COUNTS_PER_HPA in one hPa; false: none yet, or no answer. */
bool tk_lps22hb_read(const tk_i2c *bus, int16_t *pressure);

#ifdef __cplusplus
}
#endif
#endif
