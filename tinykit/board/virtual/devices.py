"""What answers at the registers of ``hardware/virtual/tk_virtual.h``.

All of it runs on the emulator's thread, in the middle of an instruction; what host threads touch
too (bytes, the signal source) is guarded by the board's condition.
"""

from __future__ import annotations

from .imu import FIFO, KINDS
from .mic import BUFFER_MOST, GAIN_MOST, KIND
from .registers import registers


class Devices:
    """Registers of one board.

    Parameters
    ----------
    board : VirtualBoard
    """

    def __init__(self, board):
        self._board = board
        r = registers()
        self.base = r["BASE"]
        self._reset_key = r["RESET_KEY"]
        self._reads = {
            r["ID"]: lambda: 0x42564B54,
            r["VERSION"]: lambda: 2,
            r["SEED"]: lambda: board.serial_number,
            r["TIME_LO"]: self._time_low,
            r["TIME_HI"]: lambda: self._time_high,
            r["LINE"]: lambda: int(board.line.open),
            r["RX_AVAILABLE"]: lambda: len(board.line.rx),
            r["RX_TAKEN"]: lambda: self._rx_taken,
            r["TX_SENT"]: lambda: self._tx_sent,
            r["IMU_KIND"]: lambda: 0 if board.faults.dead_sensor else KINDS[board.imu.kind],
            r["IMU_RATE_MHZ"]: lambda: round(board.imu.rate_hz * 1000),
            r["IMU_COUNT"]: self._imu_count,
            r["IMU_POPPED"]: lambda: self._popped,
            r["MIC_KIND"]: lambda: KIND,
            r["MIC_COUNT"]: lambda: board.mic.waiting,
            r["MIC_POP"]: lambda: self._heard,
            r["MIC_INDEX"]: lambda: board.mic.index,
            r["MIC_TIME"]: lambda: board.mic.time_us,
            r["FLASH_STATUS"]: self._flash_status,
            r["CYCLES"]: lambda: board.core.cycles,
            r["INSTRUCTIONS"]: lambda: board.core.instructions,
        }
        self._writes = {
            r["IDLE"]: lambda us: self._wait(us or None, events=True),
            r["SLEEP"]: lambda us: self._wait(us, events=False),
            r["RESET"]: self._reset,
            r["PANIC"]: self._panic,
            r["LED"]: lambda value: setattr(board, "led", value),
            r["RX_ADDRESS"]: lambda value: setattr(self, "_rx_address", value),
            r["RX_TAKE"]: self._rx_take,
            r["TX_ADDRESS"]: lambda value: setattr(self, "_tx_address", value),
            r["TX_SEND"]: self._tx_send,
            r["IMU_ADDRESS"]: lambda value: setattr(self, "_imu_address", value),
            r["IMU_POP"]: self._imu_pop,
            r["MASK"]: self._mask,
            r["MIC_HANDLER"]: lambda value: setattr(board.mic, "handler", value),
            r["MIC_SAMPLES"]: lambda value: setattr(board.mic, "buffer", min(max(value, 1), BUFFER_MOST)),
            r["MIC_GAIN"]: lambda value: setattr(board.mic, "gain", min(value, GAIN_MOST)),
            r["MIC_RATE"]: self._mic_switch,
            r["MIC_ADDRESS"]: lambda value: setattr(self, "_mic_address", value),
            r["MIC_POP"]: self._mic_pop,
            r["FLASH_ADDRESS"]: lambda value: setattr(board.flash, "address", value),
            r["FLASH_SOURCE"]: lambda value: setattr(board.flash, "source", value),
            r["FLASH_WORDS"]: lambda value: setattr(board.flash, "words", value),
            r["FLASH_COMMAND"]: self._flash_command,
        }
        self.start()

    def start(self) -> None:
        """Power-on."""
        self._time_high = 0
        self._rx_address = self._rx_taken = self._tx_address = self._tx_sent = 0
        self._imu_address = self._popped = self._mic_address = self._heard = 0
        self._masked = False

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

    def _time_low(self) -> int:
        now = self._board.clock.now_us
        self._time_high = now >> 32
        return now & 0xFFFFFFFF

    def _reset(self, key: int) -> None:
        if key == self._reset_key:
            self._board.restart_from_inside()

    def _panic(self, address: int) -> None:
        text = self._board.core.read(address, 200).split(b"\0")[0].decode("utf-8", "replace")
        self._board.crash(f"The firmware gave up: {text}.")

    def _wait(self, limit_us, events: bool) -> None:
        board, clock, imu, mic = self._board, self._board.clock, self._board.imu, self._board.mic
        deadline = None if limit_us is None else clock.now_us + limit_us
        with board.condition:
            board.set_booted()
            while not board.interrupted:
                if imu.update(clock.now_us) + mic.update(clock.now_us):
                    board.event = True
                if events and board.event:
                    board.event = False
                    return
                if deadline is not None and clock.now_us >= deadline:
                    return
                if not events and mic.full and not self.masked:
                    return  # to where the interrupt comes; the firmware then sleeps on
                due = [t for t in (imu.next_due_us(), mic.next_due_us(), deadline) if t is not None]
                target = min(due) if due else None
                if clock.paced:
                    wall = clock.wall_us()
                    if target is not None and wall >= target:
                        clock.advance_to(target)
                        continue
                    board.rest(None if target is None else clock.wall_seconds(target - wall))
                    clock.advance_to(min(clock.wall_us(), target if target is not None else float("inf")))
                elif target is not None and board.may_advance(target, sleeping=not events):
                    clock.advance_to(target)
                else:
                    board.rest(None)
            # Not taken by the firmware: what comes must be seen the next time.
            board.core.stop()

    def _mask(self, value: int) -> None:
        self._masked = bool(value)
        self._board.arm()

    # -- serial port ----------------------------------------------------------------------------

    def _rx_take(self, size: int) -> None:
        with self._board.condition:
            data = self._board.line.board_read(size)
        self._board.core.write(self._rx_address, data)
        self._rx_taken = len(data)

    def _tx_send(self, size: int) -> None:
        board = self._board
        with board.condition:
            board.set_booted()
            data = board.core.read(self._tx_address, min(size, board.line.room()))
            board.line.board_write(data, size)
        self._tx_sent = len(data)

    # -- IMU ------------------------------------------------------------------------------------

    def _imu_count(self) -> int:
        board = self._board
        with board.condition:
            board.imu.update(board.clock.now_us)
            return len(board.imu.fifo)

    def _imu_pop(self, count: int) -> None:
        board = self._board
        with board.condition:
            board.imu.update(board.clock.now_us)
            fifo = board.imu.fifo
            samples = [fifo.popleft() for _ in range(min(count, len(fifo), FIFO))]
        board.core.write(self._imu_address, b"".join(samples))
        self._popped = len(samples)

    # -- flash ----------------------------------------------------------------------------------

    @property
    def masked(self) -> bool:
        """Are interrupts held back? While the flash is at work, the core stands still."""
        return self._masked or self._board.flash.busy

    def _flash_command(self, command: int) -> None:
        self._board.flash.command(command)
        self._board.arm()

    def _flash_status(self) -> int:
        status = self._board.flash.status()
        if not self._board.flash.busy:
            self._board.arm()
        return status

    # -- microphone -----------------------------------------------------------------------------

    def _mic_switch(self, rate: int) -> None:
        board = self._board
        with board.condition:
            board.mic.switch(rate, board.clock.now_us)
            board.arm()

    def _mic_pop(self, count: int) -> None:
        data = self._board.mic.pop(count)
        self._board.core.write(self._mic_address, data)
        self._heard = len(data) // 2
