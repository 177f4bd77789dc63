#include "tk_plan.h"

#include <string.h>

#include "tk_crc.h"
#include "tk_kernels.h"

#define MAX_WORK ((uint64_t)1 << 31) /* multiplications in one op: a minute at 64 MHz */
#define MAX_BYTES ((uint32_t)1 << 28) /* of a plan or an arena, so that int32 can index them */
#define MAX_SPAN 65535u              /* (kernel - 1) * dilation + 1 */
#define MAX_WAY ((uint64_t)1 << 30)  /* (out - 1) * stride */
#define MAX_SOFTMAX 4096u            /* values in a row: their sum must stay below 2^31 */

/* Whether `bytes` bytes at `offset` lie within 0..limit. */
static int within(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return offset <= limit && bytes <= limit - offset;
}

static int is_zero_point(int16_t zero)
{
    return zero >= -128 && zero <= 127;
}

static tk_status check_constants(const tk_plan *plan, uint32_t offset, uint64_t bytes)
{
    const tk_plan_header *h = plan->header;
    if (offset % 4 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (offset < h->const_offset || !within(offset - h->const_offset, bytes, h->const_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return TK_OK;
}

static tk_status check_multiplier(int32_t multiplier, int32_t shift)
{
    return multiplier >= 0 && shift >= -31 && shift <= 30 ? TK_OK : TK_ERR_PARAMETER;
}

static tk_status check_channels(const tk_plan *plan, const tk_op *op)
{
    const tk_status status = check_constants(plan, op->channels, (uint64_t)op->out_c * sizeof(tk_channel));
    if (status != TK_OK) {
        return status;
    }
    const tk_channel *channels = (const tk_channel *)(const void *)(plan->bytes + op->channels);
    const int simple = (op->flags & TK_FLAG_SIMPLE) != 0;
    for (uint32_t i = 0; i < op->out_c; i++) {
        if (check_multiplier(channels[i].multiplier, channels[i].shift) != TK_OK ||
            (simple && (channels[i].shift < -22 || channels[i].shift > -1))) {
            return TK_ERR_PARAMETER;
        }
    }
    return TK_OK;
}

/* One direction of a window that slides over a picture: no position may leave 32 bits. (It may lie
 * outside altogether: padding before a 1x1 convolution does that.) */
static tk_status check_slide(uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    if (kernel == 0 || stride == 0 || dilation == 0 || (uint64_t)(kernel - 1) * dilation + 1 > MAX_SPAN) {
        return TK_ERR_PARAMETER;
    }
    return (uint64_t)(out - 1) * stride <= MAX_WAY ? TK_OK : TK_ERR_SHAPE;
}

static tk_status check_window(const tk_op *op)
{
    const tk_status status = check_slide(op->out_h, op->kernel_h, op->stride_h, op->dilation_h);
    return status != TK_OK ? status : check_slide(op->out_w, op->kernel_w, op->stride_w, op->dilation_w);
}

static tk_status check_conv(const tk_plan *plan, const tk_op *op)
{
    const uint64_t length = ((uint64_t)op->kernel_h * op->kernel_w * op->in_c + 3u) & ~(uint64_t)3u;
    tk_status status = check_window(op);
    if (status == TK_OK) {
        status = check_constants(plan, op->data, length * ((op->out_c + 1u) & ~1u));
    }
    if (status == TK_OK) {
        status = check_channels(plan, op);
    }
    if (status == TK_OK && op->scratch_bytes < tk_conv_scratch(op)) {
        status = TK_ERR_PARAMETER;
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * op->out_c * length > MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

static tk_status check_depthwise(const tk_plan *plan, const tk_op *op)
{
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;
    const uint64_t in_bytes = (uint64_t)op->in_h * op->in_w * op->in_c;
    tk_status status = check_window(op);
    if (status != TK_OK) {
        return status;
    }
    if (op->p[1] < 1 || op->p[1] > 65535 || (uint64_t)op->in_c * (uint32_t)op->p[1] != op->out_c) {
        return TK_ERR_SHAPE;
    }
    if (op->p[0] != 0 && op->p[0] != (op->kernel_h - 1) * op->dilation_h + 1) {
        return TK_ERR_PARAMETER;
    }
    if (op->scratch_bytes < tk_depthwise_scratch(op)) {
        return TK_ERR_PARAMETER;
    }
    /* Reading by fours goes past the last value when in_c is not a multiple of 4. */
    if (!within(op->in0, in_bytes + ((4u - op->in_c % 4u) & 3u), plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    status = check_constants(plan, op->data, taps * ((op->out_c + 3u) & ~3u));
    if (status == TK_OK) {
        status = check_channels(plan, op);
    }
    if (status == TK_OK && (uint64_t)op->out_h * op->out_w * op->out_c * taps > MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

static tk_status check_dense(const tk_plan *plan, const tk_op *op)
{
    const uint64_t length = (op->in_c + 3u) & ~3u;
    tk_status status;
    if (op->in_w != 1 || op->out_w != 1 || op->out_h != op->in_h) {
        return TK_ERR_SHAPE;
    }
    if (!within(op->in0, (uint64_t)(op->in_h - 1u) * op->in_c + length, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    status = check_constants(plan, op->data, length * ((op->out_c + 3u) & ~3u));
    if (status == TK_OK) {
        status = check_channels(plan, op);
    }
    if (status == TK_OK && (uint64_t)op->in_h * op->out_c * length > MAX_WORK) {
        status = TK_ERR_TOO_LARGE;
    }
    return status;
}

static tk_status check_pool(const tk_op *op)
{
    const uint64_t rows = op->kernel_h < op->in_h ? op->kernel_h : op->in_h;
    const uint64_t columns = op->kernel_w < op->in_w ? op->kernel_w : op->in_w;
    const tk_status status = check_window(op);
    if (status != TK_OK) {
        return status;
    }
    if (op->dilation_h != 1 || op->dilation_w != 1) {
        return TK_ERR_PARAMETER;
    }
    /* All windows, from the first to the last, must reach into the picture: a mean divides by what
     * is inside. */
    if (op->out_c != op->in_c || op->pad_top >= op->kernel_h || op->pad_left >= op->kernel_w ||
        (op->out_h - 1) * op->stride_h >= op->in_h + op->pad_top ||
        (op->out_w - 1) * op->stride_w >= op->in_w + op->pad_left) {
        return TK_ERR_SHAPE;
    }
    return (uint64_t)op->out_h * op->out_w * op->out_c * rows * columns > MAX_WORK ? TK_ERR_TOO_LARGE : TK_OK;
}

static int same_shape(const tk_op *op)
{
    return op->out_h == op->in_h && op->out_w == op->in_w && op->out_c == op->in_c;
}

static tk_status check_add(const tk_plan *plan, const tk_op *op)
{
    const uint32_t bytes = (uint32_t)op->in_h * op->in_w * op->in_c; /* lies in the arena: below 2^28 */
    const int sum = op->kind == TK_ADD;
    if (!same_shape(op) || op->p[6] < 1 || bytes % (uint32_t)op->p[6] != 0) {
        return TK_ERR_SHAPE;
    }
    if (op->flags & TK_FLAG_CONST) {
        const tk_status status = check_constants(plan, op->in1, (uint32_t)op->p[6]);
        if (status != TK_OK) {
            return status;
        }
    } else if (!within(op->in1, (uint32_t)op->p[6], plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    if (check_multiplier(op->p[0], op->p[1]) != TK_OK ||
        (sum && (check_multiplier(op->p[2], op->p[3]) != TK_OK ||
                 check_multiplier(op->p[4], op->p[5]) != TK_OK))) {
        return TK_ERR_PARAMETER;
    }
    return TK_OK;
}

static tk_status check_softmax(const tk_plan *plan, const tk_op *op)
{
    if (!same_shape(op) || op->in_w != 1 || op->in_c > MAX_SOFTMAX) {
        return TK_ERR_SHAPE;
    }
    if (op->p[0] < 1 || op->p[0] > 256) {
        return TK_ERR_PARAMETER;
    }
    return check_constants(plan, op->data, (uint64_t)(uint32_t)op->p[0] * 4u);
}

static tk_status check_pad(const tk_op *op)
{
    if ((uint32_t)op->pad_top + op->in_h > op->out_h || (uint32_t)op->pad_left + op->in_w > op->out_w ||
        op->p[0] < 0 || op->p[0] > 65535 || (uint32_t)op->p[0] + op->in_c > op->out_c) {
        return TK_ERR_SHAPE;
    }
    return TK_OK;
}

static tk_status check_copy(const tk_plan *plan, const tk_op *op)
{
    const uint64_t bytes = (uint64_t)op->in_w * op->in_c, steps = op->in_h - 1u;
    if (op->p[0] < 0 || op->p[1] < 0) {
        return TK_ERR_PARAMETER;
    }
    if (!within(op->in0, steps * (uint32_t)op->p[0] + bytes, plan->header->arena_bytes) ||
        !within(op->out, steps * (uint32_t)op->p[1] + bytes, plan->header->arena_bytes)) {
        return TK_ERR_BOUNDS;
    }
    return TK_OK;
}

static tk_status check_op(const tk_plan *plan, const tk_op *op)
{
    const uint32_t arena = plan->header->arena_bytes;
    if (op->kind < TK_CONV || op->kind >= TK_KIND_END) {
        return TK_ERR_OP;
    }
    if (op->in_h == 0 || op->in_w == 0 || op->in_c == 0 || op->out_h == 0 || op->out_w == 0 ||
        op->out_c == 0) {
        return TK_ERR_SHAPE;
    }
    if (!within(op->in0, (uint64_t)op->in_h * op->in_w * op->in_c, arena) ||
        !within(op->out, (uint64_t)op->out_h * op->out_w * op->out_c, arena) ||
        !within(op->scratch, op->scratch_bytes, arena)) {
        return TK_ERR_BOUNDS;
    }
    if (op->scratch % 8 != 0) {
        return TK_ERR_ALIGNMENT;
    }
    /* Scratch holds addresses in one kernel; outputs must not change them. */
    const uint64_t out_end = (uint64_t)op->out + (uint64_t)op->out_h * op->out_w * op->out_c;
    if (op->scratch_bytes != 0 && op->scratch < out_end &&
        op->out < (uint64_t)op->scratch + op->scratch_bytes) {
        return TK_ERR_BOUNDS;
    }
    const uint32_t known = TK_FLAG_SIMPLE | TK_FLAG_CONST | TK_FLAG_SUBTRACT;
    if ((op->flags & ~known) != 0 || op->low > op->high || !is_zero_point(op->zero0) ||
        !is_zero_point(op->zero1) || !is_zero_point(op->zero_out)) {
        return TK_ERR_PARAMETER;
    }
    switch (op->kind) {
    case TK_CONV:
        return check_conv(plan, op);
    case TK_DEPTHWISE:
        return check_depthwise(plan, op);
    case TK_DENSE:
        return check_dense(plan, op);
    case TK_AVERAGE_POOL:
    case TK_MAX_POOL:
        return check_pool(op);
    case TK_MEAN:
        if (op->out_h != op->in_h || op->out_w != 1 || op->out_c != op->in_c) {
            return TK_ERR_SHAPE;
        }
        return check_multiplier(op->p[0], op->p[1]);
    case TK_SOFTMAX:
        return check_softmax(plan, op);
    case TK_ADD:
    case TK_MUL:
        return check_add(plan, op);
    case TK_TABLE:
        return same_shape(op) ? check_constants(plan, op->data, 256) : TK_ERR_SHAPE;
    case TK_PAD:
        return check_pad(op);
    case TK_COPY:
        return check_copy(plan, op);
    default:
        return TK_ERR_OP;
    }
}

/* Whether a section of the plan lies behind the header, inside, and aligned. */
static tk_status check_part(const tk_plan_header *h, uint32_t offset, uint64_t bytes)
{
    if (offset % TK_PLAN_ALIGN != 0) {
        return TK_ERR_ALIGNMENT;
    }
    return offset >= sizeof *h && within(offset, bytes, h->length) ? TK_OK : TK_ERR_BOUNDS;
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
    if (!within(h->input, h->input_bytes, h->arena_bytes) ||
        !within(h->output, h->output_bytes, h->arena_bytes)) {
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
