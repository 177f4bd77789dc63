/* tk_check: what the checks of several kinds of op have in common, for tk_plan.c and the kernels' files. */
#ifndef TK_CHECK_H
#define TK_CHECK_H

#include "tk_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_MAX_WORK ((uint64_t)1 << 31) /* multiplications in one op: a minute at 64 MHz */

#define TK_AXES 4u

/* Axes along which two inputs are walked, either of them used again where it has one value only. */
typedef struct tk_walk {
    uint32_t size[TK_AXES], step_a[TK_AXES], step_b[TK_AXES];
    uint64_t all, of_a, of_b;
} tk_walk;

/* From kernel_h, kernel_w, stride_h and `last`, the last fastest; bit i of dilation_h says that the first
 * input has axis i too, of dilation_w that the second has. */
tk_walk tk_walk_of(const tk_op *op, uint32_t last);

/* Whether `bytes` bytes at `offset` lie within 0..limit. */
static inline int tk_within(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return offset <= limit && bytes <= limit - offset;
}

/* Whether the output has the input's shape. */
static inline int tk_same_shape(const tk_op *op)
{
    return op->out_h == op->in_h && op->out_w == op->in_w && op->out_c == op->in_c;
}

/* Whether `bytes` bytes at this plan offset (a multiple of 4) lie within the constants. */
tk_status tk_check_constants(const tk_plan *plan, uint32_t offset, uint64_t bytes);

/* The second input: `bytes` bytes in the arena, or in the plan with TK_FLAG_CONST. */
tk_status tk_check_second(const tk_plan *plan, const tk_op *op, uint64_t bytes);

/* Whether tk_requantize() can take this multiplier and shift. */
tk_status tk_check_multiplier(int32_t multiplier, int32_t shift);

/* The tk_channel records of an op with out_c channels. */
tk_status tk_check_channels(const tk_plan *plan, const tk_op *op);

/* Likewise of a kernel that takes the short form only, and `count` records. */
tk_status tk_check_short_channels(const tk_plan *plan, const tk_op *op, uint32_t count);

/* A window that slides over a picture: no position may leave 32 bits. (It may lie outside
 * altogether: padding before a 1x1 convolution does that.) */
tk_status tk_check_window(const tk_op *op);

#ifdef __cplusplus
}
#endif
#endif
