"""Who lives where in the arena, and when: as a picture, and as text."""

from __future__ import annotations

from string import ascii_letters

from .plan import Plan

_ROWS, _COLUMNS = 16, 84  # of the picture in text


def picture(plan: Plan):
    """Steps to the right, addresses upwards, one box a tensor."""
    from .. import look

    return look.arena(tensors(plan), [o.name for o in plan.ops], plan.arena_bytes, twin=text(plan))


def tensors(plan: Plan) -> list[dict]:
    """All blocks of the arena: name, offset, size in bytes, first and last step (0-based), scratch."""
    last = len(plan.ops) - 1
    return [
        {"name": b.name, "offset": b.place, "size": b.size, "first": b.first, "last": min(b.last, last),
         "scratch": b.scratch}
        for b in plan.layout.blocks
    ]  # fmt: skip


def text(plan: Plan) -> str:
    """The same in letters: one column a step, one letter a tensor, then the list of the tensors.

    ``/`` is scratch, ``=`` memory that is written over while it is read for the last time, ``.`` free.
    """
    from .. import look

    blocks = sorted(tensors(plan), key=lambda t: (t["first"], t["scratch"], t["offset"]))
    named = [t for t in blocks if not t["scratch"]]
    letters = {id(t): ascii_letters[i % len(ascii_letters)] for i, t in enumerate(named)}
    shared = look.in_place(blocks)
    n, size = len(plan.ops), plan.arena_bytes
    per = -(-n // _COLUMNS)  # steps in one column
    wide = max(1, min(6, _COLUMNS // n))
    over = max(blocks, key=lambda t: t["offset"] + t["size"])
    lines = [
        f"arena of {plan.name}: {size:,} bytes over {n} steps; peak in step {over['first'] + 1}, "
        f"{plan.ops[over['first']].name}",
        f"{'address':>9}",
    ]
    for row in reversed(range(_ROWS)):
        address = (2 * row + 1) * size // (2 * _ROWS)
        cells = "".join(_cell(blocks, shared, letters, step, address, wide) for step in range(0, n, per))
        lines.append(f"{row * size // _ROWS:>9,} {cells}")
    marks = [" "] * (-(-n // per) * wide + 4)
    for step in range(0, n, max(1, 5 * per) if n > 8 else 1):
        at = step // per * wide
        marks[at : at + len(str(step + 1))] = str(step + 1)
    lines += [f"{'step':>9} {''.join(marks)}".rstrip(), "", "  / scratch   = written over what is read   . free", ""]
    if per > 1:
        lines[-2] += f"   (one column is {per} steps)"
    longest = max(len(t["name"]) for t in blocks)
    width = min(40, longest)
    for t in blocks:
        letter = "/" if t["scratch"] else letters[id(t)]
        steps = f"step {t['first'] + 1}" + (f" to {t['last'] + 1}" if t["last"] > t["first"] else "")
        note = "".join(f", over {s['old']['name']}" for s in shared if s["new"] is t)
        lines.append(
            f"  {letter} {t['name'][:width]:{width}} {t['size']:>9,} bytes at {t['offset']:>9,}, {steps}{note}"
        )
    return "\n".join(lines)


def _cell(blocks, shared, letters, step: int, address: int, wide: int) -> str:
    for s in shared:
        if s["step"] == step and s["offset"] <= address < s["offset"] + s["size"]:
            return letters[id(s["new"])].ljust(wide, "=") if wide > 1 else "="
    for t in reversed(blocks):
        if t["first"] <= step <= t["last"] and t["offset"] <= address < t["offset"] + t["size"]:
            return ("/" if t["scratch"] else letters[id(t)]) * wide
    return "." * wide
