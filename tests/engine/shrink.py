"""The shortest chain that still fails: python tests/engine/shrink.py "17 CONV_2D:0 ADD:3" """

from __future__ import annotations

import json
import sys

from chains import Chain
from trial import trials

BAD = ("different", "failed", "died")


def is_bad(outcome: dict) -> bool:
    """Whether the engine is at fault; a reference that dies of nonsense is not."""
    return outcome["outcome"] in BAD and outcome.get("stage") != "reference"


def shrink(line: str) -> dict:
    """Drop operations, one after the other, while the chain still fails; returns the last outcome."""
    (worst,) = trials([line], 1)
    if not is_bad(worst):
        return worst
    place = 0
    chain = Chain.parse(line)
    while len(chain.links) > 1 and place < len(chain.links):
        less = chain.without(place)
        (outcome,) = trials([str(less)], 1)
        if is_bad(outcome):
            chain, worst = less, outcome
        else:
            place += 1
    return worst


if __name__ == "__main__":
    print(json.dumps(shrink(" ".join(sys.argv[1:])), indent=1))
