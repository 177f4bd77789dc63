"""Ten minutes of speech and noise played to the virtual board, and every answer held to the host's.

    python benchmarks/listen.py [--pipeline FILE.tk] [--seconds 600] [--paced 60] [--data DIR] [--json]

The whole firmware runs on the emulated core: microphone, front end, network, decision, link. Free-running
first, as fast as this computer emulates; then paced, a second on the wall for a second. The scene is
composed of words and noises that no training heard. Samples lost were dropped by the microphone or the
firmware; hops skipped are answers that a busy board left out. Without a pipeline, one is trained for
five minutes on the shared recordings, by other speakers.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from tinykit.board import Board
from tinykit.data import compose_scene, open_dataset, open_noise
from tinykit.data.keywords import words_of
from tinykit.engine import evaluate_stream, stream_answers
from tinykit.engine.cortex import CLOCK_HZ
from tinykit.pipeline import Pipeline

RATE_HZ = 16_000
SHARED = Path(os.environ.get("TINYKIT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
WORDS = ("left", "right", "up", "down", "go")


def train(data: Path) -> Pipeline:
    """A keyword pipeline for the five words, on the training speakers."""
    import tinykit as tk

    words, noise = open_dataset(data / "speech_commands"), open_noise(data)
    taught = words.part([r for r in words if r.split == "training"])
    quiet = noise.part([r for r in noise if r.split == "training"])
    return tk.quantize(tk.train("keyword", taught, words=WORDS, noise=quiet, minutes=5, progress=False), taught)


def scene(data: Path, seconds: float, pipeline: Pipeline, seed: int = 1):
    """Words, other words and noise of speakers and rooms that the pipeline did not learn from."""
    learnt = set(pipeline.provenance.get("persons", ()))
    rooms = set(pipeline.provenance.get("noise", ()))
    clips = [r for r in open_dataset(data / "speech_commands") if r.person not in learnt and r.split != "training"]
    noise = open_noise(data)
    noises = [r for r in noise if (r.word or r.id) not in rooms and r.split != "training"] or list(noise)
    return compose_scene(clips, noises, seconds, words_of(pipeline.labels), seed)


def play(pipeline: Pipeline, sound, clock: str) -> tuple[dict, object]:
    """Figures of a sound played to a board of its own, and what the board said."""
    figures: dict = {"clock": clock, "sound_s": sound.seconds}
    with Board(f"virtual://nano33ble/listen-{clock}?clock={clock}&flash=memory") as board:
        board.deploy(pipeline, progress=False)
        machine, said = board.machine, []
        board.on("log", said.append)
        while board.microphone != "on":  # off, or in its first seconds
            if board.microphone == "off":
                with board.live():
                    time.sleep(0.1)
            time.sleep(0.02)
        before = machine.instructions, machine.core.cycles, machine.seconds, machine.mic.lost
        processor = time.process_time()
        played = board.play(sound, progress=False)
        figures["wall_s"] = played.wall_s
        figures["processor_s"] = time.process_time() - processor
        figures["instructions"] = machine.instructions - before[0]
        figures["cycles_estimated"] = machine.core.cycles - before[1]
        figures["load_estimated"] = figures["cycles_estimated"] / CLOCK_HZ / (machine.seconds - before[2])
        figures["samples_lost"] = machine.mic.lost - before[3]
    figures["times_real"] = sound.seconds / played.wall_s
    figures.update(compare(pipeline, sound.counts()[:, 0], played))
    figures["latency_ms_median"] = float(np.median([p.latency_ms for p in played.predictions]))
    figures["latency_ms_most"] = max(p.latency_ms for p in played.predictions)
    figures["board_says"] = said
    return figures, played


def compare(pipeline, counts, played) -> dict:
    """Every answer of the board against the host core's to the same samples."""
    front, answers = pipeline.front_end, played.answers
    span = (pipeline.input_shape[0] - 1) * front.hop + front.frame
    ends = np.rint(answers.times_s * RATE_HZ).astype(int)
    # The board's windows began somewhere in the first hop; the host's begin with the first of them.
    host = stream_answers(pipeline, counts[ends[0] - span :])
    steps = ends - ends[0]
    on_the_hop = steps % pipeline.hop == 0
    at = steps[on_the_hop] // pipeline.hop
    equal = (answers.answers[on_the_hop] == host.answers[at]).all(axis=1)
    return {
        "answers": len(answers),
        "answers_equal_to_hosts": int(equal.sum()),
        "hops_skipped": answers.skipped,
        "hops_due": len(host),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--paced", type=float, default=60, help="seconds of it to play paced too; 0: none")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--save", type=Path, help="where to keep a pipeline that was trained here")
    parser.add_argument("--json", action="store_true", help="for a program")
    arguments = parser.parse_args()
    pipeline = Pipeline.load(arguments.pipeline) if arguments.pipeline else train(arguments.data)
    if arguments.save:
        pipeline.save(arguments.save)
    heard = scene(arguments.data, arguments.seconds, pipeline)
    figures, played = play(pipeline, heard.recording, "free")
    results = [figures]
    report = evaluate_stream(pipeline, (played.answers, heard.events))
    if arguments.paced:
        counts = heard.recording.counts()[: round(arguments.paced * RATE_HZ)]
        results.append(play(pipeline, heard.recording.with_(samples=counts), "paced")[0])
    if arguments.json:
        print(json.dumps({"pipeline": pipeline.name, "played": results, "report": report.as_dict()}, indent=1))
        return
    print(f"{pipeline!r}\n{heard!r}\n")
    for figures in results:
        for name, value in figures.items():
            shown = f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
            print(f"{name.replace('_', ' '):24} {shown}")
        print()
    print(report)


if __name__ == "__main__":
    main()
