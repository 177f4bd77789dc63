"""Several who lend a virtual board a signal, and take it back in any order."""

import itertools
from types import SimpleNamespace

import pytest

from tinykit.board.virtual import Still
from tinykit.board.virtual.turns import lend


@pytest.fixture
def machine():
    return SimpleNamespace(source=Still())


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_they_end_the_newest_is_felt_and_then_its_own(machine, order):
    own = machine.source
    turns = [lend(machine, Still(seed=k + 1)) for k in range(3)]
    left = list(turns)
    for k in order:
        assert machine.source is left[-1].source and left[-1].on
        assert not any(turn.on for turn in left[:-1])
        left.remove(turns[k])
        turns[k].end()
    assert machine.source is own
    turns[0].end()
    assert machine.source is own


def test_what_a_cell_sets_meanwhile_stays_and_ends_them_all(machine):
    first, second = lend(machine, Still(seed=1)), lend(machine, Still(seed=2))
    machine.source = own = Still(seed=3)
    assert not first.on and not second.on
    second.end()
    assert machine.source is own
    third = lend(machine, Still(seed=4))
    first.end()
    assert machine.source is third.source
    third.end()
    assert machine.source is own


def test_a_source_over_another_is_made_anew_when_that_one_ends(machine):
    own = machine.source
    below = lend(machine, Still(seed=1))
    above = lend(machine, lambda beneath: SimpleNamespace(read=beneath.read, beneath=beneath))
    assert machine.source.beneath is below.source
    below.end()
    assert machine.source is above.source and machine.source.beneath is own
    above.end()
    assert machine.source is own


def test_who_has_nothing_to_lend_changes_nothing(machine):
    own = machine.source
    turn = lend(machine, lambda beneath: None)
    assert machine.source is own and not turn.on
    turn.end()
    assert machine.source is own
