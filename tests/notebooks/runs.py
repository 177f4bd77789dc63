"""What running a lesson left: the verdicts of its checks, and what should not be there."""

import re

from lessons import exercise_id

STILL = {"TINYKIT_STILL": "0.5"}
SAYS = re.compile(r"^Exercise ([\w.]+) \(.*?\): (.*)$", re.MULTILINE)


def verdicts(notebook) -> dict[str, str]:
    """What each exercise's check said, by its id."""
    said = {}
    for cell in notebook.cells:
        if exercise_id(cell):
            texts = [o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"]
            assert len(texts) == 1, (cell.id, cell.outputs)
            id, words = SAYS.search(texts[0]).groups()
            assert id == exercise_id(cell)
            said[id] = words
    return said


def problems(notebook) -> list[str]:
    """Errors, warnings and noise in the outputs; a progress bar is none."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                found.append(f"{cell.id}: {output.ename}: {output.evalue}")
            elif output.output_type == "stream" and output.name == "stderr":
                lines = re.split(r"[\r\n]+", output.text)
                found += [f"{cell.id}: {line}" for line in lines if line.strip() and "%|" not in line]
    return found
