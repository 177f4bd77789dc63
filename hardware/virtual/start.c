/* From power-on to main, and the little C library under it. */
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
