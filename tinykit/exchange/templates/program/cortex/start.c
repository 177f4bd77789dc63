/* From reset to main, for any Cortex-M; use your vendor's instead if you have one. */
#include <stddef.h>
#include <stdint.h>

#include "string.h"

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[]; /* cortex.ld */
int main(int argc, char **argv);

__attribute__((noreturn)) void reset(void)
{
#if defined __ARM_FP
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the FPU is off after a reset */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    (void)main(0, NULL);
    for (;;) __asm__ volatile("wfi");
}

static void fault(void)
{
    for (;;) __asm__ volatile("wfi");
}

typedef void (*entry)(void);

__attribute__((section(".vectors"), used)) static const entry vectors[16] = {
    (entry)(uintptr_t)stack_top, reset, fault, fault, fault, fault, fault, NULL,
    NULL, NULL, NULL, fault, fault, NULL, fault, fault,
};

/* The C library's, for compilers that bring none. */
void *memchr(const void *bytes, int value, size_t n)
{
    for (const unsigned char *b = bytes; n > 0; n--, b++) {
        if (*b == (unsigned char)value) return (void *)(uintptr_t)b;
    }
    return NULL;
}
