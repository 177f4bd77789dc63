"""The arena of a network as a picture: which tensor lies where, and when."""

from __future__ import annotations

from .. import look


def arena(pipeline) -> look.Html:
    """Where each tensor of one answer lies in the arena, step by step.

    Parameters
    ----------
    pipeline : Pipeline or engine.Plan
        A pipeline with an int8 network.

    Returns
    -------
    Html
        Bytes as the compiler laid them out; a tensor may begin inside the one that it is computed
        from, where the layer reads ahead of what it writes.
    """
    from ..engine import Plan, compile_plan

    plan = pipeline if isinstance(pipeline, Plan) else compile_plan(pipeline)
    steps = plan.steps
    tensors, named = [], set()
    scratch = {(i, place) for i, place in enumerate(plan.layout.scratch)}
    for n, block in enumerate(plan.layout.blocks):
        kept = n < len(plan.layout.buffers)
        if not kept and (block.first, block.place) not in scratch:
            continue
        name = "input" if n == 0 else steps[block.first].name if kept else "scratch"
        if name in named and kept:
            name = f"{name} {n}"
        named.add(name)
        last = min(block.last, len(steps) - 1)
        tensors.append(
            {
                "name": name,
                "offset": block.place,
                "size": block.size,
                "first": block.first,
                "last": last,
                "scratch": not kept,
            }
        )
    return look.arena(
        tensors, [step.name for step in steps], plan.arena_bytes, foot="planned by the compiler"
    )
