#include "pipeline.h"

@CHECK_SOURCE@

const uint8_t pipeline_plan[PIPELINE_PLAN_BYTES] __attribute__((aligned(16))) = {
@PLAN@
};
