/* All of a C library that the device core uses, for a target that has none. memcpy, memmove, memset
 * and memcmp come from Zig's compiler-rt, the others from start.c. */
#ifndef VIRTUAL_STRING_H
#define VIRTUAL_STRING_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *bytes, int value, size_t n);
size_t strlen(const char *text);
#ifdef __cplusplus
}
#endif
#endif
