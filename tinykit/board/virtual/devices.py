"""What answers at the registers of ``hardware/virtual/tk_virtual.h``.

All of it runs on the emulator's thread, in the middle of an instruction; what host threads touch
too (bytes, the signal source) is guarded by the board's condition.
"""

from __future__ import annotations

import weakref

from .bus import Bus
from .imu import FIFO, KINDS
from .mic import BUFFER, BUFFER_MOST, GAIN, GAIN_MOST, KIND
from .registers import registers

# Registers that the bus serves by itself: what they give was put there, what is written is kept.
_GIVEN = ("TIME_HI", "LINE", "RX_TAKEN", "TX_SENT", "IMU_POPPED", "MIC_COUNT", "MIC_POP", "MIC_INDEX", "MIC_TIME",
          "I2C_STATUS")  # fmt: skip
_KEPT = ("RX_ADDRESS", "TX_ADDRESS", "IMU_ADDRESS", "MIC_HANDLER", "MIC_SAMPLES", "MIC_GAIN", "MIC_ADDRESS",
         "FLASH_ADDRESS", "FLASH_SOURCE", "FLASH_WORDS", "I2C_DEVICE", "I2C_ADDRESS")  # fmt: skip
_BUS = ("TIME_LO", "CYCLES", "INSTRUCTIONS")


class Devices:
    """Registers of one board.

    Parameters
    ----------
    board : VirtualBoard
    """

    def __init__(self, board):
        self._board = board
        self.bus = Bus()
        r = registers()
        self._reset_key = r["RESET_KEY"]
        self._reads = {
            r["ID"]: lambda: 0x42564B54,
            r["VERSION"]: lambda: 3,
            r["SEED"]: lambda: board.serial_number,
            r["RX_AVAILABLE"]: lambda: len(board.line.rx),
            r["IMU_KIND"]: lambda: 0 if board.faults.dead_sensor else KINDS[board.imu.kind],
            r["IMU_RATE_MHZ"]: lambda: round(board.imu.rate_hz * 1000),
            r["IMU_COUNT"]: self._imu_count,
            r["MIC_KIND"]: lambda: KIND,
            r["FLASH_STATUS"]: self._flash_status,
        }
        self._writes = {
            r["IDLE"]: lambda us: self._wait(us or None, events=True),
            r["SLEEP"]: lambda us: self._wait(us, events=False),
            r["RESET"]: self._reset,
            r["PANIC"]: self._panic,
            r["LED"]: lambda value: setattr(board, "led", value),
            r["RX_TAKE"]: self._rx_take,
            r["TX_SEND"]: self._tx_send,
            r["IMU_POP"]: self._imu_pop,
            r["MASK"]: self._mask,
            r["MIC_RATE"]: self._mic_switch,
            r["MIC_POP"]: self._mic_pop,
            r["FLASH_COMMAND"]: self._flash_command,
            r["I2C_WRITE"]: self._i2c_write,
            r["I2C_READ"]: self._i2c_read,
        }
        self.served = {*self._reads, *self._writes, *(r[name] for name in _GIVEN + _KEPT + _BUS)}

    def connect(self, core) -> None:
        """Put the registers before a core."""
        # Weakly, so that a closed board's memory is given back.
        this = weakref.ref(self)
        self.bus.connect(
            core, lambda offset: this().read(offset), lambda offset, value: this().write(offset, value), _GIVEN, _KEPT
        )

    def start(self) -> None:
        """Power-on."""
        for name in _GIVEN + _KEPT:
            self.bus[name] = 0
        self.bus["MIC_SAMPLES"], self.bus["MIC_GAIN"] = BUFFER, GAIN
        self.line_changed()
        self._masked = False

    def line_changed(self) -> None:
        """Something happened on the line: the bus must not answer for it any more."""
        line = self._board.line
        self.bus["LINE"] = int(line.open) | (0 if line.packet is None else 2)
        self.bus.rx_waiting = 1
        self.bus.imu_due_us = 0

    def read(self, offset: int) -> int:
        """Value of the register at an offset; 0 where there is none."""
        if self._board.dying:
            self._board.core.stop()
            return 0
        handler = self._reads.get(offset)
        return handler() if handler else 0

    def write(self, offset: int, value: int) -> None:
        """Write a register; what is not one is ignored."""
        if self._board.dying:  # the rest of a block after power went: nothing happens any more
            self._board.core.stop()
            return
        handler = self._writes.get(offset)
        if handler:
            handler(value)

    # -- system ---------------------------------------------------------------------------------

    def _reset(self, key: int) -> None:
        if key == self._reset_key:
            self._board.restart_from_inside()

    def _panic(self, address: int) -> None:
        text = self._board.core.read(address, 200).split(b"\0")[0].decode("utf-8", "replace")
        self._board.crash(f"The firmware gave up: {text}.")

    def _wait(self, limit_us, events: bool) -> None:
        board, clock, imu, mic = self._board, self._board.clock, self._board.imu, self._board.mic
        now = clock.now_us
        deadline = None if limit_us is None else now + limit_us
        with board.condition:
            board.set_booted()
            while not board.interrupted:
                if imu.update(now) + mic.update(now):
                    self.bus.imu_due_us = 0
                    board.event = True
                if events and board.event:
                    board.event = False
                    return
                if deadline is not None and now >= deadline:
                    return
                if not events and mic.full and not self.masked:
                    return  # to where the interrupt comes; the firmware then sleeps on
                target = deadline
                for due in (imu.next_due_us(), mic.next_due_us()):
                    if due is not None and (target is None or due < target):
                        target = due
                if not clock.paced:
                    if target is not None and board.may_advance(target, sleeping=not events):
                        now = clock.advance_to(target)
                        continue
                    board.rest(None)
                else:
                    wall = clock.wall_us()
                    if target is None or wall < target:
                        board.rest(None if target is None else clock.wall_seconds(target - wall))
                        wall = clock.wall_us()
                    clock.advance_to(wall if target is None else min(wall, target))
                now = clock.now_us
            # Not taken by the firmware: what comes must be seen the next time.
            board.core.stop()

    def _mask(self, value: int) -> None:
        self._masked = bool(value)
        self._board.arm()

    # -- serial port ----------------------------------------------------------------------------

    def _rx_take(self, size: int) -> None:
        with self._board.condition:
            data = self._board.line.board_read(size)
            self.bus.rx_waiting = len(self._board.line.rx)
        self._board.core.write(self.bus["RX_ADDRESS"], data)
        self.bus["RX_TAKEN"] = len(data)

    def _tx_send(self, size: int) -> None:
        board = self._board
        with board.condition:
            board.set_booted()
            data = board.core.read(self.bus["TX_ADDRESS"], min(size, board.line.room()))
            board.line.board_write(data, size)
        self.bus["TX_SENT"] = len(data)

    # -- IMU ------------------------------------------------------------------------------------

    def _imu_count(self) -> int:
        with self._board.condition:
            return self._imu_update()

    def _imu_update(self) -> int:
        """Samples that wait now; the bus knows it until the next is due."""
        board, bus = self._board, self.bus
        board.imu.update(board.clock.now_us)
        bus["IMU_COUNT"] = waiting = len(board.imu.fifo)
        bus.imu_due_us = int(board.imu.next_due_us() or 0)
        return waiting

    def _imu_pop(self, count: int) -> None:
        board = self._board
        with board.condition:
            waiting = self._imu_update()
            fifo = board.imu.fifo
            samples = [fifo.popleft() for _ in range(min(count, waiting, FIFO))]
            self.bus["IMU_COUNT"] = len(fifo)
        board.core.write(self.bus["IMU_ADDRESS"], b"".join(samples))
        self.bus["IMU_POPPED"] = len(samples)

    # -- I2C ------------------------------------------------------------------------------------

    def _i2c_write(self, count: int) -> None:
        board, bus = self._board, self.bus
        data = bytes(board.core.read(bus["I2C_ADDRESS"], count))
        with board.condition:
            bus["I2C_STATUS"] = int(not board.environment.write(bus["I2C_DEVICE"], data, board.clock.now_us))

    def _i2c_read(self, count: int) -> None:
        board, bus = self._board, self.bus
        with board.condition:
            data = board.environment.read(bus["I2C_DEVICE"], count, board.clock.now_us)
        bus["I2C_STATUS"] = int(data is None)
        board.core.write(bus["I2C_ADDRESS"], data or b"")

    # -- flash ----------------------------------------------------------------------------------

    @property
    def masked(self) -> bool:
        """Are interrupts held back? While the flash is at work, the core stands still."""
        return self._masked or self._board.flash.busy

    def _flash_command(self, command: int) -> None:
        flash, bus = self._board.flash, self.bus
        flash.address, flash.source, flash.words = bus["FLASH_ADDRESS"], bus["FLASH_SOURCE"], bus["FLASH_WORDS"]
        flash.command(command)
        self._board.arm()

    def _flash_status(self) -> int:
        status = self._board.flash.status()
        if not self._board.flash.busy:
            self._board.arm()
        return status

    # -- microphone -----------------------------------------------------------------------------

    def _mic_switch(self, rate: int) -> None:
        board, bus = self._board, self.bus
        with board.condition:
            mic = board.mic
            mic.handler = bus["MIC_HANDLER"]
            mic.buffer = min(max(bus["MIC_SAMPLES"], 1), BUFFER_MOST)
            mic.switch(rate, board.clock.now_us)
            bus["MIC_COUNT"] = 0
            board.arm()

    def hand_over(self) -> bool:
        """The microphone's interrupt: its buffer can be popped. False: it stopped instead."""
        mic = self._board.mic
        mic.gain = min(self.bus["MIC_GAIN"], GAIN_MOST)
        handed = mic.hand_over()
        self.bus["MIC_COUNT"] = mic.waiting
        return handed

    def _mic_pop(self, count: int) -> None:
        mic, bus = self._board.mic, self.bus
        data = mic.pop(count)
        self._board.core.write(bus["MIC_ADDRESS"], data)
        bus["MIC_POP"], bus["MIC_COUNT"] = len(data) // 2, mic.waiting
        bus["MIC_INDEX"], bus["MIC_TIME"] = mic.index, mic.time_us
