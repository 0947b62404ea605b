"""Candles and histories of an exchange that answers in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from engine.market.time_frames import opening
from engine.types import Symbol, TimeFrame
from tests.support.public_exchange import Candle, PublicExchange, Shared, serving

BTC = Symbol("BTC/USDT")
HOUR = TimeFrame("1h")
START = 1_700_002_800
NOW = START + 9.5 * 3_600


@pytest.fixture
async def exchange() -> AsyncIterator[PublicExchange]:
    """Ten hourly candles, the last of which runs."""
    async with serving("BTC", "ETH") as served:
        served.candles = [
            ((START + index * 3_600) * 1_000, "100", "110", str(90 + index), str(100 + index), "5")
            for index in range(10)
        ]
        yield served


MINUTE = TimeFrame("1m")


def minutes(count: int, until: float, low: Callable[[int], float] = lambda _: 90.0) -> list[Candle]:
    """Candles of a minute, the last of which runs at `until`."""
    newest = until - until % 60
    return [
        (int(newest - 60 * back) * 1_000, "100", "110", str(low(back)), "100", "5")
        for back in reversed(range(count))
    ]


@pytest.mark.parametrize("page", [50, 300, 1_000])
async def test_candles_are_fetched_page_by_page_until_there_are_enough(
    exchange: PublicExchange, page: int
) -> None:
    exchange.candles, exchange.page = minutes(2_600, NOW), page
    source = Shared(exchange).source()
    candles = await source.candles(BTC, MINUTE, now=NOW, count=1_700)
    every = await source.candles(BTC, MINUTE, now=NOW, count=5_000)
    await source.close()
    assert candles.time.tolist() == [row[0] / 1_000 for row in exchange.candles[-1_700:]]
    assert every.time.tolist() == [row[0] / 1_000 for row in exchange.candles]


async def test_pages_of_an_exchange_that_keeps_no_older_ones_end(exchange: PublicExchange) -> None:
    exchange.candles, exchange.page = minutes(720, NOW), 720
    source = Shared(exchange).source()
    assert len(await source.candles(BTC, MINUTE, now=NOW, count=1_700)) == 720
    await source.close()
    assert exchange.requests["klines"] == 2


async def test_how_many_requests_a_script_can_cause_is_bounded(exchange: PublicExchange) -> None:
    exchange.candles, exchange.page = minutes(20_000, NOW), 50
    source = Shared(exchange).source()
    assert len(await source.candles(BTC, MINUTE, now=NOW, count=10**12)) == 5_000
    await source.close()
    assert exchange.requests["klines"] == 100


async def test_pages_of_months_are_those_of_the_calendar(exchange: PublicExchange) -> None:
    opened = [opening(TimeFrame("1M"), 0.0, 400 + number) for number in range(240)]
    exchange.candles = [(int(time) * 1_000, "100", "110", "90", "100", "5") for time in opened]
    exchange.page = 60
    source = Shared(exchange).source()
    candles = await source.candles(BTC, TimeFrame("1M"), now=opened[-1] + 86_400, count=230)
    await source.close()
    assert candles.time.tolist() == opened[-230:]


async def test_a_hole_in_older_candles_does_not_end_the_pages(exchange: PublicExchange) -> None:
    exchange.page, rows = 300, minutes(2_000, NOW)
    exchange.candles = rows[:700] + rows[800:]
    source = Shared(exchange).source()
    candles = await source.candles(BTC, MINUTE, now=NOW, count=1_500)
    await source.close()
    assert candles.time.tolist() == [row[0] / 1_000 for row in exchange.candles[-1_500:]]


async def test_a_candle_that_another_invocation_saw_open_is_not_seen_before(exchange: PublicExchange) -> None:
    shared = Shared(exchange)
    later, source = shared.source(), shared.source()
    await later.candles(BTC, HOUR, now=START + 9 * 3_600 + 1, count=5)
    candles = await source.candles(BTC, HOUR, now=START + 9 * 3_600 - 1, count=5)
    await later.close()
    await source.close()
    assert candles.time.tolist() == [START + hour * 3_600 for hour in range(4, 9)]


# Histories: what the price did since a settlement.

SPIKE = 40 * 60
"""Minutes before `NOW` at which the price fell for one minute: 40 hours."""


def fallen(page: int, exchange: PublicExchange) -> None:
    exchange.page = page
    exchange.candles = minutes(2_900, NOW, low=lambda back: 50.0 if back == SPIKE else 99.0)
    for name, length in (("5m", 300), ("1h", 3_600), ("1d", 86_400)):
        opened = int(NOW - NOW % length)
        exchange.longer[name] = [
            (
                (opened - length * back) * 1_000,
                "100",
                "110",
                "50" if 0 <= NOW - SPIKE * 60 - (opened - length * back) < length else "99",
                "100",
                "5",
            )
            for back in reversed(range(720))
        ]


@pytest.mark.parametrize("page", [50, 300, 1_000])
@pytest.mark.parametrize("read", [(), (("1d", 200),), (("1m", 5),), (("1h", 400), ("1d", 50), ("1m", 2_000))])
async def test_what_the_price_did_depends_on_neither_page_nor_scripts(
    exchange: PublicExchange, page: int, read: Sequence[tuple[str, int]]
) -> None:
    fallen(page, exchange)
    source = Shared(exchange).source()
    for time_frame, count in read:
        await source.candles(BTC, TimeFrame(time_frame), now=NOW, count=count)

    bars = await source.history(BTC, since=NOW - 45 * 3_600 - 7, now=NOW)

    await source.close()
    assert len(bars) == 45 * 60 + 1
    assert {float(length) for length in bars.closed - bars.opened} == {60}
    assert bars.low.min() == 50
    assert bars.missing == ()


async def test_where_minutes_do_not_reach_back_longer_candles_do(exchange: PublicExchange) -> None:
    """As on an exchange that keeps 720 candles of each time frame."""
    fallen(1_000, exchange)
    exchange.candles = exchange.candles[-720:]
    source = Shared(exchange).source()
    bars = await source.history(BTC, since=NOW - 45 * 3_600, now=NOW)
    await source.close()
    assert {float(length) for length in bars.closed - bars.opened} == {60, 300}
    assert bars.low.min() == 50
    assert bars.missing == ()
    assert exchange.requests["klines"] <= 5


async def test_a_hole_is_filled_from_longer_candles_else_told(exchange: PublicExchange) -> None:
    fallen(1_000, exchange)
    around = range(int(NOW - (SPIKE + 9) * 60), int(NOW - (SPIKE - 9) * 60))
    exchange.candles = [row for row in exchange.candles if row[0] // 1_000 not in around]
    source = Shared(exchange).source()
    filled = await source.history(BTC, since=NOW - 45 * 3_600, now=NOW)
    await source.close()
    assert (filled.low.min(), filled.missing) == (50, ())
    assert filled.without_overlaps().low.min() == 50, "what is settled shows it too"

    exchange.longer = {name: [] for name in ("3m", "5m", "15m", "30m", "1h", "2h", "1d", "1w", "1M")}
    source = Shared(exchange).source()
    told = await source.history(BTC, since=NOW - 45 * 3_600, now=NOW)
    await source.close()
    ((start, end),) = told.missing
    assert start - NOW % 60 <= NOW - SPIKE * 60 < end


async def test_history_is_only_of_candles_that_are_over(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    exchange.candles = [
        (int(NOW - 180 + minute * 60) * 1_000, "1", "2", "0.5", "1", "1") for minute in range(4)
    ]
    bars = await source.history(BTC, since=NOW - 150, now=NOW)
    await source.close()
    assert (bars.closed - NOW).tolist() == [-120, -60, 0]
