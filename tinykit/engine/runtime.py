"""Run a plan on this computer, by the same C sources that the board runs."""

from __future__ import annotations

import ctypes
import threading

import numpy as np

from ..errors import ModelError
from .plan import Plan, compile_network


class _PlanState(ctypes.Structure):
    # tk_plan in hardware/TinyKit/src/tk_plan.h
    _fields_ = [(name, ctypes.c_void_p) for name in ("bytes", "header", "ops")] + [("bad_op", ctypes.c_uint32)]


class _EngineState(ctypes.Structure):
    # tk_engine in hardware/TinyKit/src/tk_engine.h
    _fields_ = [(name, ctypes.c_void_p) for name in ("plan", "arena")]


class Runtime:
    """The C engine, loaded into this process, with one plan.

    Parameters
    ----------
    plan : Plan, bytes or path
        A plan; or an int8 .tflite (bytes or path), which is compiled first.

    Raises
    ------
    ModelError
        The device's own validator refuses the plan; its word for the reason is in the sentence.
    BuildError
        The C core could not be compiled.
    """

    def __init__(self, plan):
        from ..features.core import load_core

        self.plan = plan if isinstance(plan, Plan) else compile_network(plan)
        self._core = _declare(load_core())
        self._lock = threading.Lock()  # one arena
        self._bytes = _aligned(self.plan.bytes)
        self._plan_state, self._engine_state = ctypes.pointer(_PlanState()), ctypes.pointer(_EngineState())
        status = self._core.tk_plan_open(self._plan_state, self._bytes.ctypes.data, self._bytes.nbytes)
        if status:
            bad = self._plan_state.contents.bad_op
            where = f" in op {bad}, {self.plan.ops[bad].name}" if bad < len(self.plan.ops) else ""
            raise ModelError(
                f"The engine refuses the plan of {self.plan.name}: {self._name(status)}{where}.", "Compile it again."
            )
        self._arena = np.zeros(self.plan.arena_bytes // 8 + 2, dtype=np.uint64)
        status = self._core.tk_engine_init(
            self._engine_state, self._plan_state, self._arena.ctypes.data, self._arena.nbytes
        )
        if status:
            raise ModelError(f"The engine can't use its arena: {self._name(status)}.", "Report this as a fault.")
        size = ctypes.c_size_t()
        self._input = self._core.tk_engine_input(self._engine_state, ctypes.byref(size))
        self._input_bytes = size.value
        self._output = self._core.tk_engine_output(self._engine_state, ctypes.byref(size))
        self._output_bytes = size.value

    def _name(self, status: int) -> str:
        return self._core.tk_status_name(status).decode()

    def run(self, x: np.ndarray, reset: bool | None = None) -> np.ndarray:
        """Answers to many examples.

        Parameters
        ----------
        x : numpy.ndarray
            Of the plan's ``input_dtype`` (int8, as a rule), shape (n, ...) with the network's input shape
            behind the first axis (any shape of the same size).
        reset : bool, optional
            For layers with a memory. By default it is as on the board: an LSTM begins each example
            without one, as Keras's does that is not stateful; SVDF goes on from example to example, and
            from call to call (``reset`` forgets). True: all forget before each example. False: none does.

        Returns
        -------
        numpy.ndarray
            Of the plan's ``output_dtype``, shape (n, ...) with the network's output shape.
        """
        x, dtype = np.asarray(x), np.dtype(self.plan.input_dtype)
        if x.dtype != dtype or x.ndim < 1 or int(np.prod(x.shape[1:])) * dtype.itemsize != self._input_bytes:
            raise ModelError(
                f"{self.plan.name} takes {dtype} of shape (n, {', '.join(map(str, self.plan.input_shape))}), "
                f"got {x.dtype} of shape {x.shape}.",
                "Quantise the input by the plan's input_scale and input_zero_point, first axis the examples."
                if self.plan.input_scale
                else f"Give it numbers of {dtype}, first axis the examples.",
            )
        x = np.ascontiguousarray(x).reshape(len(x), self._input_bytes // dtype.itemsize)
        y = np.empty((len(x), self._output_bytes), dtype=np.uint8)
        move = ctypes.memmove
        with self._lock:
            for i in range(len(x)):
                move(self._input, x[i].ctypes.data, self._input_bytes)
                if reset:
                    self._core.tk_engine_reset(self._engine_state)
                status = self._run(reset is False)
                if status:
                    raise ModelError(f"The engine stopped: {self._name(status)}.", "Report this as a fault.")
                move(y[i].ctypes.data, self._output, self._output_bytes)
        return y.view(self.plan.output_dtype).reshape(len(x), *self.plan.output_shape)

    def _run(self, keep: bool) -> int:
        """One example; ``keep``: without the steps that clear a memory."""
        if not keep:
            return self._core.tk_engine_run(self._engine_state)
        for number, layer in enumerate(self.plan.ops):
            if layer.kind != "state":
                status = self._core.tk_engine_step(self._engine_state, number)
                if status:
                    return status
        return 0

    def reset(self) -> None:
        """Forget what earlier examples left behind, as a board does when live mode starts."""
        with self._lock:
            self._core.tk_engine_reset(self._engine_state)

    def inside(self, x: np.ndarray, places) -> list[bytes]:
        """Run one example step by step, and copy pieces of the arena on the way.

        Parameters
        ----------
        x : numpy.ndarray
            One example, of the plan's ``input_dtype``.
        places : sequence of (int, int, int)
            Step after which to look (-1: before the first), offset in the arena, and how many bytes;
            ascending by step.

        Returns
        -------
        list of bytes
            One for each place.
        """
        data, done, found = np.ascontiguousarray(x).tobytes(), 0, []
        if len(data) != self._input_bytes:
            raise ModelError(f"{self.plan.name} takes {self._input_bytes} bytes, got {len(data)}.", "Give one example.")
        with self._lock:
            ctypes.memmove(self._input, data, len(data))
            for step, offset, size in places:
                for number in range(done, step + 1):
                    status = self._core.tk_engine_step(self._engine_state, number)
                    if status:
                        raise ModelError(f"The engine stopped: {self._name(status)}.", "Report this as a fault.")
                done = max(done, step + 1)
                found.append(self._arena.view(np.uint8)[offset : offset + size].tobytes())
        return found

    def __repr__(self) -> str:
        return f"<Runtime {self.plan!r}>"


def _aligned(data: bytes) -> np.ndarray:
    """A copy at an address that is a multiple of 16."""
    room = np.zeros(len(data) + 16, dtype=np.uint8)
    start = -room.ctypes.data % 16
    view = room[start : start + len(data)]
    view[:] = np.frombuffer(data, dtype=np.uint8)
    return view


def _declare(core):
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    core.tk_plan_open.argtypes, core.tk_plan_open.restype = [pointer, pointer, size], ctypes.c_int
    core.tk_engine_init.argtypes, core.tk_engine_init.restype = (
        [pointer, pointer, pointer, size],
        ctypes.c_int,
    )
    for name in ("tk_engine_input", "tk_engine_output"):
        function = getattr(core, name)
        function.argtypes, function.restype = [pointer, ctypes.POINTER(size)], pointer
    for name in ("tk_engine_run", "tk_engine_reset"):
        function = getattr(core, name)
        function.argtypes, function.restype = [pointer], ctypes.c_int
    core.tk_engine_step.argtypes, core.tk_engine_step.restype = [pointer, ctypes.c_uint32], ctypes.c_int
    return core
