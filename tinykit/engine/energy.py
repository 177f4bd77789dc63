"""Energy of an answer, and days on a battery, from data-sheet figures: estimated, never measured here.

nRF52840 product specification v1.1, section 5.2.1 (3 V, 25 °C, DC/DC regulator, cache on): ICPU0, the
processor running CoreMark from flash at 64 MHz, 3.3 mA; ION_RAMON_RTC, sleeping with all RAM kept until
the timer wakes it, 3.16 µA. The current hardly depends on what is computed, so energy is time.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from ..errors import ModelError
from ..look import number
from .cortex import CLOCK_HZ

VOLTS = 3.0
ACTIVE_MA, SLEEP_MA = 3.3, 3.16e-3
ACTIVE_WATTS = ACTIVE_MA * 1e-3 * VOLTS

# What is assumed wherever cycles, milliseconds or microjoules are shown.
ASSUMED_TIME = (
    "instructions are counted on an emulated Cortex-M4F; cycles follow from them by Arm's timing table "
    "(Cortex-M4 TRM r0p1, 3.3.1): expect the truth within about 10 %",
    "clock 64 MHz; zero wait states: code and weights as if always in the nRF52840's flash cache",
    "one answer, from the input in RAM to the output in RAM; reading a sensor, USB and radio are not counted",
)
ASSUMED_ENERGY = (
    "energy: estimated cycles at 3.3 mA and 3.0 V (nRF52840 product specification v1.1, section 5.2.1, ICPU0: "
    "CoreMark from flash, cache on, DC/DC regulator, HFXO)",
    "not in the energy: sensors, radio, LEDs, USB, the board's voltage regulator, sleep between answers",
)


@dataclass(frozen=True)
class Battery:
    """A battery by name: capacity in mAh as its data sheet states it, and where that stands."""

    name: str
    mah: float
    source: str


BATTERIES = {
    "cr2032": Battery("CR2032", 235, "Energizer CR2032 data sheet: 235 mAh to 2.0 V at 0.2 mA; less at 3 mA"),
    "2xaa": Battery("two alkaline AA", 2500, "Energizer E91 data sheet: about 2,500 mAh at 25 mA; two in series, 3 V"),
    "lipo400": Battery("LiPo cell, 400 mAh", 400, "its label; through a linear regulator, so mAh count and not mWh"),
}
# Sensor -> current in mA, and where that stands.
SENSORS = {
    "mic": (0.65, "microphone 0.65 mA (MP34DT05/06 data sheet, normal mode)"),
    "imu": (4.6, "IMU 4.6 mA (LSM9DS1 data sheet, normal mode: gyroscope 4.0 mA, and 0.6 mA that include the "
                 "unused magnetometer)"),
}  # fmt: skip


@dataclass(frozen=True)
class Lifetime:
    """How long a battery lasts, estimated.

    Parameters
    ----------
    battery : Battery
    every_s : float
        Seconds from one answer to the next.
    duty : float
        Share of the time in which the processor runs.
    mean_ma : float
    days : float
    assumptions : tuple of str
    """

    battery: Battery
    every_s: float
    duty: float
    mean_ma: float
    days: float
    assumptions: tuple[str, ...]

    def as_dict(self) -> dict:
        """For JSON."""
        return {**asdict(self), "assumptions": list(self.assumptions)}

    def __str__(self) -> str:
        days = f"{self.days:,.0f} days" if self.days >= 10 else f"{self.days:.1f} days"
        share = f"{100 * self.duty:.0f}" if self.duty >= 0.1 else f"{100 * self.duty:.2g}"
        return (
            f"{days} on {self.battery.name} at an answer every {_span(self.every_s)} (estimated):\n"
            f"  the processor runs {share} % of the time, {self.mean_ma:.3g} mA on average"
        )

    def __repr__(self) -> str:
        return "\n".join([str(self), *(f"  assumed: {text}" for text in self.assumptions)])


def _span(seconds: float) -> str:
    return f"{number(1000 * seconds)} ms" if seconds < 1 else f"{number(seconds)} s"


def lifetime(cycles: float, every_s: float, battery: str = "cr2032", sensor: str | None = None) -> Lifetime:
    """Days on a battery.

    Parameters
    ----------
    cycles : float
        Of one answer.
    every_s : float
        Seconds from one answer to the next.
    battery : str
        A key of ``BATTERIES``.
    sensor : str, optional
        ``"mic"`` or ``"imu"``: on all the time. By default no sensor is counted.

    Raises
    ------
    ModelError
        There is no such battery or sensor, or the answers don't fit into the time.
    """
    known = BATTERIES.get(str(battery).lower())
    if known is None:
        raise ModelError(f"There is no battery {battery!r} here.", f"Take one of {', '.join(BATTERIES)}.")
    if sensor is not None and sensor not in SENSORS:
        raise ModelError(f"There is no sensor {sensor!r} here.", f"Take one of {', '.join(SENSORS)}, or none.")
    duty = cycles / (CLOCK_HZ * every_s) if every_s > 0 else float("inf")
    if not duty <= 1:
        raise ModelError(
            f"An answer takes {1000 * cycles / CLOCK_HZ:.1f} ms (estimated), there is one every "
            f"{1000 * every_s:g} ms: that can't be.",
            f"Ask for an answer every {math.ceil(1000 * cycles / CLOCK_HZ) / 1000:g} s or less often.",
        )
    extra, why = SENSORS[sensor] if sensor else (0.0, "no sensor counted: without one there is nothing to answer to")
    mean = ACTIVE_MA * duty + SLEEP_MA * (1 - duty) + extra
    assumptions = (
        "running 3.3 mA (ICPU0), sleeping 3.16 µA (ION_RAMON_RTC: all RAM kept, wakes by timer), both at 3 V: "
        "nRF52840 product specification v1.1, section 5.2.1",
        why,
        f"{known.name}: {known.mah:g} mAh ({known.source}); no self-discharge",
        "not counted: the board around the chip (a Nano 33 BLE Sense draws more, asleep too: regulator, LED, pull-ups)",
    )
    return Lifetime(known, every_s, duty, mean, known.mah / mean / 24, assumptions)
