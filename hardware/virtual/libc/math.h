/* The float functions that the FPU does by itself. */
#ifndef VIRTUAL_MATH_H
#define VIRTUAL_MATH_H
#ifdef __cplusplus
extern "C" {
#endif
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
float floorf(float x);
float ceilf(float x);
float roundf(float x);
long lroundf(float x);
#ifdef __cplusplus
}
#endif
#endif
