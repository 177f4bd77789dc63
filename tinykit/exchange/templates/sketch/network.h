/* network: TensorFlow Lite Micro, with just the operations that this network has. */
#ifndef NETWORK_H
#define NETWORK_H

#include "src/tk_solo.h"

/* Read the model and lay out its tensors: NULL, or why that failed. */
const char *network_begin(tk_solo_network *network);

/* Forget what earlier runs left behind, in layers with a memory. */
tk_status network_reset();

/* Bytes of the arena that are in use. */
size_t network_arena_used();

#endif
