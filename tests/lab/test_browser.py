"""The widgets in a real JupyterLab in headless Chromium, on the real firmware on the virtual board."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
LABELS = ("flex", "punch", "rest")
# What Chromium is told: no sandbox where it runs as root, and no calls home.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1250,1500",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
WIDGETS = "section.tk[data-lm-suppress-shortcuts]"  # live ones; cards have no keys
CELLS = [
    "import tinykit as tk\nfrom tinykit.board.virtual import Generator\n"
    "board = tk.connect('virtual://nano33ble?flash=FLASH', source=Generator(('flex', 'punch')))\n"
    "pipeline = tk.Pipeline.load('PIPELINE')",
    "tk.lab.scope(board)",
    "show = tk.lab.deploy(board, pipeline)\nshow",
    "show.deploy()",
    "tk.lab.live(board)",
    "recorder = tk.lab.recorder(board, labels=['circle', 'rest'], person='ada')\nrecorder",
    "import time\nfor _ in range(60):\n    time.sleep(0.1)\nprint('done waiting')",
]


def network(path):
    """A pipeline with random weights: what it answers does not matter here."""
    import numpy as np

    from tinykit import models
    from tinykit.pipeline import Decision, ImuFrontEnd, Pipeline

    keras = models.keras()
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    net = keras.Sequential([
        keras.Input((60, 6, 1), batch_size=1),
        keras.layers.Conv2D(4, (5, 6), strides=(2, 1), activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ])  # fmt: skip
    rng = np.random.default_rng(3)
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, 60, 6, 1)).astype(np.float32)] for _ in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    front = ImuFrontEnd(scale=(1 / 4000,) * 6)
    Pipeline("browser", "gesture", 119.0, 60, 15, front, LABELS, Decision(2, 0.5, 0.2), None, converter.convert()).save(
        path
    )
    return path


@pytest.fixture(scope="module")
def driver():
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and ChromeDriver are not on the PATH, so the widgets were not tried in a browser.")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install -e .[test]).")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def lab(driver, tmp_path_factory):
    """JupyterLab with the notebook open and all its cells run."""
    import nbformat

    folder = tmp_path_factory.mktemp("lab")
    pipeline = network(folder / "browser.tk")
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in CELLS:
        text = cell.replace("PIPELINE", pipeline.as_posix()).replace("FLASH", (folder / "flash.bin").as_posix())
        notebook.cells.append(nbformat.v4.new_code_cell(text))
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / "widgets.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("TINYKIT_STILL", "TINYKIT_PORT")}
    environment |= {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    log = open(folder / "lab.log", "w", encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
         "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=t", f"--ServerApp.root_dir={folder / 'work'}",
         "--LabApp.expose_app_in_browser=True"],
        env=environment, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait(lambda: answers(f"{url}/api?token=t"), 120, "JupyterLab's server")
        driver.get(f"{url}/doc/tree/widgets.ipynb?token=t&reset")
        wait(lambda: driver.execute_script("return document.body.innerText.includes('| Idle')"), 120, "the kernel",
             lambda: driver.execute_script("return document.body.innerText"))  # fmt: skip
        driver.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        wait(lambda: len(driver.find_elements("css selector", WIDGETS)) >= 4, 180, "the widgets",
             lambda: driver.execute_script("return document.querySelector('.jp-Notebook').innerText"))  # fmt: skip
        yield driver
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def wait(condition, seconds, what, tell=lambda: ""):
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s. {tell()}"
        time.sleep(0.1)


def widget(driver, name):
    return driver.find_element("css selector", f'section.tk[data-lm-suppress-shortcuts][aria-label="{name}"]')


def show(driver, name):
    """Scroll to it: what can't be seen is not drawn."""
    element = widget(driver, name)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return element


def frames(element):
    return int(element.get_attribute("data-frames") or 0)


def colours(driver, element):
    """How many different colours the widget's first canvas has."""
    return driver.execute_script(
        """const c = arguments[0].querySelector('canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 24 | d[i+1] << 16 | d[i+2] << 8 | d[i+3]);
        return seen.size;""", element)  # fmt: skip


def test_the_scope_draws_and_goes_on_drawing_while_a_cell_runs(lab):
    scope = show(lab, "Scope")
    wait(lambda: frames(scope) > 10, 60, "frames")
    before = frames(scope)
    wait(lambda: frames(scope) >= before + 30, 60, "thirty more frames")
    assert colours(lab, scope) > 20, "the picture is blank"
    wait(lambda: "linked" in scope.text, 30, "the link's state")
    assert "0 lost" in scope.text and "119." in scope.text, scope.text
    canvas = scope.find_element("css selector", "canvas")
    wait(lambda: "aZ" in canvas.get_attribute("aria-label"), 30, "the picture in words")


def test_pause_holds_the_picture_in_the_browser(lab):
    scope = show(lab, "Scope")
    wait(lambda: frames(scope) > 10, 60, "frames")
    pause = scope.find_element("xpath", ".//button[contains(., 'Pause')]")
    pause.click()
    wait(lambda: "Resume" in scope.text, 10, "Resume")
    time.sleep(0.3)
    held = lab.execute_script("return arguments[0].querySelector('canvas').toDataURL()", scope)
    time.sleep(1.0)
    assert lab.execute_script("return arguments[0].querySelector('canvas').toDataURL()", scope) == held
    lab.execute_script("arguments[0].focus()", scope.find_element("xpath", ".//button[contains(., 'Resume')]"))
    lab.switch_to.active_element.send_keys("p")  # the key does the same, and JupyterLab does not see it
    wait(lambda: "Pause" in scope.text, 10, "Pause")
    wait(
        lambda: lab.execute_script("return arguments[0].querySelector('canvas').toDataURL()", scope) != held,
        30,
        "motion",
    )


def test_deploy_shows_the_new_slot_running(lab):
    deploy = show(lab, "Deploy")
    wait(lambda: "runs from slot" in deploy.text, 120, "the deployment", lambda: deploy.text)
    (slot,) = deploy.find_elements("css selector", ".tk-slot.act")
    assert "runs now" in slot.text and "v1 browser" in slot.text


def test_live_shows_the_labels_and_the_slider_moves_the_boards_rule(lab):
    live = show(lab, "Live predictions")
    wait(
        lambda: "probability" in live.text and all(label in live.text for label in LABELS),
        60,
        "predictions",
        lambda: live.text,
    )
    word = live.find_element("css selector", ".w").text
    assert word in (*LABELS, "unsure")
    before = frames(live)
    wait(lambda: frames(live) > before, 30, "frames")
    assert colours(lab, live) > 20
    slider = live.find_element("css selector", "input[type=range]")
    slider.send_keys("\ue014" * 4)  # arrow right: by 0.05 each
    wait(lambda: "threshold 0.70" in live.text, 30, "the new threshold", lambda: live.text)
    # What is in force on the board comes back as the widget's own state.
    wait(lambda: slider.get_attribute("aria-valuetext") == "0.70", 30, "0.70")


def test_that_was_wrong_files_the_window(lab):
    live = show(lab, "Live predictions")
    wait(lambda: "probability" in live.text, 60, "predictions")
    live.find_element("xpath", ".//button[contains(., 'That was wrong')]").click()
    wait(lambda: "What was it really?" in live.text and "held" in live.text, 10, "the question")
    live.find_element("css selector", ".tk-ask button").click()
    wait(
        lambda: "1 marked wrong" in live.text and "Kept as .corrected[0]" in live.text,
        60,
        "the correction",
        lambda: live.text,
    )


def test_the_recorder_counts_down_and_keeps_a_take(lab):
    recorder = show(lab, "Recorder")
    wait(lambda: "Record “circle”" in recorder.text, 60, "the button", lambda: recorder.text)
    recorder.find_element("css selector", ".tk-rb").click()
    wait(lambda: "Get ready" in recorder.text, 10, "the countdown")
    wait(lambda: "1/20" in recorder.text, 90, "the take", lambda: recorder.text)
    cards = recorder.find_elements("css selector", ".tk-take")
    assert len(cards) == 1
    recorder.find_element("css selector", 'button[aria-label="Discard take 1"]').click()
    wait(lambda: "0/20" in recorder.text and "Undo" in recorder.text, 30, "the discarding")
    recorder.find_element("xpath", ".//button[contains(., 'Undo')]").click()
    wait(lambda: "1/20" in recorder.text, 30, "the take back")


def test_dark_and_light_follow_the_theme(lab):
    scope = show(lab, "Scope")
    ground = lambda: lab.execute_script("return getComputedStyle(arguments[0]).backgroundColor", scope)  # noqa: E731
    light = ground()
    lab.execute_script("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    wait(lambda: ground() != light, 30, "the dark theme")
    wait(lambda: colours(lab, scope) > 20, 30, "the dark picture")
    lab.execute_script("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    wait(lambda: ground() == light, 30, "the light theme")


def test_every_control_has_a_name_and_room_for_a_finger(lab):
    problems = lab.execute_script(
        """const out = []; for (const root of document.querySelectorAll('section.tk[data-lm-suppress-shortcuts]'))
        for (const e of root.querySelectorAll('button, input, select, canvas, [role=meter]')) {
          const r = e.getBoundingClientRect(); if (!r.width) continue;
          const name = e.getAttribute('aria-label') || e.textContent.trim() || (e.closest('label') || {}).textContent;
          if (!name) out.push('no name: ' + e.outerHTML.slice(0, 80));
          const small = r.height < 23.9 || r.width < 23.9;
          if (small && /BUTTON|INPUT|SELECT/.test(e.tagName)) out.push('small: ' + e.outerHTML.slice(0, 80));
        } return out;"""
    )
    assert problems == []


def test_nothing_was_logged_as_an_error(lab):
    """Last: whatever the tests before did, no widget raised in the browser or the kernel."""
    wrong = [e["message"] for e in lab.get_log("browser") if e["level"] == "SEVERE"]
    assert [m for m in wrong if "anywidget" in m or "blob:" in m or "tinykit" in m or "Uncaught" in m] == []
    said = lab.execute_script("return document.querySelector('.jp-Notebook').innerText")
    assert "Traceback" not in said and "fault of tinykit" not in said
