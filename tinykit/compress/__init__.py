"""Networks made smaller: Keras to full int8."""

from .quantize import calibration, convert_untrained, quantize, reference_answers

__all__ = ["calibration", "convert_untrained", "quantize", "reference_answers"]
