"""Networks made smaller: Keras to full int8."""

from .quantize import calibration, quantize, reference_answers

__all__ = ["calibration", "quantize", "reference_answers"]
