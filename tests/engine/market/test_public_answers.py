"""Any field of a public answer may be null, empty or nonsense: what is none is left out; nothing raises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.market.public_answers import readable_rows, ticker_of
from engine.types import Symbol

BTC = Symbol("BTC/USDT")
GOOD: list[Any] = [1_700_000_000_000, "100", 101.0, 99, 100.5, 7]
NONSENSE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def test_a_row_is_read_and_its_time_is_in_seconds() -> None:
    assert list(readable_rows([GOOD])) == [(1_700_000_000.0, 100.0, 101.0, 99.0, 100.5, 7.0)]


@given(field=st.integers(0, 5), value=NONSENSE)
def test_a_candle_with_nonsense_is_a_hole_and_the_others_are_read(field: int, value: Any) -> None:
    broken = [*GOOD]
    broken[0] += 60_000
    broken[field] = value
    rows = readable_rows([GOOD, broken])
    assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in rows)
    assert len(rows) in (1, 2)


@given(answer=st.one_of(NONSENSE, st.lists(NONSENSE)))
def test_whatever_comes_instead_of_candles_is_none(answer: Any) -> None:
    assert list(readable_rows(answer)) == []


@given(answer=st.one_of(NONSENSE, st.dictionaries(st.sampled_from(["last", "bid", "high"]), NONSENSE)))
def test_a_ticker_has_a_price_above_zero_or_is_none(answer: Any) -> None:
    ticker = ticker_of(BTC, answer, 1.0)
    assert ticker is None or ticker.close > 0


def test_a_ticker_is_read() -> None:
    ticker = ticker_of(BTC, {"last": "100.5", "bid": None, "ask": 101, "baseVolume": 0}, 1.0)
    assert ticker is not None
    assert (ticker.close, ticker.bid, ticker.ask) == (Decimal("100.5"), None, Decimal(101))
