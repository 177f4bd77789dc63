#include "tk_halves.h"

#include "tk_check.h"

tk_halves_job tk_halves_job_of(const tk_op *op, const uint8_t *plan, const uint32_t *patches, uint32_t quads)
{
    const tk_channel *const channels = (const tk_channel *)(const void *)(plan + op->channels);
    const tk_halves_job job = {plan + op->data,
                               patches,
                               patches + TK_QUAD_WORDS * quads,
                               channels,
                               channels + (op->out_c & ~1u),
                               quads,
                               op->out_c,
                               tk_is_floored(op) ? tk_halves_tiles_floored : tk_halves_tiles};
    return job;
}

void tk_halves_last(const tk_halves_job *job, int8_t *out, uint32_t count)
{
    const uint32_t even = job->out_c - 1u;
    int8_t pair[TK_PIXELS][2]; /* its partner is empty */
    (count > 1 ? job->tiles : tk_halves_single)(job->weights + (size_t)even * job->quads * 4u, job->patches, job->end,
                                                job->patches_end, pair[0], pair[1], pair[2], job->end + 2, job->quads);
    for (uint32_t i = 0; i < count; i++) {
        out[i * job->out_c + even] = pair[i][0];
    }
}

tk_status tk_check_halves(const tk_plan *plan, const tk_op *op, uint64_t quads, uint64_t scratch)
{
    const uint32_t rows = (op->out_c + 1u) & ~1u;
    tk_status status = tk_check_constants(plan, op->data, quads * 4u * rows);
    if (status == TK_OK) {
        status = tk_check_short_channels(plan, op, rows);
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * rows * quads * 4u > TK_MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    if (status == TK_OK && op->scratch_bytes < scratch) {
        status = TK_ERR_PARAMETER;
    }
    if (status == TK_OK &&
        !tk_within(op->in0, (uint64_t)op->in_h * op->in_w * op->in_c + (op->in_c % 4u ? 3u : 0u),
                   plan->header->arena_bytes)) {
        status = TK_ERR_BOUNDS;
    }
    return status;
}
