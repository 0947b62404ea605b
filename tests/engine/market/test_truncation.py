"""Nothing that is known at `now` depends on what is recorded of later."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dsl import Defaults
from engine.errors import DslError
from engine.market.recorded import RecordedSource
from engine.types import Symbol, TimeFrame
from tests.support.paper import run_script

BTC = Symbol("BTC/USDT")
HOUR = 3_600
START = datetime(2023, 10, 1, tzinfo=UTC).timestamp()
END = datetime(2024, 2, 6, tzinfo=UTC).timestamp()

Row = tuple[float, float, float, float, float, float]
"""Opening in UNIX seconds, open, high, low, close, volume."""


def month_of(time: float) -> float:
    day = datetime.fromtimestamp(time, UTC)
    return datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()


def week_of(time: float) -> float:
    day = datetime.fromtimestamp(time, UTC)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (midnight - timedelta(days=day.weekday())).timestamp()


def every(hours: int) -> Callable[[float], float]:
    return lambda time: time - time % (hours * HOUR)


GRIDS: dict[str, Callable[[float], float]] = {
    "1h": every(1),
    "4h": every(4),
    "1d": every(24),
    "3d": every(72),
    "1w": week_of,
    "1M": month_of,
}
"""When the candle opened that an instant is in."""


def hours() -> list[Row]:
    dice, price, rows = random.Random(7), 100.0, []
    for number in range(int((END - START) / HOUR)):
        opened, price = price, price * (1 + dice.gauss(0, 0.01))
        rows.append(
            (
                START + number * HOUR,
                opened,
                max(opened, price) * 1.003,
                min(opened, price) * 0.997,
                price,
                1.0,
            )
        )
    return rows


def merged(rows: Sequence[Row], grid: Callable[[float], float]) -> Iterator[Row]:
    """The candles of a longer time frame; one whose beginning is not known is left out."""
    blocks: dict[float, list[Row]] = {}
    for row in rows:
        blocks.setdefault(grid(row[0]), []).append(row)
    for opened, block in blocks.items():
        if block[0][0] == opened:
            _, opens, highs, lows, closes, volumes = zip(*block, strict=True)
            yield opened, opens[0], max(highs), min(lows), closes[-1], sum(volumes)


RECORDED = {name: list(merged(hours(), grid)) for name, grid in GRIDS.items()}


def write(folder: Path, candles: dict[str, list[Row]]) -> Path:
    path = folder / "candles" / "binance"
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in candles.items():
        lines = [f"{int(time * 1_000)},{','.join(map(repr, values))}" for time, *values in rows]
        (path / f"BTC-USDT-{name}.csv").write_text(
            "\n".join(["timestamp,open,high,low,close,volume", *lines]) + "\n"
        )
    return folder


def known(rows: Sequence[Row], name: str, now: float, dice: random.Random | None) -> list[Row]:
    """The rows with everything invented, or gone, that nobody can know at `now`."""
    grid, kept = GRIDS[name], [row for row in rows if row[0] <= now]
    later = [row for row in rows if row[0] > now]
    if grid(now) == kept[-1][0]:
        kept[-1] = invented(kept[-1], dice or random.Random(1), opened=kept[-1][1])
    return kept + ([invented(row, dice) for row in later] if dice else [])


def invented(row: Row, dice: random.Random, opened: float | None = None) -> Row:
    opened = opened or dice.uniform(1, 999)
    return (
        row[0],
        opened,
        opened * dice.uniform(1, 9),
        opened / dice.uniform(1, 9),
        opened,
        dice.uniform(0, 9),
    )


SCRIPTS = [
    "[{column}[-1], {column}[-2]]",
    "ma({column}, 3)[-1]",
    "ema({column}, 2)[-2:]",
    "rsi({column}, 2)[-1]",
    "macd({column}, 1, 2, 2)[-1]",
    "atr(high, low, close, 2)[-1]",
    "vwma({column}, volume, 2)[-1]",
    "bollinger({column}, 2)['upper'][-1]",
    "stochastic(high, low, close, 2, 1, 1)['k'][-1]",
    "[highest({column}, 3)[-1], lowest({column}, 3)[-1], stddev({column}, 2)[-1], change({column})[-1]]",
    "[crossover({column}, 100), crossunder({column}, ma({column}, 2))]",
    "[price, ticker['close'], time[-1], len(close)]",
]


async def everything(folder: Path, names: Sequence[str], since: float, now: float) -> dict[str, Any]:
    """All that can be seen of the market at `now`."""
    source = RecordedSource(folder, "binance")
    bars = await source.history(BTC, since=since, now=now)
    seen: dict[str, Any] = {
        "ticker": (await source.tickers([BTC], now=now))[BTC],
        "history": [
            getattr(bars, name).tolist() for name in ("opened", "closed", "open", "low", "high", "close")
        ],
    }
    for name in names:
        candles = await source.candles(BTC, TimeFrame(name), now=now, count=200)
        seen[name] = candles.table.tolist()
        for script in SCRIPTS:
            text = script.format(column="high")
            try:
                result = (await run_script(text, source, {}, defaults=Defaults(BTC, name), now=now)).value
            except DslError as error:
                result = error.message
            seen[f"{text} {name}"] = str(result)
    return seen


BOUNDARIES = [datetime(2023, 12, 31, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)]
instants = st.one_of(
    st.sampled_from([moment.timestamp() for moment in BOUNDARIES]),
    st.floats(START + 40 * 86_400, END - 40 * 86_400).map(lambda time: time - time % 60),
    st.integers(60, 80).map(lambda day: START + day * 86_400.0),
)


@settings(max_examples=20, deadline=None)
@given(
    names=st.sets(st.sampled_from(sorted(GRIDS)), min_size=1),
    now=instants,
    past=st.floats(0, 30 * 86_400),
    seed=st.one_of(st.none(), st.integers(0, 9)),
)
async def test_what_comes_later_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], now: float, past: float, seed: int | None
) -> None:
    recorded = {name: RECORDED[name] for name in names}
    dice = None if seed is None else random.Random(seed)
    until_now = {name: known(rows, name, now, dice) for name, rows in recorded.items()}
    whole = write(tmp_path_factory.mktemp("whole"), recorded)
    cut = write(tmp_path_factory.mktemp("cut"), until_now)

    expected = await everything(cut, sorted(names), now - past, now)
    assert await everything(whole, sorted(names), now - past, now) == expected


async def test_december_is_not_over_on_its_last_day(tmp_path: Path) -> None:
    """A month counted as 30 days has shown the close and the high of December a day early."""
    folder = write(tmp_path, {"1M": RECORDED["1M"]})
    source, last_day = RecordedSource(folder, "binance"), datetime(2023, 12, 31, tzinfo=UTC).timestamp()
    december = await source.candles(BTC, TimeFrame("1M"), now=last_day, count=1)
    opened = december.open[-1]
    assert (december.high[-1], december.close[-1]) == (opened, opened)
    assert len(await source.history(BTC, since=last_day - 86_400, now=last_day)) == 0


async def test_a_month_or_a_week_is_put_together_of_what_happened_in_it(tmp_path: Path) -> None:
    """A week that began in November does not say what of it was in December."""
    now = datetime(2023, 12, 20, 5, tzinfo=UTC).timestamp()
    for names in (["1M", "1d"], ["1M", "1w", "1h"], ["1M", "3d", "1h"]):
        folder = write(tmp_path / "-".join(names), {name: RECORDED[name] for name in names})
        month = await RecordedSource(folder, "binance").candles(BTC, TimeFrame("1M"), now=now, count=1)
        until = now - now % (86_400 if "1d" in names else HOUR)
        inside = [row for row in RECORDED["1h"] if month_of(now) <= row[0] < until]
        assert month.high[-1] == pytest.approx(max(row[2] for row in inside))
    folder = write(tmp_path / "weeks", {name: RECORDED[name] for name in ("1M", "1w")})
    month = await RecordedSource(folder, "binance").candles(BTC, TimeFrame("1M"), now=now, count=1)
    assert set(month.table[1:5, -1]) == {month.open[-1]}
