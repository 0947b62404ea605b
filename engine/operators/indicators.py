"""Indicators: TA-Lib on numpy arrays, with the seeds that traders' charts use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from engine.dsl import Kind, Number, OperatorSet, Series, operator
from engine.errors import DslError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SET: Final = OperatorSet(
    "indicators", "Series computed from series; the newest value is the last one, warm-up is dropped."
)

_NUMBERS: Final = frozenset({int, float, bool, Decimal})
_MACD_CLASSIC: Final = (12, 26)


def _needs(extra: int, parameter: str = "period") -> Callable[[Mapping[str, Any]], int]:
    """Return the window of an indicator that needs one period and some candles before."""
    return lambda arguments: int(arguments[parameter]) + extra


def floats(data: Series) -> Floats:
    """Return a list or series as float64 array, without a copy where possible.

    Raises:
        DslError: an item is not a number.
    """
    import numpy as np  # numpy and TA-Lib take 0.3 s to import; only indicators need them

    if isinstance(data, list):
        for index, item in enumerate(data):
            if type(item) not in _NUMBERS:
                raise DslError(f"item {index} is {item!r}; an indicator takes numbers only")
    return np.ascontiguousarray(data, dtype=np.float64)


def whole_period(period: Number, values: Floats, *, extra: int = 0) -> int:
    """Return a period as whole number of candles.

    Raises:
        DslError: it is below 1, or longer than the data.
    """
    whole = int(period)
    if whole < 1:
        raise DslError(f"a period of {period}; it must be at least 1")
    if whole + extra > len(values):
        raise DslError(f"a period of {whole} needs {whole + extra} values, and there are {len(values)}")
    return whole


@operator(SET, kind=Kind.PURE, window=_needs(1), example="rsi(close('BTC/USDT', '4h'), 14)[-1]")
def rsi(data: Series, period: Number) -> Series:
    """Relative strength index in Wilder's smoothing, 0 to 100; null while the data is flat.

    Args:
        data: prices, oldest first.
        period: number of candles.
    """
    import numpy as np
    import talib

    values = floats(data)
    whole = whole_period(period, values, extra=1)
    if whole == 1:
        step = np.diff(values)
        with np.errstate(invalid="ignore"):
            strength: Floats = np.where(step > 0, 100.0, 0.0) / (step != 0)
        return strength
    result: Floats = talib.RSI(values, whole)[whole:]
    if values[whole] == values[0]:
        # TA-Lib says 0 where nothing has moved yet, and there is no strength to measure.
        moved = int((values != values[0]).argmax()) or len(values)
        result[: max(0, moved - whole)] = np.nan
    return result


@operator(SET, kind=Kind.PURE, window=_needs(0), example="ma(close('BTC/USDT', '4h'), 50)[-1]")
def ma(data: Series, period: Number) -> Series:
    """Simple moving average.

    Args:
        data: values, oldest first.
        period: number of candles.
    """
    import talib

    values = floats(data)
    whole = whole_period(period, values)
    average: Floats = values.copy() if whole == 1 else talib.SMA(values, whole)[whole - 1 :]
    return average


@operator(SET, kind=Kind.PURE, window=_needs(0), example="ema(close('BTC/USDT', '4h'), 20)[-1]")
def ema(data: Series, period: Number) -> Series:
    """Exponential moving average, seeded by the first value; as long as the data.

    Args:
        data: values, oldest first.
        period: number of candles; the newest one weighs 2 / (period + 1).
    """
    values = floats(data)
    return _ema(values, whole_period(period, values))


def _ema(values: Floats, period: int) -> Floats:
    import talib

    if period == 1:
        return values.copy()
    # TA-Lib seeds with the mean of one period; of a period of equal values that is the first value.
    averaged: Floats = talib.EMA(_led_in(values, period - 1), period)[period - 1 :]
    return averaged


def _led_in(values: Floats, count: int) -> Floats:
    """Return the values after `count` repetitions of the first one."""
    import numpy as np

    led = np.empty(len(values) + count)
    led[:count] = values[0]
    led[count:] = values
    return led


@operator(
    SET,
    kind=Kind.PURE,
    window=_needs(0),
    example="vwma(close('BTC/USDT', '4h'), volume('BTC/USDT', '4h'), 20)[-1]",
)
def vwma(data: Series, volume: Series, period: Number) -> Series:
    """Moving average weighted by volume; null where nothing was traded.

    Args:
        data: values, oldest first.
        volume: weight of each value.
        period: number of candles.
    """
    import numpy as np
    import talib

    values, weights = floats(data), floats(volume)
    if len(values) != len(weights):
        raise DslError(
            f"{len(values)} values and {len(weights)} volumes; both must be as many",
            code="invalid_parameters",
        )
    whole = whole_period(period, values)
    if whole == 1:
        return values.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        averaged: Floats = talib.SUM(values * weights, whole) / talib.SUM(weights, whole)
    return averaged[whole - 1 :]


@operator(
    SET, kind=Kind.PURE, window=_needs(0, "long"), example="macd(close('BTC/USDT', '4h'), 12, 26, 9)[-1]"
)
def macd(data: Series, short: Number, long: Number, signal: Number) -> Series:
    """Histogram of moving average convergence and divergence: the difference of two EMAs minus its own EMA.

    With the periods 12 and 26 the factors are the classic 0.15 and 0.075.

    Args:
        data: prices, oldest first.
        short: period of the faster average.
        long: period of the slower average.
        signal: period of the average of their difference.
    """
    values = floats(data)
    fast, slow, smooth = int(short), whole_period(long, values), int(signal)
    if not 1 <= fast <= slow or smooth < 1:
        raise DslError(
            f"periods of {fast}, {slow} and {smooth}; all must be at least 1 and the first at most the second"
        )
    is_classic = (fast, slow) == _MACD_CLASSIC
    line = _classic_macd(values) if is_classic else _ema(values, fast) - _ema(values, slow)
    return line[slow - 1 :] - _ema(line[slow - 1 :], smooth)


def _classic_macd(values: Floats) -> Floats:
    import talib

    lead = _MACD_CLASSIC[1] - 1
    line: Floats = talib.MACDFIX(_led_in(values, lead), signalperiod=1)[0][lead:]
    return line
