#include "tk_engine.h"

#include <string.h>

#include "tk_kernels.h"

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
    return tk_engine_reset(engine);
}

tk_status tk_engine_reset(tk_engine *engine)
{
    if (engine->plan == NULL) {
        return TK_ERR_STATE;
    }
    for (uint32_t i = 0; i < engine->plan->header->op_count; i++) {
        const tk_op *op = engine->plan->ops + i;
        if (op->kind == TK_STATE) {
            memset(engine->arena + op->out, op->zero_out, (size_t)op->out_h * op->out_w * op->out_c);
        }
    }
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
        tk_kinds[op->kind].run(op, engine->plan->bytes, engine->arena);
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
    const tk_op *record = engine->plan->ops + op;
    tk_kinds[record->kind].run(record, engine->plan->bytes, engine->arena);
    return TK_OK;
}
