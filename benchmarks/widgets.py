"""Frames a second of the live scope in JupyterLab, while the kernel is idle, asleep, in numpy or spinning.

    python benchmarks/widgets.py        traces of the IMU
    python benchmarks/widgets.py mic    waveform and spectrogram of the microphone
    python benchmarks/widgets.py cost   what the page computes for a minute of sound, in Node, without drawing

Opens JupyterLab in headless Chromium with the scope on the virtual board (paced), runs a cell for
each state of the kernel, and counts the frames that the browser drew and the samples that were
lost. Measured on the whole chain: emulated board, port, ring, flusher, websocket, canvas.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "lab"))

import lab_browser  # noqa: E402

SECONDS = 10
STATES = {
    "asleep": f"time.sleep({SECONDS + 4})",
    "in numpy": f"a = np.random.rand(700, 700); t = time.time()\nwhile time.time() < t + {SECONDS + 4}: a @ a",
    "spinning": f"t = time.time()\nwhile time.time() < t + {SECONDS + 4}: pass",
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


def frames_a_second(scope) -> float:
    before, began = lab_browser.frames(scope), time.monotonic()
    time.sleep(SECONDS)
    return (lab_browser.frames(scope) - before) / (time.monotonic() - began)


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
    sensor = sys.argv[1] if len(sys.argv) > 1 else "imu"
    if sensor == "cost":
        return cost()
    if not lab_browser.CHROMIUM:
        print("Chromium is needed on the PATH.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, lab_browser.browser() as page:
        with lab_browser.open_lab(page, Path(folder), [START[sensor]], widgets=1):
            scope = lab_browser.show(page, TITLES[sensor])
            lab_browser.wait(lambda: lab_browser.frames(scope) > 30, 60, "frames")
            print(f"{'idle':10} {frames_a_second(scope):5.1f} frames/s")
            for name, code in STATES.items():
                lab_browser.run_code(page, code)
                time.sleep(2)
                print(f"{name:10} {frames_a_second(scope):5.1f} frames/s", flush=True)
                time.sleep(4)
            print(lab_browser.text(scope.locator(".tk-facts")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
