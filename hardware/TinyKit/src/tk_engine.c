#include "tk_engine.h"

#include "tk_kernels.h"

typedef void (*kernel)(const tk_op *op, const uint8_t *plan, uint8_t *arena);

static const kernel KERNELS[TK_KIND_END] = {
    [TK_CONV] = tk_op_conv,
    [TK_DEPTHWISE] = tk_op_depthwise,
    [TK_DENSE] = tk_op_dense,
    [TK_AVERAGE_POOL] = tk_op_average_pool,
    [TK_MAX_POOL] = tk_op_max_pool,
    [TK_MEAN] = tk_op_mean,
    [TK_SOFTMAX] = tk_op_softmax,
    [TK_ADD] = tk_op_add,
    [TK_MUL] = tk_op_mul,
    [TK_TABLE] = tk_op_table,
    [TK_PAD] = tk_op_pad,
    [TK_COPY] = tk_op_copy,
};

tk_status tk_engine_init(tk_engine *engine, const tk_plan *plan, void *arena, size_t arena_bytes)
{
    engine->plan = NULL;
    engine->arena = NULL;
    if (arena == NULL || (uintptr_t)arena % TK_ARENA_ALIGN != 0) {
        return TK_ERR_ALIGNMENT;
    }
    if (arena_bytes < tk_plan_arena_bytes(plan)) {
        return TK_ERR_ARENA;
    }
    engine->plan = plan;
    engine->arena = (uint8_t *)arena;
    return TK_OK;
}

int8_t *tk_engine_input(tk_engine *engine, size_t *bytes)
{
    if (engine->plan == NULL) {
        *bytes = 0;
        return NULL;
    }
    *bytes = engine->plan->header->input_bytes;
    return (int8_t *)(engine->arena + engine->plan->header->input);
}

const int8_t *tk_engine_output(tk_engine *engine, size_t *bytes)
{
    if (engine->plan == NULL) {
        *bytes = 0;
        return NULL;
    }
    *bytes = engine->plan->header->output_bytes;
    return (const int8_t *)(engine->arena + engine->plan->header->output);
}

tk_status tk_engine_run(tk_engine *engine)
{
    if (engine->plan == NULL) {
        return TK_ERR_STATE;
    }
    for (uint32_t i = 0; i < engine->plan->header->op_count; i++) {
        const tk_op *op = engine->plan->ops + i;
        KERNELS[op->kind](op, engine->plan->bytes, engine->arena);
    }
    return TK_OK;
}

tk_status tk_engine_step(tk_engine *engine, uint32_t op)
{
    if (engine->plan == NULL) {
        return TK_ERR_STATE;
    }
    if (op >= engine->plan->header->op_count) {
        return TK_ERR_ARGUMENT;
    }
    KERNELS[engine->plan->ops[op].kind](engine->plan->ops + op, engine->plan->bytes, engine->arena);
    return TK_OK;
}
