"""Ten minutes of speech and noise played to the virtual board, and every answer held to the host's.

    python benchmarks/listen.py [--pipeline FILE.tk] [--seconds 600] [--paced 60] [--data DIR] [--json]

The whole firmware runs on the emulated core: microphone, front end, network, decision, link. Free-running
first, as fast as this computer emulates; then paced, a second on the wall for a second. Hops lost are
samples that the microphone or the firmware dropped; hops skipped are answers that a busy board left out.
Without a pipeline, one is trained for two minutes on the shared recordings.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from tinykit.board import Board
from tinykit.board.virtual import SoundReplay
from tinykit.data.recording import Recording
from tinykit.engine import stream_answers
from tinykit.pipeline import Pipeline

RATE_HZ = 16_000
SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
WORDS = ("left", "right", "up", "down", "go")
QUIET_S = 1.5  # of silence around the sound, so that its beginning and its end are answered


def made_scene(folder: Path, seconds: float, words, seed: int = 0) -> np.ndarray:
    """Words, other words and noise in one long sound, from recordings of the test speakers: int16 (n,)."""
    from tinykit.data import open_dataset, open_noise

    clips = [r for r in open_dataset(folder / "speech_commands").recordings if r.split == "testing"]
    noises = list(open_noise(folder / "background_noise"))
    random = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    sound = np.zeros(n, np.float64)
    at = 0
    while at < n:  # noise under all of it
        piece = noises[random.integers(len(noises))].counts()[:, 0].astype(np.float64)
        piece = piece[: min(len(piece), n - at)]
        sound[at : at + len(piece)] = piece / max(1.0, np.sqrt(np.mean(piece**2))) * 150
        at += len(piece)
    wanted = [r for r in clips if r.label in words] or clips
    at = RATE_HZ
    while at < n - 2 * RATE_HZ:
        clip = (wanted if random.random() < 0.4 else clips)[0:]
        clip = clip[random.integers(len(clip))].counts()[:, 0]
        sound[at : at + len(clip)] += clip
        at += len(clip) + int(random.exponential(1.5) * RATE_HZ)
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def play(pipeline: Pipeline, sound: np.ndarray, clock: str, name: str = "listen") -> dict:
    """Figures of one sound played to a board of its own; raises when an answer differs from the host's."""
    quiet = np.zeros(round(QUIET_S * RATE_HZ), np.int16)
    sound = np.concatenate([quiet, sound, quiet])
    figures: dict = {"clock": clock, "sound_s": len(sound) / RATE_HZ}
    with Board(f"virtual://nano33ble/{name}?clock={clock}&flash=memory") as board:
        board.deploy(pipeline, progress=False)
        machine = board.machine
        said: list[str] = []
        board.on("log", said.append)
        with board.live() as live:
            live._kept = type(live._kept)(maxlen=None)  # all of them, whatever a Live keeps by default
            live.next(120)  # the microphone has settled
            machine.source = SoundReplay(sound)
            before = machine.instructions, machine.core.cycles, machine.seconds, machine.mic.lost
            wall, processor = time.perf_counter(), time.process_time()
            while not machine.finished:
                time.sleep(0.02)
            figures["wall_s"] = time.perf_counter() - wall
            figures["processor_s"] = time.process_time() - processor
            figures["instructions"] = machine.instructions - before[0]
            figures["cycles"] = machine.core.cycles - before[1]
            figures["device_s"] = machine.seconds - before[2]
            figures["samples_lost"] = machine.mic.lost - before[3]
            time.sleep(0.3)
            predictions, _ = live.read_new()
            first = machine.mic.begins_at
        figures["load"] = figures["cycles"] / 64e6 / figures["device_s"]
    figures["times_faster_than_real"] = figures["sound_s"] / figures["wall_s"]
    figures.update(compare(pipeline, sound, predictions, first))
    figures["latency_ms"] = float(np.median([p.latency_ms for p in predictions]))
    figures["announced"] = sum(p.detected for p in predictions)
    figures["log"] = [line for line in said if "settle" not in str(line)]
    return figures


def compare(pipeline, sound, predictions, first: int) -> dict:
    """Every answer against the host core's to the same samples, found by the microphone's numbers."""
    rows, front = pipeline.input_shape[0], pipeline.front_end
    span = (rows - 1) * front.hop + front.frame
    begin = predictions[0].index + 1 - span  # first sample of the first window
    before = (first - begin) % (1 << 32)
    heard = np.concatenate([np.zeros(before, np.int16), sound])
    host = stream_answers(pipeline, heard)
    steps = np.array([(p.index - predictions[0].index) % (1 << 32) for p in predictions])
    numbers = np.array([p.number for p in predictions]) - predictions[0].number
    assert not np.any(steps % pipeline.hop), "answers beside the hop: frames were lost"
    at = steps // pipeline.hop
    known = at < len(host.answers)  # the rest hear what is after the sound
    board = np.array([p.raw for p in predictions], np.int8)[known]
    equal = (board == host.answers[at[known]]).all(axis=1)
    return {
        "answers": len(predictions),
        "answers_compared": int(known.sum()),
        "answers_equal": int(equal.sum()),
        "answers_skipped": int(at[-1] + 1 - len(at)),
        "answers_lost_on_the_way": int(numbers[-1] + 1 - len(numbers)) - int(at[-1] + 1 - len(at)),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--paced", type=float, default=60)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--json", action="store_true", help="for a program")
    arguments = parser.parse_args()
    if arguments.pipeline:
        pipeline = Pipeline.load(arguments.pipeline)
    else:
        import tinykit as tk

        pipeline = tk.train("keyword", tk.open_dataset(arguments.data / "speech_commands"), words=WORDS, minutes=2)
    words = [label for label in pipeline.labels if label not in ("silence", "unknown")]
    sound = made_scene(arguments.data, arguments.seconds, words)
    results = [play(pipeline, sound, "free")]
    if arguments.paced:
        results.append(play(pipeline, sound[: round(arguments.paced * RATE_HZ)], "paced"))
    if arguments.json:
        print(json.dumps(results, indent=1))
        return
    for figures in results:
        for name, value in figures.items():
            shown = f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
            print(f"{name.replace('_', ' '):26} {shown}")
        print()


if __name__ == "__main__":
    main()
