"""Operators that are not built in: a z-score of prices, and the hours of a trading session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import numpy as np

from octoflow import Kind, OperatorContext, OperatorSet, Range, Series, Unit, operator

SET = OperatorSet("example", "Operators of the example package.")

Hour = Annotated[int, Range(ge=0, le=24), Unit("hours")]


@operator(
    SET,
    kind=Kind.PURE,
    window=lambda arguments: int(arguments["period"]),
    example="zscore(close('BTC/USDT', '4h'), 20)[-1] < -2",
)
def zscore(data: Series, period: Annotated[int, Range(ge=2), Unit("candles")]) -> Series:
    """How far each value is from the mean of its period, in standard deviations; null while it stands still.

    Args:
        data: values, oldest first.
        period: how many values the mean is taken of.
    """
    values = np.asarray(data, dtype=np.float64)
    if len(values) < period:
        raise ValueError(f"a period of {period} needs as many values, and there are {len(values)}")
    windows = np.lib.stride_tricks.sliding_window_view(values, period)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores: Series = (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1)
    return scores


@operator(SET, kind=Kind.READ, example="in_session(13, 20)")
def in_session(context: OperatorContext, opens: Hour, closes: Hour) -> bool:
    """Whether it is a weekday, and between two hours.

    Args:
        opens: the first hour of the session, UTC.
        closes: the hour at which it is over, UTC.
    """
    now = datetime.fromtimestamp(context.now, UTC)
    return now.weekday() < 5 and opens <= now.hour < closes
