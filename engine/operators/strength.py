"""Relative strength where TA-Lib's own is no answer: over standstills, and for moves too small for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.lazy_import import LazyModule
from engine.operators.windows import moved_of

if TYPE_CHECKING:
    import numpy as np
    import talib
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
else:
    np = LazyModule("numpy")  # both take long to import
    talib = LazyModule("talib")


def careful_rsi(values: Floats, period: int) -> Floats:
    """Return the strength also where TA-Lib says 0 for averages below 1e-14; NaN where nothing has moved."""
    result = talib.RSI(values, period)[period:] if period > 1 else np.zeros(len(values) - 1)
    if result.min() == 0:
        result = _exact_rsi(values, period)
    result[~moved_of(values, period)] = np.nan
    return result


def _exact_rsi(values: Floats, period: int) -> Floats:
    """Return the strength by its definition, in averages of which none is too small to count."""
    steps = (values[1:] - values[:-1]).tolist()
    gain = math.fsum(step for step in steps[:period] if step > 0)
    loss = -math.fsum(step for step in steps[:period] if step < 0)
    keeps = (period - 1) / period
    strengths = []
    for index in range(period - 1, len(steps)):
        if index >= period:
            step = steps[index]
            gain, loss = gain * keeps + max(step, 0.0), loss * keeps + max(-step, 0.0)
        together = gain + loss
        strengths.append(100 * gain / together if together else math.nan)
    return np.array(strengths)
