/* All of a C library that the program uses, for compilers that bring none. */
#ifndef CORTEX_STRING_H
#define CORTEX_STRING_H
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *bytes, int value, size_t n);
size_t strlen(const char *text);
#endif
