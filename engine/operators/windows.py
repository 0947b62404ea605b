"""Statistics of every window of a series, each made of the values in that window and of nothing else.

TA-Lib carries a sum from window to window: one missing value makes everything behind it NaN, and of one huge
value a rest stays in all sums behind it. Here a window of 2n values is put together from two of n, which
takes log2(period) passes over the series and never subtracts what has left the window.

A value that is missing is NaN or infinite; both become NaN in what is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from engine.lazy_import import LazyModule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]
else:
    np = LazyModule("numpy")  # it takes 0.15 s to import


def is_whole(values: Floats) -> bool:
    """Tell whether no value is missing; also False for values whose squares no float can hold."""
    return math.isfinite(values.dot(values))  # a third of the time of `isfinite` on each value


def known(values: Floats) -> Floats:
    """Return values with NaN for each that is missing."""
    only: Floats = np.where(np.isfinite(values), values, np.nan)
    return only


def whole_runs(*columns: Floats) -> Iterator[tuple[int, int]]:
    """Yield the first index and the one behind the last of each run of candles without a missing value."""
    missing = ~np.logical_and.reduce([np.isfinite(column) for column in columns])
    edges = np.flatnonzero(np.diff(np.concatenate(([True], missing, [True]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def by_runs(compute: Callable[..., Floats], first: int, later: int, *columns: Floats) -> Floats:
    """Compute an indicator with a memory: behind each missing value it begins anew.

    Args:
        compute: from whole columns to one value for each candle but the first `first` ones.
        first: candles of a series that have no value.
        later: candles behind a missing value that have none.
        columns: of the same candles.

    Returns:
        One value for each candle but the first `first` ones.
    """
    length = len(columns[0])
    values = np.full(length, np.nan)
    for start, end in whole_runs(*columns):
        warm = first if start == 0 else max(first, later)
        if end - start > warm:
            made = compute(*(column[start:end] for column in columns))
            values[start + warm : end] = made[warm - first :]
    return known(values[first:])


def highest_of(values: Floats, period: int) -> Floats:
    """Return the highest value of each window."""
    highest: Floats = _of_windows(known(values), period, np.maximum)
    return highest


def lowest_of(values: Floats, period: int) -> Floats:
    """Return the lowest value of each window."""
    lowest: Floats = _of_windows(known(values), period, np.minimum)
    return lowest


def mean_of(values: Floats, period: int, weights: Floats | None = None) -> Floats:
    """Return the mean of each window, NaN where the weights are 0 together."""
    means: Floats = _moments(values, period, weights)[1]
    return means


def deviation_of(values: Floats, period: int) -> Floats:
    """Return the standard deviation of each window, of the population."""
    deviations: Floats = np.sqrt(_moments(values, period)[2] / period)
    return deviations


def moved_of(values: Floats, period: int) -> Mask:
    """Tell for each window of `period` steps whether one of them moved the value."""
    moved: Mask = _of_windows(values[1:] != values[:-1], period, np.logical_or)
    return moved


def _moments(values: Floats, period: int, weights: Floats | None = None) -> Floats:
    """Return weight, mean and sum of squared distances from the mean of each window, as rows."""
    rows = np.zeros((3, len(values)))
    rows[0] = 1.0 if weights is None else known(weights)
    rows[1] = known(values)
    rows[2] = 0 * rows[1]
    with np.errstate(all="ignore"):
        moments = known(_of_windows(rows, period, _together))
    moments[1, ~(abs(moments[0]) > 0)] = np.nan  # of NaN too, where the weights were too large together
    return moments


def _together(left: Floats, right: Floats) -> Floats:
    """Join the moments of two halves of a window.

    T. F. Chan, G. H. Golub, R. J. LeVeque: Updating formulae and a pairwise algorithm for computing sample
    variances (1979). Equal values give exactly their value as mean, and no distance from it.
    """
    weight = left[0] + right[0]
    distance = right[1] - left[1]
    share = np.where(weight == 0, 0.0, right[0] / weight)
    middle = left[1] + distance * share
    return np.stack([weight, middle, left[2] + right[2] + distance * distance * left[0] * share])


def _of_windows(values: Any, period: int, together: Callable[[Any, Any], Any]) -> Any:
    """Return what `together` makes of each window of `period` columns, which it joins by halves."""
    joined, covered = None, 0
    block, size = values, 1
    while True:
        if period & size:
            if joined is None:
                joined = block
            else:
                count = values.shape[-1] - covered - size + 1
                joined = together(joined[..., :count], block[..., covered : covered + count])
            covered += size
        if covered == period:
            return joined
        block = together(block[..., :-size], block[..., size:])
        size *= 2
