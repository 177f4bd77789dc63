#ifndef VIRTUAL_STDLIB_H
#define VIRTUAL_STDLIB_H
#include <stddef.h>
static inline int abs(int value) { return value < 0 ? -value : value; }
#endif
