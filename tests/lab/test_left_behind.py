"""What a notebook leaves when it is closed, or when its kernel ends: nothing. In a real JupyterLab."""

import psutil
import pytest
from lab_browser import WIDGETS, asked, browser, frames, open_notebook, printed, serve, show, text, wait, write_notebook

pytestmark = pytest.mark.browser

CELLS = [
    "import threading\nimport tinykit as tk\nfrom tinykit.board.virtual import Generator\n"
    "from tinykit.lab.widget import FLUSHER",
    "board = tk.connect('virtual://nano33ble?flash=FLASH', source=Generator(('flex', 'punch')))",
    "shown = [tk.lab.scope(board), tk.lab.scope(board, 'mic'), tk.lab.recorder(board, labels=['circle', 'rest'])]",
    *(f"shown[{i}]" for i in range(3)),
]
OURS = "sorted(t.name for t in threading.enumerate() if t.name.startswith(('tinykit', 'virtual board')))"


def listening(kernel):
    """Ports on which it listens, as a set; a process that has ended has none."""
    try:
        return {c.laddr.port for c in kernel.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    except psutil.Error:
        return set()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "work").mkdir()
    with serve(folder, folder / "work") as server:
        server.folder = folder / "work"
        yield server


@pytest.fixture
def notebook(server, tmp_path):
    """One for each test, with a kernel and a board of its own: its name."""
    cells = [cell.replace("FLASH", (tmp_path / "flash.bin").as_posix()) for cell in CELLS]
    return write_notebook(server.folder / f"{tmp_path.name}.ipynb", cells).name


def run_all(page):
    """The notebook with its widgets live: the kernel's process."""
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait(lambda: page.locator(WIDGETS).count() == 3, 180, "the widgets")
    scope = show(page, "Scope")
    wait(lambda: frames(scope) > 10, 60, "frames")
    ours = asked(page, OURS)
    assert "tinykit flusher" in ours and any("virtual board" in name for name in ours), ours
    assert asked(page, "[w._running for w in shown]") == [True] * 3
    return psutil.Process(asked(page, "__import__('os').getpid()"))


@pytest.mark.parametrize("how", ["the tab", "the notebook"])
def test_a_closed_notebook_leaves_a_kernel_at_rest(server, notebook, how):
    """The kernel lives on, as JupyterLab has it, and the board with it; nothing is read or sent any more."""
    with browser() as first, browser() as second:
        open_notebook(first, server, notebook, run=False)
        idle = psutil.Process(asked(first, "__import__('os').getpid()"))
        ports = listening(idle)
        kernel = run_all(first)
        assert kernel == idle
        printed(first, "tk.lab.lease.LEASE_S = 3.0")  # it is a minute else
        name = first.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.id")
        if how == "the tab":
            first.close()
        else:
            first.evaluate("window.jupyterapp.shell.currentWidget.dispose()")
        other = write_notebook(server.folder / f"not-{notebook}", ["1"])
        open_notebook(second, server, other.name, run=False)
        second.evaluate(
            "(id) => { const { kernels } = window.jupyterapp.serviceManager;"
            "window.left = kernels.connectTo({ model: { id, name: 'python3' } }); }",
            name,
        )
        ask = lambda expression: asked(second, expression, kernel="window.left")  # noqa: E731
        wait(lambda: not any(ask("[w._running for w in shown]")), 120, "the rest of the widgets", lambda: ask(OURS))
        wait(lambda: all(n.startswith(("tinykit link", "virtual board")) for n in ask(OURS)), 60,
             "the end of the flusher", lambda: ask(OURS))  # fmt: skip
        assert ask("[len(FLUSHER._widgets), board.connected]") == [0, True]
        assert listening(kernel) == ports and kernel.children() == []
        # And the board goes when it is closed.
        printed(second, "board.close()", kernel="window.left")
        wait(lambda: ask(OURS) == [], 60, "the end of the board's threads", lambda: ask(OURS))
        assert ask("[w.errors for w in shown]") == [[], [], []]


def test_a_kernel_that_is_restarted_or_shut_down_leaves_nothing(server, notebook):
    """Not even a hold on the board: the same cells open it again."""
    context = "window.jupyterapp.shell.currentWidget.context.sessionContext"
    jupyter = psutil.Process(server.pid)
    others = set(jupyter.children(recursive=True))
    with browser() as page:
        open_notebook(page, server, notebook, run=False)
        first = run_all(page)
        page.evaluate(f"() => void {context}.restartKernel()")
        wait(lambda: not first.is_running() and page.evaluate(f"{context}.session.kernel.status") == "idle", 120,
             "the new kernel")  # fmt: skip
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        wait(lambda: page.locator(WIDGETS).count() == 0, 60, "an empty notebook")
        second = run_all(page)
        assert second != first
        ports = listening(second)
        assert ports
        scope = show(page, "Scope")
        page.evaluate(f"() => void {context}.shutdown()")
        wait(lambda: not second.is_running(), 120, "the kernel's end")
        wait(lambda: "no news from the notebook's kernel" in text(scope), 60, "a word about it", lambda: text(scope))
        wait(lambda: set(jupyter.children(recursive=True)) <= others, 60, "the end of its processes")
        assert not ports & set().union(*(listening(p) for p in (jupyter, *jupyter.children(recursive=True))))
