#include "tk_check.h"

#define MAX_SPAN 65535u              /* (kernel - 1) * dilation + 1 */
#define MAX_WAY ((uint64_t)1 << 30)  /* (out - 1) * stride */

tk_status tk_check_constants(const tk_plan *plan, uint32_t offset, uint64_t bytes)
{
    const tk_plan_header *h = plan->header;
    if (offset % 4 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (offset < h->const_offset || !tk_within(offset - h->const_offset, bytes, h->const_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return TK_OK;
}

tk_status tk_check_second(const tk_plan *plan, const tk_op *op, uint64_t bytes)
{
    if ((op->flags & TK_FLAG_CONST) != 0) {
        return tk_check_constants(plan, op->in1, bytes);
    }
    return tk_within(op->in1, bytes, plan->header->arena_bytes) ? TK_OK : TK_ERR_BOUNDS;
}

tk_status tk_check_multiplier(int32_t multiplier, int32_t shift)
{
    return multiplier >= 0 && shift >= -31 && shift <= 30 ? TK_OK : TK_ERR_PARAMETER;
}

static tk_status check_channels(const tk_plan *plan, const tk_op *op, uint32_t count)
{
    const tk_status status = tk_check_constants(plan, op->channels, (uint64_t)count * sizeof(tk_channel));
    if (status != TK_OK) {
        return status;
    }
    const tk_channel *channels = (const tk_channel *)(const void *)(plan->bytes + op->channels);
    const int simple = (op->flags & TK_FLAG_SIMPLE) != 0;
    for (uint32_t i = 0; i < count; i++) {
        if (channels[i].multiplier < 0 || channels[i].shift < (simple ? 1 : -30) || channels[i].shift > 31) {
            return TK_ERR_PARAMETER;
        }
    }
    return TK_OK;
}

tk_status tk_check_channels(const tk_plan *plan, const tk_op *op)
{
    return check_channels(plan, op, op->out_c);
}

tk_status tk_check_short_channels(const tk_plan *plan, const tk_op *op, uint32_t count)
{
    return (op->flags & TK_FLAG_SIMPLE) != 0 ? check_channels(plan, op, count) : TK_ERR_PARAMETER;
}

/* One direction of a window. */
static tk_status check_slide(uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    if (kernel == 0 || stride == 0 || dilation == 0 || (uint64_t)(kernel - 1) * dilation + 1 > MAX_SPAN) {
        return TK_ERR_PARAMETER;
    }
    return (uint64_t)(out - 1) * stride <= MAX_WAY ? TK_OK : TK_ERR_SHAPE;
}

tk_status tk_check_window(const tk_op *op)
{
    const tk_status status = check_slide(op->out_h, op->kernel_h, op->stride_h, op->dilation_h);
    return status != TK_OK ? status : check_slide(op->out_w, op->kernel_w, op->stride_w, op->dilation_w);
}

tk_walk tk_walk_of(const tk_op *op, uint32_t last)
{
    tk_walk w = {{op->kernel_h, op->kernel_w, op->stride_h, last}, {0}, {0}, 1, 1, 1};
    for (uint32_t i = TK_AXES; i-- > 0;) {
        if (op->dilation_h & (1u << i)) {
            w.step_a[i] = (uint32_t)w.of_a;
            w.of_a *= w.size[i];
        }
        if (op->dilation_w & (1u << i)) {
            w.step_b[i] = (uint32_t)w.of_b;
            w.of_b *= w.size[i];
        }
        w.all *= w.size[i];
    }
    return w;
}
