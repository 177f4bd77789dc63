"""Who lives where in the arena, and when: as a picture, and as text."""

from __future__ import annotations

from .plan import Plan


def picture(plan: Plan):
    """Steps to the right, addresses upwards, one box a tensor."""
    from .. import look

    return look.arena(tensors(plan), [o.name for o in plan.ops], plan.arena_bytes)


def tensors(plan: Plan) -> list[dict]:
    """All blocks of the arena: name, offset, size in bytes, first and last step (0-based), scratch."""
    last = len(plan.ops) - 1
    return [
        {"name": b.name, "offset": b.place, "size": b.size, "first": b.first, "last": min(b.last, last),
         "scratch": b.scratch}
        for b in plan.layout.blocks
    ]  # fmt: skip
