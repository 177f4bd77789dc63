"""Where each tensor lies in the arena: as little memory as possible, by who lives when.

Every buffer lives from the step that writes it first to the step that reads it last. Buffers that
never live together may share memory. At the step where one dies and another is born, they may
overlap too, if the kernel allows it (``Step.clearance``): most operations run forward through
input and output alike, so the output may follow close behind the reading.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .step import Step

ALIGN, SCRATCH_ALIGN, ARENA_ALIGN = 4, 8, 16
_TRIES, _FEW = 150, 25


@dataclass(eq=False)
class Block:
    """A piece of memory: ``size`` bytes, alive in steps ``first`` to ``last``; written by layer ``name``."""

    size: int
    first: int
    last: int
    align: int = ALIGN
    place: int = -1
    name: str = ""
    scratch: bool = False


@dataclass(frozen=True, eq=False)
class Layout:
    """A finished arena: total size, offset of each buffer, offset of each step's scratch."""

    bytes: int
    buffers: dict[int, int]
    scratch: list[int]
    blocks: list[Block]


def lay_out(steps: list[Step], input_buffer: int, input_bytes: int, output_buffer: int) -> Layout:
    """The smallest arena found, with as few rows copied aside as it allows.

    Depthwise convolutions may keep rows of their input aside (``Step.keep_rows``) and write onto
    the rest. That costs scratch and copying, so each must pay. Parameters as for ``plan_arena``.
    """
    ends = input_buffer, input_bytes, output_buffer
    plain = plan_arena(steps, *ends)
    depthwise = [step for step in steps if step.kind == "depthwise"]
    if not depthwise:
        return plain
    for step in depthwise:
        step.keep_rows(True)
    best = plan_arena(steps, *ends)
    if plain.bytes <= best.bytes:
        for step in depthwise:
            step.keep_rows(False)
        best = plain
    for step in depthwise:  # one by one the other way
        step.keep_rows(not step.params[0])
        trial = plan_arena(steps, *ends, _FEW)
        if trial.bytes < best.bytes or (trial.bytes == best.bytes and not step.params[0]):
            best = trial
        else:
            step.keep_rows(not step.params[0])
    return best


def plan_arena(
    steps: list[Step], input_buffer: int, input_bytes: int, output_buffer: int, tries: int = _TRIES
) -> Layout:
    """Lay out all buffers of a network.

    Parameters
    ----------
    steps : list of Step
        In running order.
    input_buffer, input_bytes
        The network's input is alive from the start.
    output_buffer : int
        The network's output stays alive to the end.
    tries : int
        How many orders of placing are tried.
    """
    blocks, close = {}, {}
    blocks[input_buffer] = Block(input_bytes, 0, 0, name="input")
    scratch = []
    for i, step in enumerate(steps):
        for number, (buffer, offset) in enumerate(zip(step.inputs, step.in_offsets, strict=True)):
            need = offset + step.in_bytes if number == 0 else 0
            blocks[buffer].size = max(blocks[buffer].size, need)
            blocks[buffer].last = i
        if step.output not in blocks:
            blocks[step.output] = Block(0, i, i, name=step.name)
        out = blocks[step.output]
        out.size = max(out.size, step.out_offset + step.out_bytes)
        out.last = max(out.last, i)
        scratch.append(Block(step.scratch_bytes, i, i, SCRATCH_ALIGN, name=step.name, scratch=True))
    for buffer in [step.output for step in steps if step.kind == "state"]:  # shared with nothing, ever
        blocks[buffer].first, blocks[buffer].last = 0, len(steps)
    blocks[output_buffer].last = len(steps)
    for i, step in enumerate(steps):
        distance = step.clearance()
        if distance is None or step.out_offset:
            continue
        for number, (buffer, offset) in enumerate(zip(step.inputs, step.in_offsets, strict=True)):
            old, new = blocks[buffer], blocks[step.output]
            if step.again and (number or step.inputs.count(buffer) > 1):
                continue  # what is read again and again must stay until the end
            if old is not new and old.last == i and new.first == i:
                if step.grain > 1:
                    distance = _aligned(distance, math.lcm(step.grain, ALIGN))
                pair = id(new), id(old)
                least = max(distance - offset, close[pair][0] if pair in close else -offset)
                close[pair] = least, step.grain, offset
    everything = [b for b in blocks.values() if b.size] + [b for b in scratch if b.size]
    total = _pack(everything, close, tries)
    return Layout(
        max(ARENA_ALIGN, -(-total // ARENA_ALIGN) * ARENA_ALIGN),
        {buffer: block.place for buffer, block in blocks.items()},
        [max(0, block.place) for block in scratch],
        everything,
    )


def _pack(blocks: list[Block], close: dict, tries: int) -> int:
    """Give every block a place; the best of several orders of placing. Returns the total size."""
    peers = [
        [j for j, b in enumerate(blocks) if j != i and b.first <= a.last and a.first <= b.last]
        for i, a in enumerate(blocks)
    ]
    pairs = {}
    index = {id(b): i for i, b in enumerate(blocks)}
    for (new, old), rule in close.items():
        if new in index and old in index:
            pairs[index[new], index[old]] = rule
    orders = [
        sorted(range(len(blocks)), key=lambda i: -blocks[i].size),
        sorted(range(len(blocks)), key=lambda i: blocks[i].first),
        sorted(range(len(blocks)), key=lambda i: -blocks[i].last),
    ]
    least = _lower_bound(blocks, pairs)
    shuffler = random.Random(0)
    best, kept, places = None, orders[0], []
    for attempt in range(tries):
        order = orders[attempt] if attempt < len(orders) else _nudged(kept, shuffler, _highest(blocks, places, peers))
        found, top = _place(blocks, order, peers, pairs)
        if best is None or top <= best:  # an order as good as the best may lead on to a better one
            best, kept, places = top, order, found
        if best <= least:
            break
    for block, place in zip(blocks, places, strict=True):
        block.place = place
    return best or 0


def _lower_bound(blocks: list[Block], pairs: dict) -> int:
    """Bytes below which no arena can be: at each step what is alive, less what outputs may lie on."""
    most = 0
    for step in {block.first for block in blocks}:
        saved: dict[int, int] = {}
        for (new, old), (gap, _, _) in pairs.items():
            if blocks[new].first == step:
                both = blocks[new].size + blocks[old].size
                saved[new] = saved.get(new, 0) + both - max(max(0, gap) + blocks[old].size, blocks[new].size)
        alive = sum(block.size for block in blocks if block.first <= step <= block.last)
        most = max(most, alive - sum(min(bytes_, blocks[new].size) for new, bytes_ in saved.items()))
    return most


def _highest(blocks: list[Block], places: list[int], peers: list[list[int]]) -> list[int]:
    """The blocks that end at the top, and those that they must not lie on."""
    top = max((place + block.size for block, place in zip(blocks, places, strict=True)), default=0)
    ends = [i for i, block in enumerate(blocks) if places[i] + block.size == top]
    return sorted({j for i in ends for j in [i, *peers[i]]})


def _nudged(order: list[int], shuffler: random.Random, highest: list[int]) -> list[int]:
    """Another order: some blocks elsewhere in it, most of them out of the way of what lies highest."""
    order = list(order)
    for _ in range(shuffler.randint(1, 3)):
        some = highest if highest and shuffler.random() < 0.7 else order
        order.remove(block := shuffler.choice(some))
        order.insert(shuffler.randrange(len(order) + 1), block)
    return order


def _place(blocks, order, peers, pairs):
    """Place in this order, each as low as it can lie."""
    places, top = [-1] * len(blocks), 0
    for i in order:
        block = blocks[i]
        placed = [j for j in peers[i] if places[j] >= 0]
        candidates = {0}
        for j in placed:
            candidates.add(places[j] + blocks[j].size)
            if (i, j) in pairs:  # i is written behind the reading of j
                candidates.add(places[j] - pairs[i, j][0])
            if (j, i) in pairs:
                candidates.add(places[j] + pairs[j, i][0])
        lowest = None
        spots = {_aligned(c, block.align) for c in candidates} | {c // block.align * block.align for c in candidates}
        for at in sorted(c for c in spots if c >= 0):
            if all(_apart(i, at, j, places[j], blocks, pairs) for j in placed):
                lowest = at
                break
        if lowest is None:  # always possible above everything
            lowest = _aligned(max(places[j] + blocks[j].size for j in placed), block.align)
        places[i] = lowest
        top = max(top, lowest + block.size)
    return places, top


def _aligned(offset: int, align: int) -> int:
    return -(-offset // align) * align


def _apart(i, at, j, there, blocks, pairs) -> bool:
    if at + blocks[i].size <= there or there + blocks[j].size <= at:
        return True
    if (i, j) in pairs:
        return _follows(there - at, *pairs[i, j])
    if (j, i) in pairs:
        return _follows(at - there, *pairs[j, i])
    return False


def _follows(gap, least, grain, offset) -> bool:
    """Whether an output may begin ``gap`` bytes before the buffer of its input."""
    return gap >= least and (gap + offset) % grain == 0
