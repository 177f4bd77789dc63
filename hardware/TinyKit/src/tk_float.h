/* tk_float: float32 arithmetic that gives the same bits on every machine. Header only.
 *
 * + - * of float32 are the same everywhere as long as no compiler makes one fused operation of a product
 * and a sum: that skips a rounding. Zig's clang is told so on its command line and again here. GCC, which
 * the Arduino tools call with -std=gnu11, fuses by default and has no pragma against it that all its
 * versions obey; so a product that goes into a sum is written tk_times(a, b), which hides from GCC that
 * it is one. tests/features/test_no_fusing.py looks for fused instructions in the object code.
 *
 * Constants have the suffix f: without it they are double, or float by -fsingle-precision-constant.
 */
#ifndef TK_FLOAT_H
#define TK_FLOAT_H

#if defined __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* A processor without float registers has nothing that is fused. */
#if defined __GNUC__ && !defined __clang__ && (defined __ARM_FP && defined __arm__ || defined __aarch64__)
static inline float tk_times(float a, float b)
{
    float product = a * b;
#if defined __arm__
    __asm__("" : "+t"(product));
#else
    __asm__("" : "+w"(product));
#endif
    return product;
}
#else
#define tk_times(a, b) ((a) * (b))
#endif

#endif
