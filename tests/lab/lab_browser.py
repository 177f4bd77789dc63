"""A JupyterLab of its own, opened in headless Chromium; for the browser tests and benchmarks/widgets.py.

Playwright drives the Chromium that the computer has; it never downloads one. Its synchronous side keeps an event
loop in the thread: while a ``browser()`` is open, nothing else in that thread can call ``asyncio.run``.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What Chromium is told besides what Playwright tells it: no sandbox where it runs as root, and no calls home.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
VIEWPORT = {"width": 1250, "height": 1500}
WIDGETS = "section.tk[data-lm-suppress-shortcuts]"  # live ones; cards have no keys
PATIENCE_S = 180  # no wait gives up before: the computer may be busy with something else
SHOTS = Path(os.environ.get("TINYKIT_SHOTS") or Path(__file__).resolve().parents[2] / "artefacts")

_driver, _pages = None, []


# -- the browser ---------------------------------------------------------------------------------


@contextmanager
def browser(*flags, dark=False):
    """A Playwright page; skips the test where there is no Chromium or no Playwright.

    Parameters
    ----------
    *flags : str
        More of Chromium's.
    dark : bool
        Whether the page asks for dark colours; ``open_lab`` then takes JupyterLab's dark theme.

    Yields
    ------
    playwright.sync_api.Page
        Also with ``page.log``, what the page logged as errors, and ``page.dark``.
    """
    import pytest

    if CHROMIUM is None:
        pytest.skip("Chromium is not on the PATH, so the widgets were not tried in a browser.")
    pytest.importorskip("playwright", reason="playwright is not installed (pip install -e .[test]).")
    with chromium(*flags) as started:
        context = started.new_context(viewport=VIEWPORT, color_scheme="dark" if dark else "light")
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.dark, page.log = dark, []
        page.on("console", lambda m: m.type == "error" and page.log.append(f"{m.location.get('url', '')} {m.text}"))
        page.on("pageerror", lambda e: page.log.append(f"Uncaught {e.stack or e}"))
        _pages.append(page)
        try:
            yield page
        finally:
            _pages.remove(page)


@contextmanager
def chromium(*flags):
    """Chromium, as Playwright's ``Browser``; several may be open, and the last one ends Playwright."""
    global _driver
    from playwright.sync_api import sync_playwright

    alone = _driver is None
    if alone:
        _driver = sync_playwright().start()
    try:
        started = _driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags], timeout=180_000)
        try:
            yield started
        finally:
            started.close()
    finally:
        if alone:
            driver, _driver = _driver, None
            driver.stop()


# -- JupyterLab ----------------------------------------------------------------------------------


@contextmanager
def open_lab(page, folder, notebook, widgets=0, run=True, **environment):
    """JupyterLab with one notebook, all its cells run, and at least so many live widgets in it.

    Parameters
    ----------
    page : Page
    folder : Path
        Where JupyterLab's own files go, and the notebook that is made.
    notebook : list of str, or Path
        Code cells, or a notebook that is there: its folder is then what JupyterLab shows.
    widgets : int
        Waits for so many.
    run : bool
        Whether the cells are run; waits for the widgets, not for the end of the cells.
    **environment : str
        More of it, for the kernel.
    """
    if not isinstance(notebook, (str, os.PathLike)):
        notebook = write_notebook(folder / "work" / "widgets.ipynb", notebook)
    notebook = Path(notebook)
    with serve(folder, notebook.parent, **environment) as server:
        open_notebook(page, server, notebook.name, widgets, run)
        yield page


@contextmanager
def open_cells(folder, cells, widgets, *flags, **paths):
    """A page with JupyterLab and a notebook of these cells, all run, and at least so many live widgets in it.

    Parameters
    ----------
    folder : Path
    cells : list of str
        ``FLASH`` in them stands for a file in the folder, and so does each name in ``paths`` for its path.
    widgets : int
    *flags : str
        Of Chromium, besides the usual ones.
    **paths : Path
    """
    for name, path in {"FLASH": folder / "flash.bin", **paths}.items():
        cells = [cell.replace(name, path.as_posix()) for cell in cells]
    with browser(*flags) as page, open_lab(page, folder, cells, widgets) as opened:
        yield opened


def write_notebook(path, cells):
    """A notebook of these code cells."""
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@contextmanager
def serve(folder, root, **environment):
    """A JupyterLab of its own on the notebooks in ``root``: ``server.url``, ``server.pid``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # if somebody takes it meanwhile, the server looks for another
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (settings / "notification.jupyterlab-settings").write_text(quiet, encoding="utf-8")
    surroundings = {k: v for k, v in os.environ.items() if k not in ("TINYKIT_STILL", "TINYKIT_PORT")}
    surroundings |= {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        **environment,
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--IdentityProvider.token=t", f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with open(folder / "lab.log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=surroundings, stdout=log, stderr=log)
        try:
            server.url = wait(lambda: _url(server, folder / "runtime"), 300, "JupyterLab's server",
                              lambda: (folder / "lab.log").read_text(encoding="utf-8"))  # fmt: skip
            yield server
        finally:
            server.terminate()
            try:
                server.wait(60)  # it ends its kernels
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _url(server, runtime):
    """Where the server answers; it writes down itself which port it got."""
    assert server.poll() is None, "JupyterLab's server ended."
    for file in runtime.glob("jpserver-*.json"):
        try:
            url = json.loads(file.read_text(encoding="utf-8"))["url"].rstrip("/")
            if urllib.request.urlopen(f"{url}/api?token=t", timeout=5).status == 200:
                return url
        except (OSError, ValueError):  # half written, or not listening yet
            pass
    return None


# The notebook that is open, and its kernel.
_NOTEBOOK = "window.jupyterapp.shell.currentWidget"
_KERNEL = f"{_NOTEBOOK}.context.sessionContext.session.kernel"


def open_notebook(page, server, name, widgets=0, run=True):
    """Open (another) notebook of a server in the page, with a kernel of its own, and run its cells."""
    body = lambda: text(page.locator("body"))  # noqa: E731
    page.goto(f"{server.url}/doc/tree/{name}?token=t&reset", wait_until="commit")
    wait(lambda: page.evaluate(f"{_KERNEL}.status") == "idle", 300, "the kernel", body)
    if page.dark:
        theme(page, "dark")
    if run:
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait(lambda: page.locator(WIDGETS).count() >= widgets, 180, "the widgets", body)


def run_code(page, code):
    """Run code in the notebook's kernel, beside the cells; not waited for."""
    page.evaluate(f"(code) => void {_KERNEL}.requestExecute({{code}})", code)


@contextmanager
def running(page, code):
    """While this is open, the notebook's kernel runs code that does not end by itself.

    Raises
    ------
    AssertionError
        It ended before: then nothing was shown about a busy kernel.
    """
    printed(page, "", 180)  # what ran before has ended
    page.evaluate(
        f"""(code) => {{
          const run = {_KERNEL}.requestExecute({{ code }});
          window.cell = "";
          run.onIOPub = () => {{ window.cell ||= "runs"; }};
          run.done.then(({{ content }}) => {{ window.cell = content.ename || "ended"; }});
        }}""",
        code,
    )
    cell = lambda: page.evaluate("window.cell")  # noqa: E731
    wait(lambda: cell() == "runs", 60, "the running cell", cell)
    try:
        yield
        assert cell() == "runs", f"the cell ended: {cell()}"
    finally:
        page.evaluate(f"() => void {_KERNEL}.interrupt()")
        wait(lambda: cell() != "runs", 120, "the end of the cell")


def printed(page, code, seconds=240, kernel=_KERNEL):
    """Run code in the notebook's kernel, after the cells that run: what it printed.

    Parameters
    ----------
    page : Page
    code : str
    seconds : float
        How long that may take.
    kernel : str
        Another kernel than the notebook's, as the page's JavaScript calls its connection.

    Raises
    ------
    AssertionError
        It raised, or did not end in time.
    """
    name = page.evaluate(
        f"""(code) => {{
          const name = `said${{performance.now()}}`, said = window[name] = {{ text: "", error: "", done: false }};
          const run = {kernel}.requestExecute({{ code }});
          run.onIOPub = ({{ content, header }}) => {{
            if (header.msg_type === "stream") said.text += content.text;
            if (header.msg_type === "error") said.error = content.traceback.join("\\n");
          }};
          run.done.catch((e) => {{ said.error ||= String(e); }}).finally(() => {{ said.done = true; }});
          return name;
        }}""",
        code,
    )
    said = wait(lambda: page.evaluate("(n) => window[n].done && window[n]", name), seconds, "the end of this:\n" + code)
    assert not said["error"], said["error"]
    return said["text"]


def asked(page, expression, seconds=240, kernel=_KERNEL):
    """What an expression is in the kernel (through JSON)."""
    return json.loads(printed(page, f"import json\nprint(json.dumps({expression}))", seconds, kernel))


def theme(page, name):
    """JupyterLab's ``"dark"`` or ``"light"`` theme."""
    page.evaluate("(t) => void window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})",
                  f"JupyterLab {name.title()}")  # fmt: skip
    light = "true" if name == "light" else "false"
    wait(lambda: page.evaluate("document.body.dataset.jpThemeLight") == light, 60, f"the {name} theme")


# -- looking and pressing ------------------------------------------------------------------------


def wait(condition, seconds, what, tell=lambda: "", least=PATIENCE_S):
    """What ``condition`` gives once it is true; fails after so many seconds, with what ``tell`` says.

    ``seconds`` is what is usual at most; it fails after ``least`` at the earliest.

    What the page can't do yet (an element that is not there, or that the widget draws anew at this moment) is tried
    again. A wait that fails leaves a screenshot of every open page in the artefacts.
    """
    try:
        from playwright.sync_api import Error
    except ImportError:  # it is used for servers too
        Error = ()
    seconds = max(seconds, least)
    deadline, trouble = time.monotonic() + seconds, ""
    while True:
        try:
            found, trouble = condition(), ""
        except Error as error:
            if "has been closed" in str(error) or "crashed" in str(error):
                raise
            found, trouble = None, str(error)
        if found:
            return found
        if time.monotonic() > deadline:
            for i, page in enumerate(_pages):
                test = os.environ.get("PYTEST_CURRENT_TEST", "page").split("::")[-1].split(" ")[0]
                shot(page, f"failed-{re.sub('[^0-9A-Za-z]+', '-', test)}-{i}")
            raise AssertionError(f"{what} did not come within {seconds} s. {tell()} {trouble}".rstrip())
        time.sleep(0.1)


def widget(page, title, nth=0):
    """The live widget of that title; of several, the ``nth``."""
    return page.locator(f'{WIDGETS}[aria-label="{title}"]').nth(nth)


def show(page, title, nth=0):
    """The same, scrolled into sight: what can't be seen is not drawn."""
    element = widget(page, title, nth)
    element.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    return element


def text(element):
    """What can be read in an element now; nothing where there is none."""
    return "\n".join(element.all_inner_texts())


def click(element, selector):
    """Click the first of these in an element, once it is there, holds still and can be pressed."""
    element.locator(selector).first.click()


def press(element, words):
    """Click the button with these words on it (upper and lower case matter)."""
    element.locator("button", has_text=re.compile(re.escape(words))).first.click()


def noted(element, words):
    """From now on, when the element's text changes and has these words in it: a function that gives the times, ms.

    A text that stands for a moment only can't be missed so, as it can by one who looks now and then.
    """
    element.evaluate(
        """(root, words) => {
          const times = [];
          (window.noted ||= {})[words] = times;
          new MutationObserver(() => { if (root.textContent.includes(words)) times.push(performance.now()); })
            .observe(root, { childList: true, characterData: true, subtree: true });
        }""",
        words,
    )
    return lambda: element.page.evaluate("(words) => window.noted[words]", words)


def held_still(element):
    """The picture in the element's first canvas, once two of them 0.3 s apart are the same."""

    def same():
        before = picture(element)
        time.sleep(0.3)
        return picture(element) == before and before

    return wait(same, 60, "a picture that stands still")


def picture(element):
    """What the element's first canvas shows, as a data URL."""
    return element.evaluate("(e) => e.querySelector('canvas').toDataURL()")


def colours(element):
    """How many different colours the element's first canvas has."""
    return element.evaluate(
        """(e) => {
          const c = e.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          const seen = new Set();
          for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 24 | d[i+1] << 16 | d[i+2] << 8 | d[i+3]);
          return seen.size;
        }"""
    )


def frames(element):
    """How often it was drawn; told every ten frames."""
    return int(element.get_attribute("data-frames") or 0)


def stands_out(element, but=""):
    """What is cut off at a widget's right side, without what the selector ``but`` names."""
    return element.evaluate(
        """(root, but) => {
          const edge = root.getBoundingClientRect().right + 1;
          return [...root.querySelectorAll(but ? `:not(${but})` : "*")]
            .filter((e) => e.getBoundingClientRect().right > edge).map((e) => e.outerHTML.slice(0, 80));
        }""",
        but,
    )


def problems(page):
    """Controls and pictures of widgets without a name, and targets too small for a finger."""
    return page.evaluate(
        """(widgets) => {
          const out = [];
          for (const root of document.querySelectorAll(widgets))
            for (const e of root.querySelectorAll('button, input, select, canvas, [role=meter], [role=slider]')) {
              const r = e.getBoundingClientRect(); if (!r.width) continue;
              const name = e.getAttribute('aria-label') || e.textContent.trim()
                || (e.closest('label') || {}).textContent;
              if (!name) out.push('no name: ' + e.outerHTML.slice(0, 80));
              const small = r.height < 23.9 || r.width < 23.9;
              if (small && /BUTTON|INPUT|SELECT/.test(e.tagName)) out.push('small: ' + e.outerHTML.slice(0, 80));
            }
          return out;
        }""",
        WIDGETS,
    )


def raised(page):
    """What widgets raised in the browser since it was opened, each message once.

    Widgets come as blobs. JupyterLab raises in its own code too, when a kernel is interrupted or restarted.
    """
    page.evaluate("0")  # what the page logged until now has then been told
    ours = [m for m in page.log if any(w in m for w in ("anywidget", "blob:", "tinykit"))]
    return list(dict.fromkeys(m for m in ours if "Canceled future" not in m))


def shot(place, name):
    """A picture of a page or of an element, ``name.png`` in the artefacts: a folder to be looked at.

    A picture that could not be taken fails no test; it is said in what the test printed.
    """
    from playwright.sync_api import Error

    SHOTS.mkdir(parents=True, exist_ok=True)
    try:
        place.screenshot(path=SHOTS / f"{name}.png")
    except Error as error:
        print(f"There is no picture {name}: {error}")
    return SHOTS / f"{name}.png"


def sized(element, width):
    """Make the window so wide that a widget is ``width`` pixels wide."""

    def near():
        now = element.evaluate("(e) => e.getBoundingClientRect().width")
        if abs(now - width) < 2:
            return True
        size = element.page.viewport_size  # a scroll bar, or JupyterLab's margins, may come or go
        element.page.set_viewport_size({**size, "width": round(size["width"] + width - now)})
        return False

    wait(near, 30, f"{width} px", lambda: f"{element.page.viewport_size}")


# A pointer that draws a path: events with the times that a hand would have needed, however busy the computer is.
_STROKE = """(canvas, [path, lifted]) => {
  const box = canvas.getBoundingClientRect(), began = performance.now() - path[path.length - 1][0];
  const x0 = box.left + box.width / 2, y0 = box.top + box.height / 2;
  path.forEach(([ms, x, y], i) => {
    const kind = i === 0 ? "pointerdown" : lifted && i === path.length - 1 ? "pointerup" : "pointermove";
    const how = { pointerId: 1, isPrimary: true, pointerType: "mouse", bubbles: true, cancelable: true };
    const e = new PointerEvent(kind, { ...how, clientX: x0 + x, clientY: y0 - y });
    Object.defineProperty(e, "timeStamp", { value: began + ms });
    canvas.dispatchEvent(e);
  });
}"""


def draw(pad, path, lifted=True):
    """Draw on the signal pad, all of it at once: [ms, right, up], in pixels from the pad's middle.

    Unless the pointer is lifted, the hand then stays where it is.
    """
    pad.locator("canvas.tk-pad").evaluate(_STROKE, [path, lifted])


# -- takes on a busy computer --------------------------------------------------------------------

# For the first cell of a test that records: a virtual board may lose samples there, and a take that lost one in a
# hundred would be refused. That it is, is tried elsewhere.
LENIENT = """
from tinykit.data.take import LIMITS
for limit in ('lost', 'length'):
    object.__setattr__(LIMITS, limit, 0.5)
"""


# -- something to deploy -------------------------------------------------------------------------


def save_gestures(path, labels, seed=3):
    """A pipeline of random weights for the IMU, by the file's name, in the file: its path."""
    from tinykit.pipeline import Decision, ImuFrontEnd, Pipeline

    front, int8 = ImuFrontEnd(scale=(1 / 4000,) * 6), random_int8(seed, (60, 6, 1), (5, 6), (2, 1), len(labels))
    Pipeline(path.stem, "gesture", 119.0, 60, 15, front, labels, Decision(2, 0.5, 0.2), None, int8).save(path)
    return path


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
