/* tk_hts221: temperature and humidity of a Nano 33 BLE Sense Rev1, after ST's data sheet DocID026333.
 *
 * It measures by itself while it is on, 12.5 times a second, so that reading it never waits.
 */
#ifndef TK_HTS221_H
#define TK_HTS221_H

#include "tk_i2c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_HTS221_ADDRESS 0x5Fu

/* Two points of each line from what it measures to degrees and per cent, stored in it by the maker. */
typedef struct tk_hts221 {
    int16_t humidity_at[2];    /* output */
    int16_t humidity_is[2];    /* half per cent */
    int16_t temperature_at[2]; /* output */
    int16_t temperature_is[2]; /* eighths of a degree Celsius */
    bool ready;                /* it has measured since it was switched on */
} tk_hts221;

/* Is it there, with points that make a line? */
bool tk_hts221_find(tk_hts221 *sensor, const tk_i2c *bus);

bool tk_hts221_switch(tk_hts221 *sensor, const tk_i2c *bus, bool on);

/* The latest measurement, in hundredths of a degree Celsius and of a per cent; false: none yet, or no answer. */
bool tk_hts221_read(tk_hts221 *sensor, const tk_i2c *bus, int16_t *temperature, int16_t *humidity);

#ifdef __cplusplus
}
#endif
#endif
