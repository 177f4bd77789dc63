/* All kinds of op: the table of the firmware that is flashed once.
 *
 * A stand-alone build has a table of its own instead, with the kinds that its plan uses, so that the
 * linker drops all other kernels (tinykit/engine/standalone.py).
 */
#include "tk_kernels.h"

const tk_kind_entry tk_kinds[TK_KIND_END] = {
    [TK_CONV] = {tk_check_conv, tk_op_conv},
    [TK_DEPTHWISE] = {tk_check_depthwise, tk_op_depthwise},
    [TK_DENSE] = {tk_check_dense, tk_op_dense},
    [TK_AVERAGE_POOL] = {tk_check_pool, tk_op_average_pool},
    [TK_MAX_POOL] = {tk_check_pool, tk_op_max_pool},
    [TK_MEAN] = {tk_check_mean, tk_op_mean},
    [TK_SOFTMAX] = {tk_check_softmax, tk_op_softmax},
    [TK_ADD] = {tk_check_arithmetic, tk_op_add},
    [TK_MUL] = {tk_check_arithmetic, tk_op_mul},
    [TK_TABLE] = {tk_check_table, tk_op_table},
    [TK_PAD] = {tk_check_copy, tk_op_copy},
    [TK_COPY] = {tk_check_copy, tk_op_copy},
    [TK_CONV_1X1] = {tk_check_conv_1x1, tk_op_conv_1x1},
    [TK_CONV_PLAIN] = {tk_check_conv_plain, tk_op_conv_plain},
    [TK_DENSE_PLAIN] = {tk_check_dense_plain, tk_op_dense_plain},
    [TK_DEPTHWISE_3X3] = {tk_check_depthwise_3x3, tk_op_depthwise_3x3},
    [TK_DEPTHWISE_3X3_2] = {tk_check_depthwise_3x3, tk_op_depthwise_3x3_2},
    [TK_DEPTHWISE_LINES] = {tk_check_depthwise_lines, tk_op_depthwise_lines},
    [TK_DEPTHWISE_LINES_2] = {tk_check_depthwise_lines, tk_op_depthwise_lines_2},
    [TK_PICK] = {tk_check_pick, tk_op_pick},
    [TK_ARGMAX] = {tk_check_argmax, tk_op_argmax},
    [TK_RESCALE] = {tk_check_rescale, tk_op_rescale},
    [TK_QUANTIZE] = {tk_check_quantize, tk_op_quantize},
    [TK_DEQUANTIZE] = {tk_check_dequantize, tk_op_dequantize},
    [TK_STATE] = {tk_check_state, tk_op_state},
    [TK_BROADCAST_ADD] = {tk_check_broadcast, tk_op_broadcast_add},
    [TK_BROADCAST_MUL] = {tk_check_broadcast, tk_op_broadcast_mul},
    [TK_SQUARED_DIFFERENCE] = {tk_check_broadcast, tk_op_squared_difference},
    [TK_MAXIMUM] = {tk_check_broadcast, tk_op_maximum},
    [TK_MINIMUM] = {tk_check_broadcast, tk_op_minimum},
    [TK_PRELU] = {tk_check_broadcast, tk_op_prelu},
    [TK_SOFTMAX_16] = {tk_check_softmax_16, tk_op_softmax_16},
    [TK_BATCH_MATMUL] = {tk_check_batch_matmul, tk_op_batch_matmul},
    [TK_BATCH_MATMUL_16] = {tk_check_batch_matmul_16, tk_op_batch_matmul_16},
    [TK_SVDF] = {tk_check_svdf, tk_op_svdf},
    [TK_SVDF_16] = {tk_check_svdf_16, tk_op_svdf_16},
    [TK_LSTM] = {tk_check_lstm, tk_op_lstm},
    [TK_LSTM_16] = {tk_check_lstm_16, tk_op_lstm_16},
};
