"""Recordings with holes: what a longer file shows is never hidden by a shorter one, and a hole is told."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.market.recorded import RecordedSource
from engine.types import Symbol, TimeFrame
from tests.support.builders import Invoked, action, automation, paper
from tests.support.market import HEADER

BTC = Symbol("BTC/USDT")
QUARTER, FOUR_HOURS = 900, 14_400
START = 1_700_006_400
DAYS = 2
LENGTHS = {"15m": QUARTER, "1h": 4 * QUARTER, "4h": FOUR_HOURS}

Candle = tuple[float, float, float, float]


def path_of(seed: int) -> list[Candle]:
    """Quarters of an hour of a random walk: open, high, low, close."""
    chance, price, candles = random.Random(seed), 100.0, []
    for _ in range(DAYS * 96):
        closed = round(price * chance.uniform(0.98, 1.02), 2)
        spread = chance.choice((0.001, 0.001, 0.03))
        high, low = max(price, closed) * (1 + spread), min(price, closed) * (1 - spread)
        candles.append((price, round(high, 2), round(low, 2), closed))
        price = closed
    return candles


def joined(candles: Sequence[Candle], length: int) -> list[Candle]:
    """The same path in longer candles."""
    size = length // QUARTER
    parts = [candles[index : index + size] for index in range(0, len(candles), size)]
    return [
        (part[0][0], max(one[1] for one in part), min(one[2] for one in part), part[-1][3]) for part in parts
    ]


def record(
    folder: Path, time_frame: str, candles: Sequence[Candle], missing: Collection[int] = frozenset()
) -> None:
    path = folder / "candles" / "binance" / f"BTC-USDT-{time_frame}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        ",".join(map(str, ((START + index * LENGTHS[time_frame]) * 1_000, *candle, 1)))
        for index, candle in enumerate(candles)
        if index not in missing
    ]
    path.write_text("".join(f"{line}\n" for line in (HEADER, *lines)))


holes = st.lists(st.tuples(st.integers(0, DAYS * 96 - 1), st.integers(1, 30)), min_size=1, max_size=4).map(
    lambda found: {index for start, length in found for index in range(start, start + length)}
)


@given(seed=st.integers(0, 500), missing=holes, start=st.integers(0, 40), end=st.integers(50, DAYS * 96))
@settings(max_examples=150, deadline=None)
async def test_a_hole_in_a_shorter_file_hides_no_price_that_a_longer_one_shows(
    seed: int, missing: set[int], start: int, end: int
) -> None:
    candles, since, now = path_of(seed), START + start * QUARTER, START + end * QUARTER
    with TemporaryDirectory() as name:
        record(Path(name), "4h", joined(candles, FOUR_HOURS))
        alone = await RecordedSource(Path(name), "binance").history(BTC, since=since, now=now)
        record(Path(name), "15m", candles, missing)
        record(Path(name), "1h", joined(candles, 3_600), {index // 7 for index in missing})
        both = await RecordedSource(Path(name), "binance").history(BTC, since=since, now=now)

    assert (both.opened[1:] >= both.closed[:-1]).all(), "bars lie one after the other"
    for opened, closed, low, high in zip(alone.opened, alone.closed, alone.low, alone.high, strict=True):
        if opened < since:
            continue
        within = (both.opened >= opened) & (both.closed <= closed)
        assert both.low[within].min() == low
        assert both.high[within].max() == high


@given(seed=st.integers(0, 500), missing=holes, depth=st.integers(1, 12), end=st.integers(2, DAYS * 6))
@settings(max_examples=40, deadline=None)
async def test_what_fills_over_the_longer_file_fills_beside_a_shorter_one_with_holes(
    seed: int, missing: set[int], depth: int, end: int
) -> None:
    candles = path_of(seed)

    async def filled(folder: str) -> bool:
        order = action("order", f"limit('buy', 'BTC/USDT', 1, '-{depth}%')")
        invoked = Invoked(paper(automation(order), {"USDT": 1_000}, recorded={"folder": folder}))
        await invoked.invoke(START)
        invoked.state["automation"]["actions_dag"]["actions"].append(action("look", "price('BTC/USDT')"))
        await invoked.invoke(START + end * FOUR_HOURS - 1)
        return bool(invoked.state["automation"]["exchange_account_elements"].get("trades"))

    with TemporaryDirectory() as name:
        record(Path(name), "4h", joined(candles, FOUR_HOURS))
        alone = await filled(name)
        record(Path(name), "15m", candles, missing)
        assert await filled(name) or not alone


async def test_a_candle_that_still_runs_keeps_the_place_of_a_hole_in_shorter_ones(tmp_path: Path) -> None:
    candles = path_of(1)
    record(tmp_path, "15m", candles, {18, 19})  # from 4:30 to 5:00
    record(tmp_path, "4h", joined(candles, FOUR_HOURS))
    source = RecordedSource(tmp_path, "binance")

    running = await source.history(BTC, since=START, now=START + 6 * 3_600)
    over = await source.history(BTC, since=START, now=START + 8 * 3_600)

    assert float(running.closed[-1]) == START + 4 * 3_600
    assert (float(over.opened[-1]), float(over.closed[-1])) == (START + 4 * 3_600, START + 8 * 3_600)


async def test_what_no_file_tells_is_told(tmp_path: Path) -> None:
    record(tmp_path, "15m", path_of(1), {18, 19})
    source = RecordedSource(tmp_path, "binance")

    bars = await source.history(BTC, since=START, now=START + 6 * 3_600)

    assert len(bars) == 22
    assert bars.missing == ((START + 4.5 * 3_600, START + 5 * 3_600),)


async def test_within_a_hole_there_is_no_price_but_an_error_that_names_it(tmp_path: Path) -> None:
    record(tmp_path, "15m", path_of(1), {18, 19})
    source = RecordedSource(tmp_path, "binance")
    named = r"in a hole of .*BTC-USDT-15m\.csv: .* from 2023-11-15T04:30:00Z to 2023-11-15T05:00:00Z"
    with pytest.raises(ConfigurationError, match=named):
        await source.tickers([BTC], now=START + 4.6 * 3_600)
    with pytest.raises(ConfigurationError, match=named):
        await source.candles(BTC, TimeFrame("15m"), now=START + 4.6 * 3_600, count=3)


async def test_candles_that_span_a_hole_are_given(tmp_path: Path) -> None:
    candles = path_of(1)
    record(tmp_path, "15m", candles, {18, 19})
    record(tmp_path, "4h", joined(candles, FOUR_HOURS))
    source = RecordedSource(tmp_path, "binance")

    assert len(await source.candles(BTC, TimeFrame("15m"), now=START + 6 * 3_600, count=200)) == 23
    running = await source.candles(BTC, TimeFrame("4h"), now=START + 6 * 3_600, count=200)
    assert running.volume[-1] == 0, "only the opening is known"
    assert (await source.tickers([BTC], now=START + 4.6 * 3_600))[BTC].close > 0
