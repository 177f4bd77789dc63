"""Hostile plans: what the device's loader makes of them, with the sanitizers watching.

    python tests/engine/fuzz.py --count 1000000

Small plans that use every kind of op between them are damaged (bits, fields at their edges, records of
other plans, invented records, cut), get a good checksum, are opened, and run if they open. A read or
write outside plan and arena, or undefined behaviour, ends the program and fails. See fuzz_plan.c.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import chains
import handmade

from tinykit.engine import compile_network
from tinykit.engine.step import KINDS
from tinykit.errors import ModelError
from tinykit.toolchain import engine_sources, hardware_dir

HERE = Path(__file__).resolve().parent
SOURCE = hardware_dir() / "TinyKit" / "src"
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-fno-omit-frame-pointer", "-g", "-O1"]  # fmt: skip
LARGEST = 6000  # bytes of a plan: most of the time goes into checksums
OF_EACH = 3  # plans with each kind of op


class NoCompiler(Exception):
    """There is none here whose sanitizers can be used."""


def base_plans(seeds=2000) -> list:
    """Small plans of random networks, named by their chains: each kind of op in at least one, most in several."""
    seen, plans = Counter(), []
    for seed in range(seeds):
        chain = chains.chain_of(seed)
        if len(chain.links) > 2:  # those take longer to compile, and hold nothing new
            continue
        network, built = chains.build(chain)
        if not built or len(network) > 3 * LARGEST:
            continue
        try:
            plan = compile_network(network, str(chain))
        except ModelError:
            continue
        kinds = {layer.kind for layer in plan.ops}
        if len(plan.bytes) <= LARGEST and any(seen[kind] < OF_EACH for kind in kinds):
            plans.append(plan)
            seen.update(kinds)
        if all(seen[kind] >= (OF_EACH if seed < 300 else 1) for kind in KINDS):
            break
    return plans + [compile_network(network) for network in handmade.networks()]  # what was not drawn


def build(folder: Path) -> Path:
    """fuzz_plan.c with the engine, by the system's compiler.

    Raises
    ------
    NoCompiler
    """
    compiler = shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        raise NoCompiler("The sanitizers are tried with the system's gcc or clang, on Linux only.")
    target = Path(folder) / "fuzz_plan"
    extra = SOURCE / "tk_status.c"
    command = [compiler, *FLAGS, f"-I{SOURCE}", HERE / "fuzz_plan.c", extra, *engine_sources(), "-o", target]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode and ("cannot find" in done.stderr or "sanitizer" in done.stderr.lower()):
        raise NoCompiler("The system's compiler has no sanitizers.")
    if done.returncode:
        raise RuntimeError(done.stderr[:3000])
    return target


def write(plans, folder: Path) -> list[Path]:
    """The plans as files."""
    paths = []
    for number, plan in enumerate(plans):
        paths.append(Path(folder) / f"{number}.plan")
        paths[-1].write_bytes(plan.bytes)
    return paths


def fuzz(fuzzer: Path, plans: list[Path], count: int, seed: int = 1, first: int = 0) -> Counter:
    """Run some executions; how often each status was met, and ``run``, ``stopped``, ``left``.

    Raises
    ------
    AssertionError
        The sanitizers found something: with their words and how to meet it again.
    """
    command = [fuzzer, str(count), str(seed), str(first), *plans]
    environment = {**os.environ, "UBSAN_OPTIONS": "abort_on_error=1:print_stacktrace=1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    if done.returncode:
        where = re.search(r"execution (\d+) of seed (\d+)", done.stderr)
        again = f"--count 1 --seed {where[2]} --first {where[1]}" if where else f"exit {done.returncode}"
        words = re.search(r"(ERROR: .*|.*runtime error: .*)(\n.*){0,14}", done.stderr)
        raise AssertionError(f"python tests/engine/fuzz.py {again}\n{words[0] if words else done.stderr[-3000:]}")
    return Counter({name: int(n) for name, n in (line.split() for line in done.stdout.splitlines())})


def table(counts: Counter, seconds: float) -> str:
    """What came of it, as Markdown."""
    notes = {"run": "of those accepted: run to the end", "stopped": "stopped, too long", "left": "not run, too large"}
    total = sum(n for name, n in counts.items() if name not in notes)
    lines = [f"{total:,} executions in {seconds:.0f} s", "", "| answer | executions |", "|---|---|"]
    lines += [f"| {'accepted' if k == 'ok' else k} | {n:,} |" for k, n in counts.most_common() if k not in notes]
    return "\n".join([*lines, *(f"| {words} | {counts[name]:,} |" for name, words in notes.items())])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the execution to begin with")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzzer, plans = build(Path(folder)), write(base_plans(), Path(folder))
        piece = min(20_000, -(-arguments.count // arguments.jobs))
        starts = range(arguments.first, arguments.first + arguments.count, piece)
        began, counts = time.perf_counter(), Counter()
        end = arguments.first + arguments.count
        with ThreadPoolExecutor(arguments.jobs) as pool:
            jobs = [pool.submit(fuzz, fuzzer, plans, min(piece, end - at), arguments.seed, at) for at in starts]
            faults = []
            for number, job in enumerate(jobs):
                try:
                    counts += job.result()
                except AssertionError as fault:
                    faults.append(str(fault))
                    print(fault, file=sys.stderr, flush=True)
                if number % 10 == 9:
                    print(f"{(number + 1) * piece:,}", file=sys.stderr, flush=True)
        print(f"{len(plans)} plans, {sum(len(p.read_bytes()) for p in plans) // len(plans):,} bytes on average")
        print(table(counts, time.perf_counter() - began))
        if faults:
            print(f"{len(faults)} of {len(jobs)} pieces ended with a fault", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
