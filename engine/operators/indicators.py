"""Indicators: TA-Lib on numpy arrays, with the seeds that traders' charts use.

A value that is missing (NaN or infinite) is never computed with. An indicator of windows is null where its
window holds one. One with a memory (`rsi ema macd atr`) begins anew behind it, and is null until its warm-up
has passed again; TA-Lib itself answers 0 there, or nothing ever after.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from engine.dsl import Kind, Number, OperatorSet, Series, operator
from engine.errors import DslError, invalid_parameters
from engine.lazy_import import LazyModule
from engine.operators.examined import Examined
from engine.operators.strength import careful_rsi
from engine.operators.windows import (
    by_runs,
    deviation_of,
    highest_of,
    is_whole,
    known,
    lowest_of,
    mean_of,
)

if TYPE_CHECKING:
    import numpy as np
    import talib
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
else:
    # Both take 0.3 s to import, and only indicators need them.
    np = LazyModule("numpy")
    talib = LazyModule("talib")

SET: Final = OperatorSet(
    "indicators", "Series computed from series; the newest value is the last one, warm-up is dropped."
)

_EMA_PERIODS: Final = 10
_WILDER_PERIODS: Final = 20
"""Periods that a recursive average runs over for its newest value. What lies before them weighs
(1 - 2 / (n + 1)) ** 10n in an EMA of n candles and (1 - 1 / n) ** 20n in Wilder's, which is 2.1e-9 at most:
prices a hundred times as high back then move the newest value by less than a millionth."""

_NUMBERS: Final = frozenset({int, float, bool, Decimal})
_MACD_CLASSIC: Final = (12, 26)

_SOUND_FOR_RSI: Final = Examined()
_SOUND_FOR_MA: Final = Examined()

_WIDE: Final = 1e6
"""Where averages differ by this factor, what rounding leaves of the largest value shows in a running sum."""


def _needs(extra: int, parameter: str = "period") -> Callable[[Mapping[str, Any]], int]:
    """Return the window of an indicator that needs one period and some candles before."""
    return lambda arguments: int(arguments[parameter]) + extra


def _decays(periods: int, *parameters: str, extra: int = 0) -> Callable[[Mapping[str, Any]], int]:
    """Return the window of an indicator that never quite forgets: so many times its periods."""

    def window(arguments: Mapping[str, Any]) -> int:
        return periods * sum(max(int(arguments[parameter]), 1) for parameter in parameters) + extra

    return window


def floats(data: Any) -> Floats:
    """Return a list or series as float64 array; a series is one already.

    Raises:
        DslError: an item is not a number.
    """
    if isinstance(data, list):
        for index, item in enumerate(data):
            if type(item) not in _NUMBERS:
                raise DslError(f"item {index} is {item!r}; an indicator takes numbers only")
        data = np.array(data, dtype=np.float64)
    values: Floats = data
    return values


def for_period(data: Any, period: Number, extra: int = 0) -> tuple[Floats, int]:
    """Return data as array, and a period as whole number of candles.

    Args:
        data: a list or series.
        period: number of candles; a fraction is cut off.
        extra: how many values are needed besides those of one period.

    Raises:
        DslError: the period is below 1 or longer than the data, or an item is not a number.
    """
    values: Floats = floats(data) if type(data) is list else data
    whole = period if type(period) is int else _whole(period)
    if 1 <= whole <= len(values) - extra:
        return values, whole
    if whole < 1:
        raise DslError(f"a period of {period}; it must be at least 1")
    raise DslError(f"a period of {whole} needs {whole + extra} values, and there are {len(values)}")


def _whole(period: Number) -> int:
    if not math.isfinite(period):
        raise DslError(f"a period of {period}; it must be a number of candles")
    return int(period)


@operator(
    SET,
    kind=Kind.PURE,
    window=_decays(_WILDER_PERIODS, "period", extra=1),
    example="rsi(close('BTC/USDT', '4h'), 14)[-1]",
)
def rsi(data: Series, period: Number) -> Series:
    """Relative strength index in Wilder's smoothing, 0 to 100; null where a whole period did not move.

    Behind a missing value it begins anew, and is null until a period of steps is known again.

    Of candles it runs over 20 periods for its newest value.

    Args:
        data: prices, oldest first.
        period: number of candles.
    """
    values, whole = for_period(data, period, extra=1)
    if whole > 1:
        result: Floats = talib.RSI(values, whole)[whole:]
        if _SOUND_FOR_RSI.knows(values, whole):
            return result
        # What is missing makes it NaN or 0 up to the end, and `argmin` finds a NaN first. Where nothing moves
        # for a period, two values that are half of it apart are equal.
        some = values[:: (whole + 1) // 2]
        if result.item(result.argmin()) > 0 and not np.count_nonzero(some[1:] == some[:-1]):
            _SOUND_FOR_RSI.add(values, whole)
            return result
    return by_runs(lambda run: careful_rsi(run, whole), whole, whole, values)


@operator(SET, kind=Kind.PURE, window=_needs(0), example="ma(close('BTC/USDT', '4h'), 50)[-1]")
def ma(data: Series, period: Number) -> Series:
    """Simple moving average; null where a value of the window is missing.

    Args:
        data: values, oldest first.
        period: number of candles.
    """
    values, whole = for_period(data, period)
    if whole > 1:
        average: Floats = talib.SMA(values, whole)[whole - 1 :]
        if _SOUND_FOR_MA.knows(values, whole):
            return average
        # A running sum is NaN behind what is missing, as `argmin` finds, and keeps a rest of what was large.
        low, high = average.item(average.argmin()), average.item(average.argmax())
        if low > 0 and high < _WIDE * low:
            _SOUND_FOR_MA.add(values, whole)
            return average
    return mean_of(values, whole)


@operator(
    SET,
    kind=Kind.PURE,
    window=_decays(_EMA_PERIODS, "period"),
    example="ema(close('BTC/USDT', '4h'), 20)[-1]",
)
def ema(data: Series, period: Number) -> Series:
    """Exponential moving average, seeded by the first value; as long as the data.

    Behind a missing value it begins anew, and is null until a period of values is known again.

    Of candles it runs over 10 periods for its newest value.

    Args:
        data: values, oldest first.
        period: number of candles; the newest one weighs 2 / (period + 1).
    """
    values, whole = for_period(data, period)
    if not is_whole(values):
        return by_runs(lambda run: _ema(run, whole), 0, whole - 1, values)
    return _ema(values, whole)


def _ema(values: Floats, period: int) -> Floats:
    if period == 1:
        return values.copy()
    # TA-Lib seeds with the mean of one period; of a period of equal values that is the first value.
    averaged: Floats = talib.EMA(_led_in(values, period - 1), period)[period - 1 :]
    return averaged


def _led_in(values: Floats, count: int) -> Floats:
    """Return the values after `count` repetitions of the first one."""
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
    """Moving average weighted by volume; null where nothing was traded, or a value of the window is missing.

    Args:
        data: values, oldest first.
        volume: weight of each value.
        period: number of candles.
    """
    values, weights = _aligned(data, volume)
    values, whole = for_period(values, period)
    return mean_of(values, whole, weights)


@operator(
    SET,
    kind=Kind.PURE,
    window=_decays(_EMA_PERIODS, "long", "signal"),
    example="macd(close('BTC/USDT', '4h'), 12, 26, 9)[-1]",
)
def macd(data: Series, short: Number, long: Number, signal: Number) -> Series:
    """Histogram of moving average convergence and divergence: the difference of two EMAs minus its own EMA.

    With the periods 12 and 26 the factors are the classic 0.15 and 0.075. Behind a missing value it begins
    anew, and is null until the slower period and that of the signal have passed again.

    Of candles it runs over 10 times `long` and `signal` together for its newest value.

    Args:
        data: prices, oldest first.
        short: period of the faster average.
        long: period of the slower average.
        signal: period of the average of their difference.
    """
    values, slow = for_period(data, long)
    fast, smooth = _whole(short), _whole(signal)
    if not 1 <= fast <= slow or smooth < 1:
        raise DslError(
            f"periods of {fast}, {slow} and {smooth}; all must be at least 1 and the first at most the second"
        )
    if not is_whole(values):
        return by_runs(lambda run: _macd(run, fast, slow, smooth), slow - 1, slow + smooth - 2, values)
    return _macd(values, fast, slow, smooth)


def _macd(values: Floats, fast: int, slow: int, smooth: int) -> Floats:
    is_classic = (fast, slow) == _MACD_CLASSIC
    line = _classic_macd(values) if is_classic else _ema(values, fast) - _ema(values, slow)
    return line[slow - 1 :] - _ema(line[slow - 1 :], smooth)


def _classic_macd(values: Floats) -> Floats:
    lead = _MACD_CLASSIC[1] - 1
    line: Floats = talib.MACDFIX(_led_in(values, lead), signalperiod=1)[0][lead:]
    return line


@operator(
    SET,
    kind=Kind.PURE,
    window=_decays(_WILDER_PERIODS, "period", extra=1),
    example="atr(high('BTC/USDT', '4h'), low('BTC/USDT', '4h'), close('BTC/USDT', '4h'), 14)[-1]",
)
def atr(high: Series, low: Series, close: Series, period: Number) -> Series:
    """Average true range in Wilder's smoothing, in quote.

    Behind a candle with a missing value it begins anew, and is null until a period of ranges is known again.

    Of candles it runs over 20 periods for its newest value.

    Args:
        high: highest price of each candle.
        low: lowest price of each candle.
        close: last price of each candle.
        period: number of candles.
    """
    highs, lows, closes = _aligned(high, low, close)
    closes, whole = for_period(closes, period, extra=1)
    if not (is_whole(highs) and is_whole(lows) and is_whole(closes)):
        return by_runs(lambda *run: talib.ATR(*run, whole)[whole:], whole, whole, highs, lows, closes)
    result: Floats = talib.ATR(highs, lows, closes, whole)[whole:]
    return result


@operator(
    SET, kind=Kind.PURE, window=_needs(0), example="bollinger(close('BTC/USDT', '4h'), 20)['lower'][-1]"
)
def bollinger(data: Series, period: Number, deviations: Number = 2) -> dict[str, Any]:
    """Bollinger bands: `{"upper": …, "middle": …, "lower": …}`, the middle being the simple moving average.

    Null where a value of the window is missing.

    Args:
        data: prices, oldest first.
        period: number of candles.
        deviations: distance of the outer bands, in standard deviations of one period.
    """
    middle, width = floats(ma(data, period)), floats(stddev(data, period)) * float(deviations)
    return {"upper": middle + width, "middle": middle, "lower": middle - width}


@operator(
    SET,
    kind=Kind.PURE,
    window=lambda arguments: (
        int(arguments["period"]) + int(arguments["smoothing"]) + int(arguments["signal"])
    ),
    example="stochastic(high('BTC/USDT', '4h'), low('BTC/USDT', '4h'), close('BTC/USDT', '4h'))['k'][-1]",
)
def stochastic(
    high: Series, low: Series, close: Series, period: Number = 14, smoothing: Number = 3, signal: Number = 3
) -> dict[str, Any]:
    """Stochastic oscillator, 0 to 100: `{"k": …, "d": …}`; null where the price stood still.

    Null too where a value of a window is missing.

    Args:
        high: highest price of each candle.
        low: lowest price of each candle.
        close: last price of each candle.
        period: number of candles whose range counts.
        smoothing: period of the average that makes `k` of it.
        signal: period of the average of `k` that makes `d`.
    """
    highs, lows, closes = _aligned(high, low, close)
    top, bottom = floats(highest(highs, period)), floats(lowest(lows, period))
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = 100 * (closes[len(closes) - len(top) :] - bottom) / (top - bottom)
    k = ma(raw, smoothing)
    return {"k": k, "d": ma(k, signal)}


@operator(SET, kind=Kind.PURE, window=_needs(0), example="highest(high('BTC/USDT', '4h'), 20)[-1]")
def highest(data: Series, period: Number) -> Series:
    """Highest value of each period; null where a value of the window is missing.

    Args:
        data: values, oldest first.
        period: number of candles.
    """
    values, whole = for_period(data, period)
    return highest_of(values, whole)


@operator(SET, kind=Kind.PURE, window=_needs(0), example="lowest(low('BTC/USDT', '4h'), 20)[-1]")
def lowest(data: Series, period: Number) -> Series:
    """Lowest value of each period; null where a value of the window is missing.

    Args:
        data: values, oldest first.
        period: number of candles.
    """
    values, whole = for_period(data, period)
    return lowest_of(values, whole)


@operator(SET, kind=Kind.PURE, window=_needs(0), example="stddev(close('BTC/USDT', '4h'), 20)[-1]")
def stddev(data: Series, period: Number) -> Series:
    """Standard deviation of each period, of the population; null where a value of the window is missing.

    Args:
        data: values, oldest first.
        period: number of candles.
    """
    values, whole = for_period(data, period)
    return deviation_of(values, whole)


@operator(SET, kind=Kind.PURE, window=_needs(1), example="change(close('BTC/USDT', '4h'))[-1]")
def change(data: Series, period: Number = 1) -> Series:
    """Difference of each value to the one a period before; null where one of the two is missing.

    Args:
        data: values, oldest first.
        period: number of candles between the two.
    """
    values, whole = for_period(data, period, extra=1)
    with np.errstate(invalid="ignore", over="ignore"):
        return known(values[whole:] - values[:-whole])


@operator(
    SET,
    kind=Kind.PURE,
    window=lambda _: 2,
    example="crossover(ema(close('BTC/USDT', '4h'), 12), ema(close('BTC/USDT', '4h'), 26))",
)
def crossover(data: Series, other: Series | Number) -> bool:
    """Whether the newest value is above the other one, and the value before was not; False if one is missing.

    Args:
        data: values, oldest first.
        other: a series, or a number that stands still.
    """
    previous, newest = _differences(data, other)
    return previous <= 0 < newest


@operator(SET, kind=Kind.PURE, window=lambda _: 2, example="crossunder(rsi(close('BTC/USDT', '4h'), 14), 30)")
def crossunder(data: Series, other: Series | Number) -> bool:
    """Whether the newest value is below the other one, and the value before was not; False if one is missing.

    Args:
        data: values, oldest first.
        other: a series, or a number that stands still.
    """
    previous, newest = _differences(data, other)
    return newest < 0 <= previous


def _differences(data: Series, other: Series | Number) -> tuple[float, float]:
    """Return the last two differences between a series and another one, or a number."""
    ours = floats(data)
    theirs = floats([other, other] if isinstance(other, int | float | Decimal) else other)
    if len(ours) < 2 or len(theirs) < 2:
        raise DslError("a crossing needs two values of each series")
    with np.errstate(invalid="ignore"):
        previous, newest = known(ours[-2:] - theirs[-2:]).tolist()
    return previous, newest


def _aligned(*columns: Series) -> tuple[Floats, ...]:
    """Return columns of the same candles as arrays.

    Raises:
        DslError: `invalid_parameters`, when they are not equally long.
    """
    arrays = tuple(floats(column) for column in columns)
    if len({len(array) for array in arrays}) > 1:
        lengths = ", ".join(str(len(array)) for array in arrays)
        raise invalid_parameters(f"series of {lengths} values; all must be of the same candles")
    return arrays
