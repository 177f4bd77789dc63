/* Memory that outlives a run.
 *
 * TK_STATE: out_h * out_w * out_c bytes at out, which no other op's output or scratch shares; an op
 * behind it reads and writes them. tk_engine_reset() fills them with zero_out. The op itself does so
 * with TK_FLAG_EACH_RUN, and nothing without.
 */
#include "tk_check.h"
#include "tk_kernels.h"
#include "tk_quant.h"

tk_status tk_check_state(const tk_plan *plan, const tk_op *op)
{
    (void)plan;
    (void)op;
    return TK_OK;
}

void tk_op_state(const tk_op *op, const uint8_t *plan, uint8_t *arena)
{
    (void)plan;
    if (op->flags & TK_FLAG_EACH_RUN) {
        memset(arena + op->out, op->zero_out, (uint32_t)op->out_h * op->out_w * op->out_c);
    }
}
