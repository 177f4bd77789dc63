"""Is this computer ready for the course? One row a question, with what to do where the answer is no."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import textwrap

from .. import look
from ..board.finding import Finding
from ..errors import TinykitError
from ..look.tap import TEXT as DOUBLE_TAP

_NONE = "Nothing that tinykit could mend was found."


class Doctor:
    """All findings; ``ok`` when nothing stands in the way of the course.

    Parameters
    ----------
    findings : iterable of Finding
    mended : iterable of Finding
        What was done about an earlier report, and how it went.
    """

    def __init__(self, findings, mended=()):
        self.findings, self.mended = tuple(findings), tuple(mended)

    @property
    def ok(self) -> bool:
        """Whether there is no finding that stands in the way."""
        return all(f.state != "bad" for f in self.findings)

    @property
    def remedies(self) -> list[Finding]:
        """The findings that tinykit can do something about."""
        return [f for f in self.findings if f.remedy is not None]

    def __getitem__(self, name: str) -> Finding:
        """The first finding of a name, as ``report["busy"]``; KeyError if there is none."""
        for f in self.findings:
            if f.name == name:
                return f
        raise KeyError(name)

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.findings)

    def mend(self, ask=None, tell=print) -> Doctor:
        """Do what can be done about the findings, each after asking; then look again.

        Parameters
        ----------
        ask : callable, optional
            Question -> whether to do it. Default: asks you (in a notebook below the cell).
        tell : callable
            Called with lines on how it goes.

        Returns
        -------
        Doctor
            How things stand afterwards, with what was ``mended``. Nothing that fails raises: it is a finding.
        """
        mended = []
        for f in self.remedies:
            if not (ask or _ask)(f"{f.what}: {f.found}.\n{f.remedy.offer}?"):
                continue
            try:
                done = f.remedy.act(tell)
            except (TinykitError, OSError) as error:
                done = _failed(error, f.what, "not_mended", f.port)
            tell(f"{done.what}: {done.found}" + (f". Next: {done.next}" if done.next else ""))
            mended.append(done)
        if not self.remedies:
            tell(_NONE)
        if not mended:
            return Doctor(self.findings)
        try:
            return Doctor(_look(), mended)
        except (TinykitError, OSError) as error:
            return Doctor([*self.findings, _failed(error, "second look", "not_looked")], mended)

    def as_dict(self) -> dict:
        """For JSON."""
        done = {"mended": [f.as_dict() for f in self.mended]} if self.mended else {}
        return {"ok": self.ok, "findings": [f.as_dict() for f in self.findings], **done}

    @property
    def _pictured(self) -> bool:
        return any(f.picture == "double_tap" for f in (*self.mended, *self.findings))

    @property
    def _certain(self) -> bool:
        """Whether pressing reset twice is what to do; most who have no board attached have none."""
        return any(f.picture and f.state == "bad" for f in (*self.mended, *self.findings))

    def _verdict(self) -> str:
        return "ready for the course" if self.ok else "something stands in the way"

    def __repr__(self) -> str:
        rows = [line for f in self.mended for line in _lines(f, "done" if f.state == "ok" else f.state)]
        rows += [line for f in self.findings for line in _lines(f, f.state)]
        if self._certain:
            rows += ["", "Pressing reset twice:", DOUBLE_TAP.strip("\n")]
        more = ""
        if self.remedies:
            more = "; `tinykit doctor --mend` or tk.doctor(mend=True) offers to mend it"
        return "\n".join([*rows, "", self._verdict() + more])

    def _repr_html_(self) -> str:
        rows = [_row(f) for f in (*self.mended, *self.findings)]
        body = look.table(rows, head=("looked at", "found"), raw=True)
        state = look.state("ok", "ready") if self.ok else look.state("bad", "not ready")
        if self._pictured:
            shown = " open" if self._certain else ""
            body += (
                f'<details class="tk-twin"{shown}><summary>Pressing reset twice</summary>{look.double_tap()}</details>'
            )
        mono = look.mono("tk.doctor(mend=True)")
        foot = look.Html(f"{mono} does what “Mend” says, after asking") if self.remedies else ""
        return look.card("Set-up", self._verdict(), body, foot, state=state)


def _failed(error: Exception, what: str, name: str, port: str = "") -> Finding:
    """Something that was tried and raised."""
    said = error.what.rstrip(".") if isinstance(error, TinykitError) else f"{type(error).__name__}: {error}"
    way = getattr(error, "next", "") or "Run the doctor again; if this comes back, send this line to the project."
    return Finding(what, "bad", said, way, name, port, "double_tap" if "twice" in way else "")


def _row(f: Finding) -> tuple:
    lines = [("", f.found), ("Next:", f.next), ("Mend:", f.remedy.offer if f.remedy else "")]
    return look.state(f.state, f.what), "".join(_wrapped(*line) for line in lines if line[1])


def _wrapped(head, text) -> str:
    # Cells don't wrap by themselves, and the list of packages is long.
    bold = f"<b>{head}</b> " if head else ""
    return f'<div style="white-space:normal;overflow-wrap:anywhere">{bold}{look.esc(text)}</div>'


def _lines(f: Finding, state: str):
    yield textwrap.fill(f"{state:<5}{f.what:<15}{f.found}", 110, subsequent_indent=" " * 20, break_long_words=False)
    if f.next:
        yield textwrap.fill(f"Next: {f.next}", 110, initial_indent=" " * 20, subsequent_indent=" " * 20,
                            break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _ask(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, NotImplementedError):  # nobody is there to answer; the latter is IPython's word for it
        return False


def doctor(mend: bool = False) -> Doctor:
    """Look at Python, the packages, the compiler, the virtual board, arduino-cli, and each board on USB.

    Nothing is changed but the build cache, and nothing is asked of the network, unless you agree to it. The
    first call builds the firmware, which takes some seconds; a board on USB takes about six.

    Parameters
    ----------
    mend : bool
        Offer to mend what can be mended, one question each, and look again.

    Returns
    -------
    Doctor
    """
    report = Doctor(_look())
    if not mend:
        return report
    _show(report)
    return report.mend()


def _show(report: Doctor) -> None:
    """Now, not at the cell's end: the questions are about it."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import display

        display(report)
    else:
        print(report)


def _look() -> list[Finding]:
    from ..board.arduino_checkup import arduino
    from ..board.checkup import on_usb

    return [_python(), *_packages(), _core(), _virtual_board(), *arduino(), *on_usb()]


def _python() -> Finding:
    version = platform.python_version()
    found = f"Python {version}, {platform.system()} {platform.machine()}"
    if (3, 10) <= sys.version_info[:2] <= (3, 12):
        return Finding("Python", "ok", found, name="python")
    way = "Use Python 3.10, 3.11 or 3.12; TensorFlow has no package for this one."
    return Finding("Python", "bad", found, way, "python")


def _packages():
    course = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "tensorflow", "tf_keras",
              "tensorflow-model-optimization", "scikit-learn")  # fmt: skip
    found, missing = [], []
    for name in course:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        way = "Run python kit.py env, or make env."
        yield Finding("packages", "bad", "missing: " + ", ".join(missing), way, "packages")
    else:
        yield Finding("packages", "ok", ", ".join(found), name="packages")


def _core() -> Finding:
    from ..features import load_core

    try:
        load_core()
    except (TinykitError, OSError) as error:
        way = "Run python kit.py env; it brings the compiler (ziglang)."
        return Finding("device core", "bad", str(error), way, "core_failed")
    return Finding("device core", "ok", "compiled for this computer", name="device_core")


def _virtual_board() -> Finding:
    from ..board import connect

    try:
        with connect("virtual://nano33ble/doctor?flash=memory") as board:
            info = board.info
    except (TinykitError, OSError) as error:
        way = "Send this line to the project; the lessons need it."
        return Finding("virtual board", "bad", str(error), way, "virtual_failed")
    return Finding("virtual board", "ok", f"answers, firmware {info.firmware}: {info.size_in_words}", name="virtual")
