"""Networks made smaller: Keras to full int8."""

from .quantize import calibration, quantize

__all__ = ["calibration", "quantize"]
