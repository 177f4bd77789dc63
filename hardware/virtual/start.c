/* From power-on to main, and the little C library under it. */
#include <math.h>
#include <string.h>

#include "tk_virtual.h"

extern uint32_t tkv_data_start[], tkv_data_end[], tkv_data_load[]; /* virtual.ld */
extern uint32_t tkv_bss_start[], tkv_bss_end[], tkv_stack_top[];
extern void (*tkv_init_start[])(void), (*tkv_init_end[])(void);
extern void tkv_main(void) __attribute__((noreturn));

__attribute__((used, noreturn)) void tkv_reset(void) {
    /* CPACR: the FPU is off after reset. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm__ volatile("dsb\n isb" ::: "memory");
    memcpy(tkv_data_start, tkv_data_load, (size_t)((char *)tkv_data_end - (char *)tkv_data_start));
    memset(tkv_bss_start, 0, (size_t)((char *)tkv_bss_end - (char *)tkv_bss_start));
    for (void (**init)(void) = tkv_init_start; init != tkv_init_end; init++)
        (*init)();
    tkv_main();
}

static void tkv_fault(void) { tkv_panic("unexpected exception"); }

__attribute__((section(".vectors"), used)) void *const tkv_vectors[16] = {
    tkv_stack_top, (void *)tkv_reset, (void *)tkv_fault, (void *)tkv_fault,
    (void *)tkv_fault, (void *)tkv_fault, (void *)tkv_fault,
};

void *memchr(const void *bytes, int value, size_t n) {
    for (const unsigned char *b = bytes; n; n--, b++)
        if (*b == (unsigned char)value)
            return (void *)b;
    return NULL;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n; n--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (!*a)
            break;
    }
    return 0;
}

char *strncpy(char *to, const char *from, size_t n) {
    size_t i = 0;
    for (; i < n && from[i]; i++)
        to[i] = from[i];
    for (; i < n; i++)
        to[i] = 0;
    return to;
}

char *strchr(const char *text, int letter) {
    for (;; text++) {
        if (*text == (char)letter)
            return (char *)text;
        if (!*text)
            return NULL;
    }
}

/* Beyond 2^23 every float is whole already. */
static int whole(float x) { return !(fabsf(x) < 8388608.0f); }

float floorf(float x) {
    if (whole(x))
        return x;
    float t = (float)(int32_t)x;
    return t > x ? t - 1.0f : t;
}
float ceilf(float x) { return -floorf(-x); }
float roundf(float x) { return whole(x) ? x : x < 0 ? -floorf(-x + 0.5f) : floorf(x + 0.5f); }
long lroundf(float x) { return (long)roundf(x); }
