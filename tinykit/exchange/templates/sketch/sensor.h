/* sensor: @SENSOR_TEXT@. */
#ifndef SENSOR_H
#define SENSOR_H

#include <Arduino.h>

#include "src/tk_solo.h"

/* The clock, and for sound the microphone's driver. */
const tk_hal *sensor_hal();

/* Try the made-up windows (model.h). */
tk_status sensor_check(tk_solo *solo, tk_solo_checked *checked);

/* Find and start it: NULL, or why that failed. */
const char *sensor_begin(tk_solo *solo);
const char *sensor_name();

/* Look after it; true when an answer was due. To be called again and again, at least every tenth of a second. */
bool sensor_answer(tk_solo *solo, tk_solo_answer *answer);

#endif
