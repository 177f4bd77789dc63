"""How loud a sound is, and how loud it should be."""

from __future__ import annotations

import numpy as np

# Wanted loudness of the loudest fifth of a second of speech, dB of full scale. Speech Commands' takes lie
# around -20; above -9 a wave with speech's crest of 9 dB and more is cut off.
WANTED_DBFS = (-36.0, -9.0)


def dbfs(samples) -> float:
    """Root mean square in dB of full scale: int16 or float (n,); -120 for silence."""
    x = np.asarray(samples).reshape(-1)
    x = x / 32768.0 if x.dtype == np.int16 else x.astype(np.float64)
    rms = float(np.sqrt(np.mean(x * x))) if len(x) else 0.0
    return max(-120.0, 20 * np.log10(rms)) if rms > 0 else -120.0


def loudest(samples, rate_hz: float, seconds: float = 0.2) -> float:
    """dB of full scale of the loudest stretch of so many seconds."""
    x = np.asarray(samples).reshape(-1)
    n = max(1, round(seconds * rate_hz))
    return max((dbfs(x[i : i + n]) for i in range(0, max(1, len(x) - n + 1), n)), default=-120.0)
