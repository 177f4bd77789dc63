/* Eight frames at a time, on Intel's and AMD's processors of the last ten years. */
#include "tk_batch_avx2.h"

#if TK_HAS_AVX2_CODE
#include <cpuid.h>

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANES 8
#include "tk_lanes.inc"

void tk_batch_avx2(const tk_mel_front *front, const int16_t *sound, size_t clips, size_t samples, void *work,
                   float *out)
{
    lanes_of_frames(front, sound, clips, samples, work, out);
}
#pragma clang attribute pop

int tk_has_avx2(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0) return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a & 6) != 6) return 0; /* the system does not keep the wide registers */
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) != 0;
}
#else
int tk_has_avx2(void)
{
    return 0;
}
#endif
