"""The indicators in plain Python, straight from their definitions: the reference of the tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

Column = Sequence[float]
Answer = list[float] | dict[str, list[float]] | bool

NAN: Final = math.nan


def _known(*values: float) -> bool:
    return all(map(math.isfinite, values))


def _windows(column: Column, period: int) -> Iterator[Column]:
    return (column[end - period : end] for end in range(period, len(column) + 1))


def _of_windows(column: Column, period: int, statistic: Callable[[Column], float]) -> list[float]:
    return [statistic(window) if _known(*window) else NAN for window in _windows(column, period)]


def _mean(window: Column) -> float:
    return math.fsum(window) / len(window)


def ma(data: Column, period: int) -> list[float]:
    return _of_windows(data, period, _mean)


def highest(data: Column, period: int) -> list[float]:
    return _of_windows(data, period, max)


def lowest(data: Column, period: int) -> list[float]:
    return _of_windows(data, period, min)


def stddev(data: Column, period: int) -> list[float]:
    def deviation(window: Column) -> float:
        middle = _mean(window)
        return math.sqrt(_mean([(value - middle) ** 2 for value in window]))

    return _of_windows(data, period, deviation)


def bollinger(data: Column, period: int, deviations: float) -> dict[str, list[float]]:
    middle, width = ma(data, period), [one * deviations for one in stddev(data, period)]
    return {
        "upper": [a + b for a, b in zip(middle, width, strict=True)],
        "middle": middle,
        "lower": [a - b for a, b in zip(middle, width, strict=True)],
    }


def vwma(data: Column, volume: Column, period: int) -> list[float]:
    averages = []
    for values, weights in zip(_windows(data, period), _windows(volume, period), strict=True):
        known = _known(*values, *weights) and any(weights)
        traded = [value * weight for value, weight in zip(values, weights, strict=True)]
        averages.append(math.fsum(traded) / math.fsum(weights) if known else NAN)
    return averages


def change(data: Column, period: int) -> list[float]:
    pairs = zip(data, data[period:], strict=False)
    return [new - old if _known(old, new) else NAN for old, new in pairs]


def stochastic(
    high: Column, low: Column, close: Column, period: int, smoothing: int, signal: int
) -> dict[str, list[float]]:
    raw = []
    for tops, bottoms, last in zip(
        _windows(high, period), _windows(low, period), close[period - 1 :], strict=True
    ):
        known = _known(*tops, *bottoms, last) and max(tops) > min(bottoms)
        raw.append(100 * (last - min(bottoms)) / (max(tops) - min(bottoms)) if known else NAN)
    k = ma(raw, smoothing)
    return {"k": k, "d": ma(k, signal)}


def _runs(*columns: Column) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of candles of which all is known."""
    start = 0
    for index, row in enumerate([*zip(*columns, strict=True), (NAN,)]):
        if not _known(*row):
            if start < index:
                yield start, index
            start = index + 1


def _smoothed(values: Column, factor: float) -> list[float]:
    average = values[0]
    return [average := average + factor * (value - average) for value in values]


def ema(data: Column, period: int) -> list[float]:
    averages = [NAN] * len(data)
    for start, end in _runs(data):
        averages[start:end] = _smoothed(data[start:end], 2 / (period + 1))
        if start > 0:  # behind a hole, one period has to be known
            warm = min(start + period - 1, end)
            averages[start:warm] = [NAN] * (warm - start)
    return averages


def macd(data: Column, short: int, long: int, signal: int) -> list[float]:
    factors = (0.15, 0.075) if (short, long) == (12, 26) else (2 / (short + 1), 2 / (long + 1))
    histogram = [NAN] * len(data)
    for start, end in _runs(data):
        fast, slow = (_smoothed(data[start:end], factor) for factor in factors)
        line = [a - b for a, b in zip(fast, slow, strict=True)][long - 1 :]
        if not line:
            continue
        average = _smoothed(line, 2 / (signal + 1))
        first = signal - 1 if start > 0 else 0
        for index in range(first, len(line)):
            histogram[start + long - 1 + index] = line[index] - average[index]
    return histogram[long - 1 :]


def rsi(data: Column, period: int) -> list[float]:
    strengths = [NAN] * len(data)
    for start, end in _runs(data):
        steps = [new - old for old, new in pairwise(data[start:end])]
        gain = math.fsum(max(step, 0) for step in steps[:period]) / period
        loss = math.fsum(max(-step, 0) for step in steps[:period]) / period
        for index in range(period - 1, len(steps)):
            if index >= period:
                gain = (gain * (period - 1) + max(steps[index], 0)) / period
                loss = (loss * (period - 1) + max(-steps[index], 0)) / period
            if any(steps[index + 1 - period : index + 1]):  # else the price stood still
                strengths[start + index + 1] = 100 * gain / (gain + loss)
    return strengths[period:]


def atr(high: Column, low: Column, close: Column, period: int) -> list[float]:
    averages = [NAN] * len(close)
    for start, end in _runs(high, low, close):
        ranges = [
            max(high[index], close[index - 1]) - min(low[index], close[index - 1])
            for index in range(start + 1, end)
        ]
        if len(ranges) < period:
            continue
        average = _mean(ranges[:period])
        averages[start + period] = average
        for index in range(period, len(ranges)):
            average = (average * (period - 1) + ranges[index]) / period
            averages[start + index + 1] = average
    return averages[period:]


def crossover(data: Column, other: Column) -> bool:
    before, now = data[-2] - other[-2], data[-1] - other[-1]
    return _known(before, now) and before <= 0 < now


def crossunder(data: Column, other: Column) -> bool:
    before, now = data[-2] - other[-2], data[-1] - other[-1]
    return _known(before, now) and now < 0 <= before


DEFINITIONS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        ma, ema, rsi, macd, atr, vwma, bollinger, stochastic, highest, lowest, stddev, change,
        crossover, crossunder,
    )
}  # fmt: skip
