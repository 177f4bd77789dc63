"""The lessons one after the other with their exercises solved, each going on with what the one before kept."""

import re

from lessons import LESSONS
from runs import STILL, problems, verdicts

from tinykit.lab import tour
from tinykit.pipeline import Pipeline


def test_solved_in_order_every_check_is_right(tmp_path):
    said = {}
    for path in LESSONS:
        notebook, error, _ = tour.run(path, tmp_path, solved=True, environment=STILL)
        assert not error and not problems(notebook), path.stem
        assert set(verdicts(notebook).values()) == {"right"}, path.stem
        streams = [o.text for cell in notebook.cells for o in cell.get("outputs", ()) if o.output_type == "stream"]
        said[path.stem[:2]] = "\n".join(streams)
    float_, int8 = (Pipeline.load(tmp_path / name) for name in ("float.tk", "int8.tk"))
    assert int8.float_model == float_.float_model and int8.int8_model, "03 quantised what 02 trained"
    assert int8.fingerprint in said["04"], "04 deployed what 03 kept"
    assert (tmp_path / "gestures" / "dataset.json").exists(), "01 kept a take"
    assert "the int8 pipeline that you kept" in said["07"], "07 went on with what 06 trained"
    tuned = Pipeline.load(tmp_path / "words-int8.tk")
    assert tuned.decision.thresholds and tuned.provenance["tuned"]["said"], "07 kept thresholds for each word"
    equal, windows = map(int, re.search(r"(\d+) of (\d+) windows are equal in every bit", said["09"]).groups())
    assert equal == windows > 100, "09 compared two boards over the whole test part"
    assert "4 windows came out as on the computer that made this program" in said["09"], "the C program ran"
