"""A pipeline is one value: saved and loaded it is the same, and a wrong file says so."""

import pytest

from tinykit.errors import ModelError
from tinykit.pipeline import Decision, ImuFrontEnd, Pipeline


def example(**changes):
    return Pipeline(
        name="wand", kind="gesture", rate_hz=25.0, window=64, hop=8,
        front_end=ImuFrontEnd(channels=("aX", "aY", "aZ"), center=True, magnitude=("a",), scale=(1e-4,) * 4),
        labels=("ring", "wing"), decision=Decision(2, 0.6, 1.0),
        float_model=b"weights", int8_model=b"network", provenance={"seed": 3},
    ).with_(**changes)  # fmt: skip


def test_round_trip_is_equal_and_the_file_is_the_same_twice(tmp_path):
    a, b = tmp_path / "a.tk", tmp_path / "b.tk"
    example().save(a)
    Pipeline.load(a).save(b)
    assert Pipeline.load(a) == example()
    assert a.read_bytes() == b.read_bytes()


def test_fingerprint_follows_what_changes_an_answer_and_nothing_else():
    base = example().fingerprint
    assert example(provenance={}).fingerprint == base
    assert example(int8_model=b"other").fingerprint != base
    assert example(decision=Decision(2, 0.7, 1.0)).fingerprint != base
    assert example(labels=("wing", "ring")).fingerprint != base


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_wrong_file_is_one_sentence_with_a_way_out(tmp_path, content):
    path = tmp_path / "x.tk"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a tinykit pipeline.*Next:"):
        Pipeline.load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="no file"):
        Pipeline.load(tmp_path / "none.tk")
