#include "model.h"

@CHECK_SOURCE@

alignas(16) const uint8_t model_section[MODEL_SECTION_BYTES] = {
@SECTION@
};

alignas(16) const uint8_t model_network[MODEL_NETWORK_BYTES] = {
@NETWORK@
};
