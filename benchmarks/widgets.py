"""Frames a second of the live scope in JupyterLab, whatever the kernel does; and its memory over ten minutes.

    python benchmarks/widgets.py              traces of the IMU, 119 samples a second
    python benchmarks/widgets.py mic          waveform and spectrogram of the microphone, 16,000 samples a second
    python benchmarks/widgets.py memory 10    both at once for ten minutes: the page's heap, the kernel's memory
    python benchmarks/widgets.py cost         what the page computes for a minute of sound, in Node, without drawing

Opens JupyterLab in headless Chromium with the scope on the virtual board (paced) and runs a cell for each state of the
kernel. In every animation frame of the browser, the left part of the scope's canvas (no numbers stand there) is
compared with what it showed a frame before: a picture counts only if it moved. Measured on the whole chain: emulated
board, port, ring, flusher, websocket, canvas; the browser has no GPU and draws on the same cores.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "lab"))

import lab_browser  # noqa: E402

SECONDS = 20
STATES = {
    "idle": "",
    "asleep": "time.sleep(1e6)",
    "in numpy": "a = np.random.rand(700, 700)\nwhile True: a @ a",
    "spinning": "while True: pass",
    "training": "while True: tk.train('gesture', tk.sample('gestures'), progress=False)",
}
START = {
    "imu": """import time, numpy as np, tinykit as tk
from tinykit.board.virtual import Generator
board = tk.connect('virtual', source=Generator(('circle', 'wing')))
tk.lab.scope(board)""",
    "mic": """import time, numpy as np, tinykit as tk
board = tk.connect('virtual')
board.source = tk.sample('words').select(labels=['left', 'right'])
tk.lab.scope(board, 'mic')""",
}
TITLES = {"imu": "Scope", "mic": "Audio scope"}

# Counts animation frames, notes when the picture had moved, and what looking cost.
WATCH = """(root) => {
  const size = (c) => c.width * c.height, drawn = () => Number(root.dataset.frames);
  const cv = [...root.querySelectorAll("canvas")].sort((a, b) => size(b) - size(a))[0];
  const seen = window.seen = { frames: 0, moved: [], cost: 0, drawn: drawn() };
  let before = null;
  const differ = (a, b) => { for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return true; return false; };
  seen.from = performance.now();
  seen.stop = () => { seen.to = performance.now(); seen.over = true; seen.drawn = drawn() - seen.drawn; return seen; };
  const look = () => {
    if (seen.over) return;
    const t = performance.now();
    const { data } = cv.getContext("2d").getImageData(0, 0, Math.round(0.6 * cv.width), cv.height);
    const now = new Uint32Array(data.buffer);
    if (before && differ(now, before)) seen.moved.push(t);
    before = now; seen.frames++; seen.cost += performance.now() - t;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def smoothness(page, scope) -> str:
    """A line of the table: what the browser drew in some seconds."""
    scope.evaluate(WATCH)
    time.sleep(SECONDS)
    seen = page.evaluate("window.seen.stop()")
    span = (seen["to"] - seen["from"]) / 1000
    times = [seen["from"], *seen["moved"], seen["to"]]
    stood = sorted(b - a for a, b in zip(times, times[1:], strict=False))
    return (
        f"{seen['frames'] / span:8.1f} {seen['drawn'] / span:7.1f} {len(seen['moved']) / span:7.1f} "
        f"{stood[int(0.99 * len(stood))]:9.0f} {stood[-1]:9.0f} {seen['cost'] / max(1, seen['frames']):7.1f}"
    )


def frames(sensor) -> int:
    with tempfile.TemporaryDirectory() as folder, lab_browser.browser() as page:
        with lab_browser.open_lab(page, Path(folder), [START[sensor]], widgets=1):
            scope = lab_browser.show(page, TITLES[sensor])
            lab_browser.wait(lambda: lab_browser.frames(scope) > 30, 60, "frames")
            lab_browser.printed(page, "from tinykit import models\nmodels.keras()", 300)
            time.sleep(10)  # the picture is full
            print("           browser   drawn   moved  99% below   longest   watch")
            print("           frames/s frames/s frames/s    ms, stood still      ms/frame")
            for name, code in STATES.items():
                with lab_browser.running(page, code) if code else nullcontext():
                    time.sleep(8 if name == "training" else 2)
                    print(f"{name:10} {smoothness(page, scope)}", flush=True)
                time.sleep(2)
            time.sleep(3)
            print(lab_browser.text(scope.locator(".tk-facts")))
            print("raised in the browser:", lab_browser.raised(page) or "nothing")
    return 0


def memory(minutes) -> int:
    import psutil

    mb = 1 / 2**20
    with tempfile.TemporaryDirectory() as folder, lab_browser.browser() as page:
        folder = Path(folder)
        cells = [START["imu"], "tk.lab.scope(board, 'mic')"]
        notebook = lab_browser.write_notebook(folder / "work" / "memory.ipynb", cells)
        with lab_browser.serve(folder, notebook.parent) as server:
            lab_browser.open_notebook(page, server, notebook.name, 2)
            kernel = psutil.Process(lab_browser.asked(page, "__import__('os').getpid()"))
            devtools = page.context.new_cdp_session(page)
            print("min   page's heap   its buffers   DOM nodes   kernel   server   MB; drawn frames of each scope")
            for minute in range(minutes + 1):
                for _ in range(3):
                    devtools.send("HeapProfiler.collectGarbage")
                heap, dom = devtools.send("Runtime.getHeapUsage"), devtools.send("Memory.getDOMCounters")
                drawn = [lab_browser.frames(lab_browser.widget(page, title)) for title in TITLES.values()]
                print(
                    f"{minute:3} {heap['usedSize'] * mb:13.2f} {heap['backingStorageSize'] * mb:13.2f} "
                    f"{dom['nodes']:11} {kernel.memory_info().rss * mb:8.1f} "
                    f"{psutil.Process(server.pid).memory_info().rss * mb:8.1f}   {drawn}",
                    flush=True,
                )
                if minute < minutes:
                    time.sleep(60)
            for title in TITLES.values():
                print(title + ":", lab_browser.text(lab_browser.widget(page, title).locator(".tk-facts")))
            print("raised in the browser:", lab_browser.raised(page) or "nothing")
    return 0


COST = """
const ring = new SoundRing(16000, 12), spectrum = new Spectrum({ rate: 16000 }, 12), before = process.cpuUsage();
for (let i = 0; i < 60 * 30; i++) {
  ring.push(ring.end, Int16Array.from({ length: 533 }, () => 2000 * Math.random() - 1000));
  spectrum.advance(ring);
  verdictOf(ring, [-44, -9]);
}
const used = process.cpuUsage(before);
console.log(`${((used.user + used.system) / 1e6).toFixed(2)} s of a core for 60 s of sound`);
"""


def cost() -> int:
    from tinykit.lab.widget import module

    code = module("audioscope", "sound").replace("export default", "const made =") + COST
    return subprocess.run(["node", "--input-type=module", "-"], input=code.encode()).returncode


def main() -> int:
    what = sys.argv[1] if len(sys.argv) > 1 else "imu"
    if what == "cost":
        return cost()
    if not lab_browser.CHROMIUM:
        print("Chromium is needed on the PATH.", file=sys.stderr)
        return 1
    if hasattr(os, "getloadavg"):
        print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return memory(int(sys.argv[2]) if len(sys.argv) > 2 else 10) if what == "memory" else frames(what)


if __name__ == "__main__":
    sys.exit(main())
