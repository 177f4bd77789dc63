"""A JupyterLab of its own, opened in headless Chromium; for the browser tests and benchmarks/widgets.py."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
# What Chromium is told: no sandbox where it runs as root, and no calls home.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1250,1500",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
WIDGETS = "section.tk[data-lm-suppress-shortcuts]"  # live ones; cards have no keys


def start_chromium(*more):
    """A selenium driver that keeps the browser's log; ``more`` flags."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, *more):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(60)
    return driver


@contextmanager
def browser(*more):
    """A driver for a test, which is skipped where there is no browser; ``more`` flags."""
    import pytest

    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and ChromeDriver are not on the PATH, so the widgets were not tried in a browser.")
    pytest.importorskip("selenium", reason="selenium is not installed (pip install -e .[test]).")
    driver = start_chromium(*more)
    try:
        yield driver
    finally:
        driver.quit()


def random_int8(seed, shape, kernel, strides, labels):
    """A small int8 network with random weights: what it answers does not matter, that it answers does."""
    import numpy as np

    from tinykit import models

    keras = models.keras()
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    net = keras.Sequential([
        keras.Input(shape, batch_size=1),
        keras.layers.Reshape((*shape[:2], 1)),
        keras.layers.Conv2D(4, kernel, strides, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(labels, activation="softmax"),
    ])  # fmt: skip
    rng = np.random.default_rng(3)
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, *shape)).astype(np.float32)] for _ in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@contextmanager
def open_lab(driver, folder, cells, widgets):
    """JupyterLab with a notebook of these cells, all run, and at least so many live widgets in it."""
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / "widgets.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (settings / "notification.jupyterlab-settings").write_text(quiet, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k not in ("TINYKIT_STILL", "TINYKIT_PORT")}
    environment |= {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=t",
        f"--ServerApp.root_dir={folder / 'work'}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with open(folder / "lab.log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait(lambda: _answers(f"{url}/api?token=t"), 300, "JupyterLab's server")
            driver.get(f"{url}/doc/tree/widgets.ipynb?token=t&reset")
            page = "return document.body.innerText"
            body = lambda: driver.execute_script(page)  # noqa: E731
            wait(lambda: "| Idle" in body(), 300, "the kernel", body)
            driver.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
            wait(lambda: len(driver.find_elements("css selector", WIDGETS)) >= widgets, 180, "the widgets", body)
            yield driver
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def wait(condition, seconds, what, tell=lambda: ""):
    """What ``condition`` gives once it is true; fails after so many seconds, with what ``tell`` says.

    An element that is not there yet, or that the widget draws anew at this moment, is looked for again.
    """
    from selenium.common.exceptions import (
        ElementClickInterceptedException,
        NoSuchElementException,
        StaleElementReferenceException,
    )

    passing = (ElementClickInterceptedException, NoSuchElementException, StaleElementReferenceException)
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except passing:
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s. {tell()}"
        time.sleep(0.1)


def widget(driver, name):
    """The live widget of that title."""
    return driver.find_element("css selector", f'{WIDGETS}[aria-label="{name}"]')


def show(driver, name):
    """The same, scrolled into sight: what can't be seen is not drawn."""
    element = widget(driver, name)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return element


def click(widget, by, what):
    """Click what is found in a widget, found again if the widget draws it anew meanwhile."""
    wait(lambda: widget.find_element(by, what).click() is None, 30, f"the click on {what}")


def press(widget, words):
    """Click the button with these words on it."""
    click(widget, "xpath", f".//button[contains(., '{words}')]")


def noted(driver, element, words):
    """From now on, when the element's text changes and has these words in it: a function that gives the times, ms.

    A text that stands for a moment only can't be missed so, as it can by one who looks now and then.
    """
    driver.execute_script(
        """const [root, words] = arguments, times = [];
        (window.noted ||= {})[words] = times;
        new MutationObserver(() => { if (root.textContent.includes(words)) times.push(performance.now()); })
          .observe(root, { childList: true, characterData: true, subtree: true });""",
        element, words)  # fmt: skip
    return lambda: driver.execute_script("return window.noted[arguments[0]]", words)


def held_still(driver, element):
    """The picture in the element's first canvas, once two of them 0.3 s apart are the same."""

    def same():
        before = picture(driver, element)
        time.sleep(0.3)
        return picture(driver, element) == before and before

    return wait(same, 60, "a picture that stands still")


def picture(driver, element):
    """What the element's first canvas shows, as a data URL."""
    return driver.execute_script("return arguments[0].querySelector('canvas').toDataURL()", element)


def colours(driver, element):
    """How many different colours the widget's first canvas has."""
    return driver.execute_script(
        """const c = arguments[0].querySelector('canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 24 | d[i+1] << 16 | d[i+2] << 8 | d[i+3]);
        return seen.size;""", element)  # fmt: skip


def problems(driver):
    """Controls and pictures of widgets without a name, and targets too small for a finger."""
    return driver.execute_script(
        """const out = []; for (const root of document.querySelectorAll(arguments[0]))
        for (const e of root.querySelectorAll('button, input, select, canvas, [role=meter], [role=slider]')) {
          const r = e.getBoundingClientRect(); if (!r.width) continue;
          const name = e.getAttribute('aria-label') || e.textContent.trim() || (e.closest('label') || {}).textContent;
          if (!name) out.push('no name: ' + e.outerHTML.slice(0, 80));
          const small = r.height < 23.9 || r.width < 23.9;
          if (small && /BUTTON|INPUT|SELECT/.test(e.tagName)) out.push('small: ' + e.outerHTML.slice(0, 80));
        } return out;""",
        WIDGETS,
    )


def raised(driver):
    """What widgets raised in the browser."""
    wrong = [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]
    return [m for m in wrong if "anywidget" in m or "blob:" in m or "tinykit" in m or "Uncaught" in m]


def run_code(driver, code):
    """Run code in the notebook's kernel, beside the cells."""
    driver.execute_script(
        "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
        ".requestExecute({code: arguments[0]})", code)  # fmt: skip


def frames(element):
    """How often it was drawn; told every ten frames."""
    return int(element.get_attribute("data-frames") or 0)
