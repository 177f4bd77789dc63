/* tk_kernels: one function for each kind of op, for tk_engine.c only.
 *
 * All have one form: the record, the plan's first byte (weights are at plan offsets) and the
 * arena's first byte. The record has been checked by tk_plan_open(); kernels check nothing.
 */
#ifndef TK_KERNELS_H
#define TK_KERNELS_H

#include <stdint.h>

#include "tk_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_dense(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_average_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_max_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_mean(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_softmax(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_add(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_table(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_pad(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_copy(const tk_op *op, const uint8_t *plan, uint8_t *arena);

/* Scratch that a kernel needs, bytes (tk_plan_open() compares; tinykit/engine/plan.py agrees). */
uint64_t tk_conv_scratch(const tk_op *op);
uint64_t tk_depthwise_scratch(const tk_op *op);

#ifdef __cplusplus
}
#endif
#endif
