/* tk_engine: runs a plan's network, one tensor in and one out.
 *
 * No malloc, no recursion. All memory is the caller's: the tk_engine struct, and one arena whose
 * size the plan states. Bit for bit the answers of TensorFlow Lite Micro's reference kernels.
 */
#ifndef TK_ENGINE_H
#define TK_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "tk_plan.h"
#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_engine {
    const tk_plan *plan;     /* NULL until tk_engine_init succeeds */
    uint8_t *arena;
} tk_engine;

/* Bind a plan that tk_plan_open() accepted to an arena.
 *
 * `arena` must be a multiple of TK_ARENA_ALIGN; its contents need no preparation. `plan` and the
 * plan's bytes must stay valid as long as the engine is used.
 * Returns TK_OK, TK_ERR_ALIGNMENT, or TK_ERR_ARENA when arena_bytes < tk_plan_arena_bytes(plan).
 */
tk_status tk_engine_init(tk_engine *engine, const tk_plan *plan, void *arena, size_t arena_bytes);

/* Forget what earlier runs left behind: the memory of layers that have one (TK_STATE) gets its first
 * value. tk_engine_init() does it too. TK_OK, or TK_ERR_STATE when there is no plan. */
tk_status tk_engine_reset(tk_engine *engine);

/* Where to write the input before a run: `*bytes` bytes, row-major. They are int8 values, unless the
 * network begins with others (float32, int16..., little-endian); a pipeline's never does. Running may
 * overwrite it (the arena is reused), so write all of it before each run. NULL if there is no plan. */
int8_t *tk_engine_input(tk_engine *engine, size_t *bytes);

/* Where the output lies after a run: `*bytes` bytes, valid until the next input is written; int8
 * values, unless the network ends in others. */
const int8_t *tk_engine_output(tk_engine *engine, size_t *bytes);

/* Run the whole network. TK_OK, or TK_ERR_STATE when there is no plan. */
tk_status tk_engine_run(tk_engine *engine);

/* Run op number `op` only (0..tk_plan_op_count-1), for timing layer by layer; all in order are one
 * run. TK_ERR_ARGUMENT when there is no such op. */
tk_status tk_engine_step(tk_engine *engine, uint32_t op);

#ifdef __cplusplus
}
#endif
#endif
