/* tk_kernels: for each kind of op, what checks a record of it and what runs it; for tk_plan.c and
 * tk_engine.c only.
 *
 * A check sees a record whose places in the arena and whose zero points tk_plan.c has looked at, and
 * looks at all the rest: after it the kernel checks nothing. A kernel gets the record, the plan's
 * first byte (weights are at plan offsets) and the arena's first byte. Both stand in the kernel's
 * file, which says what the record's fields mean.
 */
#ifndef TK_KERNELS_H
#define TK_KERNELS_H

#include <stdint.h>

#include "tk_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_kind_entry {
    tk_status (*check)(const tk_plan *plan, const tk_op *op);
    void (*run)(const tk_op *op, const uint8_t *plan, uint8_t *arena); /* NULL: not in this build */
} tk_kind_entry;

extern const tk_kind_entry tk_kinds[TK_KIND_END]; /* by tk_kind */

tk_status tk_check_conv(const tk_plan *plan, const tk_op *op);
tk_status tk_check_conv_1x1(const tk_plan *plan, const tk_op *op);
tk_status tk_check_conv_plain(const tk_plan *plan, const tk_op *op);
tk_status tk_check_depthwise(const tk_plan *plan, const tk_op *op);
tk_status tk_check_dense(const tk_plan *plan, const tk_op *op);
tk_status tk_check_dense_plain(const tk_plan *plan, const tk_op *op);
tk_status tk_check_pool(const tk_plan *plan, const tk_op *op);
tk_status tk_check_mean(const tk_plan *plan, const tk_op *op);
tk_status tk_check_softmax(const tk_plan *plan, const tk_op *op);
tk_status tk_check_arithmetic(const tk_plan *plan, const tk_op *op);
tk_status tk_check_table(const tk_plan *plan, const tk_op *op);
tk_status tk_check_copy(const tk_plan *plan, const tk_op *op);
tk_status tk_check_depthwise_3x3(const tk_plan *plan, const tk_op *op);
tk_status tk_check_depthwise_lines(const tk_plan *plan, const tk_op *op);
tk_status tk_check_pick(const tk_plan *plan, const tk_op *op);
tk_status tk_check_argmax(const tk_plan *plan, const tk_op *op);
tk_status tk_check_rescale(const tk_plan *plan, const tk_op *op);
tk_status tk_check_quantize(const tk_plan *plan, const tk_op *op);
tk_status tk_check_dequantize(const tk_plan *plan, const tk_op *op);
tk_status tk_check_state(const tk_plan *plan, const tk_op *op);
tk_status tk_check_broadcast(const tk_plan *plan, const tk_op *op);
tk_status tk_check_softmax_16(const tk_plan *plan, const tk_op *op);
tk_status tk_check_batch_matmul(const tk_plan *plan, const tk_op *op);
tk_status tk_check_batch_matmul_16(const tk_plan *plan, const tk_op *op);
tk_status tk_check_svdf(const tk_plan *plan, const tk_op *op);
tk_status tk_check_svdf_16(const tk_plan *plan, const tk_op *op);
tk_status tk_check_lstm(const tk_plan *plan, const tk_op *op);
tk_status tk_check_lstm_16(const tk_plan *plan, const tk_op *op);

void tk_op_conv(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_conv_1x1(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_conv_plain(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_dense(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_dense_plain(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_average_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_max_pool(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_mean(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_softmax(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_add(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_table(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_copy(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise_3x3(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise_3x3_2(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise_lines(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_depthwise_lines_2(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_pick(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_argmax(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_rescale(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_quantize(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_dequantize(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_state(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_broadcast_add(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_broadcast_mul(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_squared_difference(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_maximum(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_minimum(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_prelu(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_softmax_16(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_batch_matmul(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_batch_matmul_16(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_svdf(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_svdf_16(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_lstm(const tk_op *op, const uint8_t *plan, uint8_t *arena);
void tk_op_lstm_16(const tk_op *op, const uint8_t *plan, uint8_t *arena);

#ifdef __cplusplus
}
#endif
#endif
