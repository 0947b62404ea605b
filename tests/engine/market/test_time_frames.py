"""The grid of candles: when each closes, and which one an instant is in."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.time_frames import candles_later, closes_at, most_candles, opening
from engine.types import TIME_FRAMES, TimeFrame

MONTH = TimeFrame("1M")
HOUR = 3_600.0


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("opened", "closes"),
    [
        (at(2023, 12, 1), at(2024, 1, 1)),
        (at(2024, 2, 1), at(2024, 3, 1)),
        (at(2023, 2, 1), at(2023, 3, 1)),
        (at(2023, 11, 30, 16), at(2023, 12, 31, 16)),  # months of UTC+8, as some exchanges give them
        (at(2024, 2, 29, 16), at(2024, 3, 31, 16)),
        (at(2023, 12, 1, 8), at(2024, 1, 1, 8)),
        (at(2023, 12, 12, 7), at(2024, 1, 1)),  # listed in the middle of the month
    ],
)
def test_a_month_is_over_when_the_next_one_begins(opened: float, closes: float) -> None:
    assert closes_at(MONTH, opened) == closes
    assert closes_at(MONTH, np.array([opened, opened])).tolist() == [closes, closes]


def test_a_week_begins_where_its_row_says() -> None:
    for begins in (at(2023, 12, 4), at(2023, 12, 3), at(2023, 11, 30)):
        assert closes_at(TimeFrame("1w"), begins) == begins + 7 * 24 * HOUR


@given(
    frame=st.sampled_from(list(TIME_FRAMES)),
    start=st.integers(0, 600).map(lambda months: opening(MONTH, 0.0, months)),
    number=st.integers(0, 500),
    part=st.floats(0, 0.999),
)
def test_the_grid_has_no_gaps(frame: TimeFrame, start: float, number: int, part: float) -> None:
    opened = opening(frame, start, number)
    closes = closes_at(frame, opened)
    inside = opened + part * (closes - opened)
    assert opening(frame, start, number + 1) == closes
    assert opening(frame, closes, -1 - number) == start
    assert candles_later(frame, start, inside) == number
    assert most_candles(frame, start, inside) > number
