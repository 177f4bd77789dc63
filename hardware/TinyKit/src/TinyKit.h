/* TinyKit: the device core, for sketches. Everything is plain C; see the headers below. */
#ifndef TINYKIT_H
#define TINYKIT_H

#include "tk_device.h"

#endif
