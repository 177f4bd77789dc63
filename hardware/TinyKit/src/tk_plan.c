#include "tk_plan.h"

#include <string.h>

#include "tk_check.h"
#include "tk_crc.h"
#include "tk_kernels.h"

#define MAX_BYTES ((uint32_t)1 << 28) /* of a plan or an arena, so that int32 can index them */

static int is_zero_point(int16_t zero)
{
    return zero >= -128 && zero <= 127;
}

static tk_status check_op(const tk_plan *plan, const tk_op *op)
{
    const uint32_t arena = plan->header->arena_bytes;
    if (op->kind >= TK_KIND_END || tk_kinds[op->kind].run == NULL) {
        return TK_ERR_OP;
    }
    if (op->in_h == 0 || op->in_w == 0 || op->in_c == 0 || op->out_h == 0 || op->out_w == 0 ||
        op->out_c == 0) {
        return TK_ERR_SHAPE;
    }
    if (!tk_within(op->in0, (uint64_t)op->in_h * op->in_w * op->in_c, arena) ||
        !tk_within(op->out, (uint64_t)op->out_h * op->out_w * op->out_c, arena) ||
        !tk_within(op->scratch, op->scratch_bytes, arena)) {
        return TK_ERR_BOUNDS;
    }
    if (op->scratch % 8 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    /* Scratch holds addresses in the depthwise kernels; outputs must not change them. */
    const uint64_t out_end = (uint64_t)op->out + (uint64_t)op->out_h * op->out_w * op->out_c;
    if (op->scratch_bytes != 0 && op->scratch < out_end &&
        op->out < (uint64_t)op->scratch + op->scratch_bytes) {
        return TK_ERR_BOUNDS;
    }
    if ((op->flags & ~TK_FLAGS_KNOWN) != 0 || op->low > op->high || !is_zero_point(op->zero0) ||
        !is_zero_point(op->zero1) || !is_zero_point(op->zero_out)) {
        return TK_ERR_PARAMETER;
    }
    return tk_kinds[op->kind].check(plan, op);
}

/* Whether a section of the plan lies behind the header, inside, and aligned. */
static tk_status check_part(const tk_plan_header *h, uint32_t offset, uint64_t bytes)
{
    if (offset % TK_PLAN_ALIGN != 0) {
        return TK_ERR_ALIGNMENT;
    }
    return offset >= sizeof *h && tk_within(offset, bytes, h->length) ? TK_OK : TK_ERR_BOUNDS;
}

static tk_status check_header(const tk_plan_header *h)
{
    tk_status status;
    if (h->flags != 0 || h->reserved != 0 || h->op_count == 0) {
        return TK_ERR_PARAMETER;
    }
    if ((h->section_offset == 0) != (h->section_bytes == 0)) {
        return TK_ERR_PARAMETER;
    }
    if (h->section_offset != 0) {
        status = check_part(h, h->section_offset, h->section_bytes);
        if (status != TK_OK) {
            return status;
        }
    }
    status = check_part(h, h->ops_offset, (uint64_t)h->op_count * sizeof(tk_op));
    if (status != TK_OK) {
        return status;
    }
    status = check_part(h, h->const_offset, h->const_bytes);
    if (status != TK_OK) {
        return status;
    }
    if (h->arena_bytes % TK_PLAN_ALIGN != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (h->arena_bytes > MAX_BYTES || h->length > MAX_BYTES) {
        return TK_ERR_TOO_LARGE;
    }
    if (h->input_bytes == 0 || h->output_bytes == 0) {
        return TK_ERR_SHAPE;
    }
    if (!tk_within(h->input, h->input_bytes, h->arena_bytes) ||
        !tk_within(h->output, h->output_bytes, h->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return TK_OK;
}

tk_status tk_plan_open(tk_plan *plan, const void *bytes, size_t length)
{
    const tk_plan_header *h = (const tk_plan_header *)bytes;
    tk_status status;
    plan->bytes = NULL;
    plan->header = NULL;
    plan->ops = NULL;
    plan->bad_op = UINT32_MAX;
    if (bytes == NULL || (uintptr_t)bytes % 4 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (length < sizeof *h) {
        return TK_ERR_LENGTH;
    }
    if (memcmp(h->magic, "TKPL", 4) != 0) {
        return TK_ERR_MAGIC;
    }
    if (h->format != TK_PLAN_FORMAT) {
        return TK_ERR_FORMAT;
    }
    if (h->length < sizeof *h || h->length > length || h->length % TK_PLAN_ALIGN != 0) {
        return TK_ERR_LENGTH;
    }
    if (tk_crc32(0, (const uint8_t *)bytes + 16, h->length - 16u) != h->crc32) {
        return TK_ERR_CRC;
    }
    status = check_header(h);
    if (status != TK_OK) {
        return status;
    }
    plan->bytes = (const uint8_t *)bytes;
    plan->header = h;
    plan->ops = (const tk_op *)(const void *)(plan->bytes + h->ops_offset);
    for (uint32_t i = 0; i < h->op_count; i++) {
        status = check_op(plan, plan->ops + i);
        if (status != TK_OK) {
            plan->bytes = NULL;
            plan->header = NULL;
            plan->ops = NULL;
            plan->bad_op = i;
            return status;
        }
    }
    return TK_OK;
}

uint32_t tk_plan_arena_bytes(const tk_plan *plan)
{
    return plan->header->arena_bytes;
}

uint32_t tk_plan_op_count(const tk_plan *plan)
{
    return plan->header->op_count;
}

const void *tk_plan_section(const tk_plan *plan, size_t *length)
{
    *length = plan->header->section_bytes;
    return plan->header->section_offset != 0 ? plan->bytes + plan->header->section_offset : NULL;
}
