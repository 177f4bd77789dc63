/* model: the network, and what belongs to it. Made by tinykit. */
#ifndef MODEL_H
#define MODEL_H

#include "src/tk_solo.h"

#define MODEL_NETWORK_BYTES @NETWORK_BYTES@u
#define MODEL_SECTION_BYTES @SECTION_BYTES@u
#define MODEL_CHECKS @CHECKS@u

/* The .tflite@DENSE_TEXT@. */
extern const uint8_t model_network[MODEL_NETWORK_BYTES];

/* Sensor, window, front end, labels and decision rule (src/tk_pipeline.h). */
extern const uint8_t model_section[MODEL_SECTION_BYTES];

/* Made-up windows, and what the computer that made this found for them. */
extern const tk_solo_check model_checks[MODEL_CHECKS];

#endif
