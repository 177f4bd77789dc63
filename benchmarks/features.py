"""How fast is the mel front end? Log-mel of many one-second clips, by us and by librosa, and its cost on the board.

    python benchmarks/features.py [--clips 1000] [--repeats 5] [--data DIR] [--json]

The same clips in memory (int16 for us, float32 for librosa), the same parameters (16 kHz, 30 ms Hann windows every
20 ms, FFT of 512, 40 mels from 60 to 7600 Hz, natural logarithm). librosa is warmed up before, its filter bank is
cached by itself; once it gets clip after clip, as everybody calls it, once all clips as one array, and both also in as
many threads as this computer has cores. All take turns, ``--repeats`` times; the best time of each counts, the median
stands beside it. Real clips come from Speech Commands in the folder ``TINYKIT_DATA`` (by default ../shared/data);
without it, noise. Cycles a hop are estimated on the emulated Cortex-M4F.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORES = os.cpu_count() or 1
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # threads are ours to give: librosa's matrix product takes one each

import numpy as np  # noqa: E402

from tinykit import toolchain  # noqa: E402
from tinykit.engine.elf import read_elf  # noqa: E402
from tinykit.engine.front import front_cost  # noqa: E402
from tinykit.features.sound import clip_features  # noqa: E402
from tinykit.pipeline import MelFrontEnd, Pipeline  # noqa: E402

FRONT = MelFrontEnd()


def real_clips(folder: Path, n: int):
    """int16 (n, 16000) of Speech Commands, evenly out of the sorted files, padded with silence; None without."""
    import soundfile

    files = sorted((folder / "speech_commands").rglob("*.wav"))
    if len(files) < n:
        return None
    clips = np.zeros((n, 16000), np.int16)
    for clip, path in zip(clips, files[:: len(files) // n], strict=False):
        sound = soundfile.read(path, dtype="int16")[0][:16000]
        clip[: len(sound)] = sound
    return clips


def librosa_log_mel(sound):
    import librosa

    energy = librosa.feature.melspectrogram(
        y=sound, sr=16000, n_fft=512, hop_length=FRONT.hop, win_length=FRONT.frame, window="hann", center=False,
        power=2.0, n_mels=FRONT.mels, fmin=FRONT.low_hz, fmax=FRONT.high_hz, htk=True, norm=None,
    )  # fmt: skip
    return np.log(energy + np.float32(FRONT.floor))


def in_threads(function, clips, threads):
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, np.array_split(clips, threads)))


def measure(clips, repeats):
    sound = clips.astype(np.float32) / 32768
    # librosa sets 480 samples in the middle of 512: 16 zeros before, so that its frames begin where ours do.
    sound = np.pad(sound, ((0, 0), (16, 16)))
    one_by_one = lambda part: [librosa_log_mel(clip) for clip in part]  # noqa: E731
    ways = {
        ("librosa, clip after clip", 1): lambda: one_by_one(sound),
        ("librosa, all clips as one array", 1): lambda: librosa_log_mel(sound),
        ("tinykit", 1): lambda: clip_features(clips, FRONT, threads=1),
    }
    if CORES > 1:
        ways[("librosa, clip after clip", CORES)] = lambda: in_threads(one_by_one, sound, CORES)
        ways[("librosa, all clips as one array", CORES)] = lambda: in_threads(librosa_log_mel, sound, CORES)
        ways[("tinykit", CORES)] = lambda: clip_features(clips, FRONT, threads=CORES)
    librosa_log_mel(sound[0]), clip_features(clips[:2], FRONT)
    difference = np.abs(np.swapaxes(librosa_log_mel(sound[:100]), 1, 2) - clip_features(clips[:100], FRONT)).mean()
    times = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            start, cpu = time.perf_counter(), time.process_time()
            run()
            times[way].append((time.perf_counter() - start, time.process_time() - cpu))
    rows = []
    for (who, threads), pairs in times.items():
        walls, cpus = zip(*pairs, strict=True)
        rows.append({"who": who, "threads": threads, "best_s": min(walls), "median_s": float(np.median(walls)),
                     "cpu_s": min(cpus)})  # fmt: skip
    by_way = {(r["who"], r["threads"]): r for r in rows}
    for r in rows:
        for how in ("clip after clip", "all clips as one array"):
            other = by_way["librosa, " + how, r["threads"]]
            r["times " + how] = other["best_s"] / r["best_s"]
            r["times by CPU " + how] = other["cpu_s"] / r["cpu_s"]
    return rows, float(difference)


def pipeline(front):
    return Pipeline("bench", "keyword", 16000.0, 16000, 5 * front.hop, front, ("any",))


def arduino(level):
    """The front end as GCC builds it for the Arduino library; None without that compiler."""
    gcc, source = shutil.which("arm-none-eabi-gcc"), toolchain.hardware_dir() / "TinyKit" / "src"
    if gcc is None:
        return None
    flags = ["-std=gnu11", level, "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16",
             "-ffunction-sections", "-nostartfiles", "-Wl,--no-gc-sections",
             f"-T{toolchain.hardware_dir() / 'virtual' / 'bare.ld'}"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "mel.elf"
        subprocess.run([gcc, *flags, source / "tk_mel.c", source / "tk_fft.c", "-o", target], check=True,
                       capture_output=True)  # fmt: skip
        return read_elf(target)


def on_board():
    rows = []
    builds = {"clang -O2": None} | {f"GCC {level}": arduino(level) for level in ("-Os", "-O2")}
    for front in (FRONT, MelFrontEnd(coefficients=10), MelFrontEnd(frame=640), MelFrontEnd(frame=256, hop=160)):
        cost = front_cost(pipeline(front))
        what = f"{front.coefficients} MFCC" if front.coefficients else "log-mel"
        cycles = {name: front_cost(pipeline(front), image).cycles for name, image in builds.items()
                  if image or name.startswith("clang")}  # fmt: skip
        rows.append({"front_end": f"{front.frame} samples, {front.mels} mels, {what}", "cycles_a_hop_estimated": cycles,
                     "table_bytes": cost.table_bytes, "work_bytes": cost.work_bytes,
                     "code_bytes": cost.code_flash_bytes})  # fmt: skip
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TINYKIT_DATA", shared)))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clips = real_clips(options.data, options.clips)
    what = "clips of Speech Commands" if clips is not None else "clips of noise (no data found)"
    if clips is None:
        clips = np.random.default_rng(0).normal(0, 3000, (options.clips, 16000)).astype(np.int16)
    rows, difference = measure(clips, options.repeats)
    board = on_board()
    if options.json:
        json.dump({"clips": len(clips), "what": what, "rows": rows, "mean_difference": difference, "board": board},
                  sys.stdout, indent=1)  # fmt: skip
        return
    print(f"{len(clips)} {what}, {CORES} cores, best (median) of {options.repeats}\n")
    print("| | threads | s | median s | CPU s | times librosa clip by clip (by CPU) | as one array (by CPU) |")
    print("|---|---|---|---|---|---|---|")
    for r in rows:
        numbers = [f"{r[k]:.3f}" for k in ("best_s", "median_s", "cpu_s")]
        for how in ("clip after clip", "all clips as one array"):
            numbers.append(f"{r['times ' + how]:.1f} ({r['times by CPU ' + how]:.1f})")
        print(f"| {r['who']} | {r['threads']} | {' | '.join(numbers)} |")
    print(f"\nMean difference of a log-mel value: {difference:.3f} (librosa's triangles have straight sides in hertz,")
    print("ours in mel as HTK's)\n")
    names = list(board[0]["cycles_a_hop_estimated"])
    print(f"| front end | {' | '.join(names)} | tables | work | code |\n|---|{'---|' * (len(names) + 3)}")
    for b in board:
        cycles = " | ".join(f"{n:,}" for n in b["cycles_a_hop_estimated"].values())
        print(f"| {b['front_end']} | {cycles} | {b['table_bytes']:,} | {b['work_bytes']:,} | {b['code_bytes']:,} |")


if __name__ == "__main__":
    main()
