/* pipeline: @NAME@, @FINGERPRINT@. Made by tinykit. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "tk_solo.h"

#define PIPELINE_HEARS @HEARS@ /* 1: a microphone, 0: an IMU */
#define PIPELINE_ARENA_BYTES @ARENA@u
#define PIPELINE_PLAN_BYTES @PLAN_BYTES@u
#define PIPELINE_LINE_BYTES @LINE@u /* the longest text that is said at once */
#define PIPELINE_BLOCK @BLOCK@u /* samples that host/port.c gives at once */
#define PIPELINE_CHECKS @CHECKS@u

/* Network, front end, labels and decision rule, as a board gets them (src/tk_plan.h). */
extern const uint8_t pipeline_plan[PIPELINE_PLAN_BYTES];

/* Made-up windows, and what the computer that made this found for them. */
extern const tk_solo_check pipeline_checks[PIPELINE_CHECKS];

#endif
