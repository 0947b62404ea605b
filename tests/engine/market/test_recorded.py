"""The recorded market: what is known at `now`, and clear words when something is wrong with the files."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.market.recorded import RecordedSource
from engine.market.recordings import list_recorded
from engine.types import Symbol, TimeFrame
from tests.support.market import write_candles

HOUR = 3_600
START = 1_700_000_000 - 1_700_000_000 % (4 * HOUR)
BTC = Symbol("BTC/USDT")
RISING = [(100.0 + index, 105.0 + index, 95.0 + index, 101.0 + index) for index in range(10)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten 4h candles of BTC/USDT: opens 100, 101, …; highs 5 above, lows 5 below, closes 1 above."""
    write_candles(tmp_path, BTC, "4h", RISING, start=START)
    return tmp_path


async def newest(folder: Path, now: float, time_frame: str = "4h") -> list[float]:
    """Open, high, low, close and volume of the last candle known at `now`."""
    source = RecordedSource(folder, "binance")
    candles = await source.candles(BTC, TimeFrame(time_frame), now=now, count=200)
    return [float(value) for value in candles.table[1:, -1]]


async def test_the_running_candle_shows_nothing_but_its_open(folder: Path) -> None:
    assert await newest(folder, START + 6 * HOUR) == [101, 101, 101, 101, 0]


async def test_earlier_candles_are_whole_and_the_oldest_comes_first(folder: Path) -> None:
    candles = await RecordedSource(folder, "binance").candles(
        BTC, TimeFrame("4h"), now=START + 9 * HOUR, count=200
    )
    assert candles.time.tolist() == [START, START + 4 * HOUR, START + 8 * HOUR]
    assert candles.high.tolist() == [105, 106, 102]


async def test_only_as_many_candles_as_asked_for_are_given(folder: Path) -> None:
    candles = await RecordedSource(folder, "binance").candles(
        BTC, TimeFrame("4h"), now=START + 39 * HOUR, count=3
    )
    assert candles.open.tolist() == [107, 108, 109]


async def test_a_shorter_time_frame_says_what_the_running_candle_did_until_now(folder: Path) -> None:
    hours = [(101, 103, 100, 102), (102, 120, 101, 110), (110, 111, 50, 60)]
    write_candles(folder, BTC, "1h", hours, start=START + 4 * HOUR)

    assert await newest(folder, START + 6 * HOUR) == [101, 120, 100, 110, 200]
    assert await newest(folder, START + 6.5 * HOUR) == [101, 120, 100, 110, 200]


async def test_a_shorter_time_frame_that_begins_too_late_is_not_used(folder: Path) -> None:
    write_candles(folder, BTC, "1h", [(102, 120, 101, 110)] * 2, start=START + 5 * HOUR)
    assert await newest(folder, START + 6 * HOUR) == [101, 101, 101, 101, 0]


async def test_the_price_comes_from_the_shortest_time_frame_that_has_now(folder: Path) -> None:
    write_candles(folder, BTC, "1h", [(100, 101, 99, 100), (77, 78, 76, 77)], start=START)
    source = RecordedSource(folder, "binance")

    within_hours = await source.tickers([BTC], now=START + HOUR)
    later = await source.tickers([BTC], now=START + 30 * HOUR)

    assert within_hours[BTC].close == Decimal(77)
    assert later[BTC].close == Decimal(107)


@pytest.mark.parametrize("now", [START - 1, START + 40 * HOUR])
async def test_outside_the_recording_the_error_names_its_range(folder: Path, now: float) -> None:
    with pytest.raises(ConfigurationError, match=r"4h from 2023-11-14T20:00:00Z to 2023-11-16T12:00:00Z"):
        await newest(folder, now)


async def test_a_symbol_or_time_frame_that_is_not_recorded_is_named_with_what_is(folder: Path) -> None:
    source = RecordedSource(folder, "binance")
    with pytest.raises(ConfigurationError, match=r"DOGE/USDT is not recorded .* recorded: BTC/USDT"):
        await source.candles(Symbol("DOGE/USDT"), TimeFrame("4h"), now=START, count=1)
    with pytest.raises(ConfigurationError, match=r"candles of 1d .* recorded: 4h"):
        await source.candles(BTC, TimeFrame("1d"), now=START, count=1)


async def test_a_folder_that_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no recorded market: .*candles.binance"):
        await RecordedSource(tmp_path, "binance").markets()


GOOD = "1700000000000,1,2,0.5,1.5,10"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"line 1: expected the header `timestamp,open,high,low,close,volume`"),
        (["time,open"], r"line 1: expected the header"),
        (["timestamp,open,high,low,close,volume"], r"line 2: expected at least one candle"),
        (["timestamp,open,high,low,close,volume", GOOD, "oops"], r"line 3: expected six finite numbers"),
        (["timestamp,open,high,low,close,volume", GOOD, GOOD[:-1]], r"line 3: expected one candle"),
        (
            ["timestamp,open,high,low,close,volume", "1700000000000,1,0.9,0.5,1.5,10"],
            r"line 2: expected 0 < low ≤ open, close ≤ high and volume ≥ 0, found `1700",
        ),
        (["timestamp,open,high,low,close,volume", "1700000000000,1,nan,0.5,1.5,10"], r"line 2: .* finite"),
        (["timestamp,open,high,low,close,volume", GOOD, "1700003600000,1,2"], r"line 3: expected six"),
    ],
)
async def test_a_corrupt_candle_file_is_named_with_line_and_expectation(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    path = tmp_path / "candles" / "binance" / "BTC-USDT-1h.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(ConfigurationError, match=r"corrupt candle file .*BTC-USDT-1h\.csv, " + message):
        await newest(tmp_path, 1_700_000_000, "1h")


async def test_only_the_file_that_is_used_is_read(folder: Path) -> None:
    (folder / "candles" / "binance" / "ETH-USDT-4h.csv").write_text("not a candle file")
    (folder / "candles" / "binance" / "notes.txt").write_text("left alone")
    assert await newest(folder, START) == [100, 100, 100, 100, 0]


async def test_a_changed_file_is_read_again(folder: Path) -> None:
    assert (await newest(folder, START))[0] == 100
    write_candles(folder, BTC, "4h", [(55, 56, 54, 55)], start=START)
    assert (await newest(folder, START))[0] == 55


async def test_the_recorded_market_list_gives_ticks_whether_packed_or_not(folder: Path) -> None:
    symbol = {
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "filters": [{"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "10", "stepSize": "0.001"}],
    }
    lists = folder / "exchange" / "binance"
    lists.mkdir(parents=True)
    with gzip.open(lists / "exchangeInfo.json.gz", "wt") as file:
        json.dump({"symbols": [symbol]}, file)

    markets = await RecordedSource(folder, "binance").markets()

    assert markets[BTC].amount_tick == Decimal("0.001")


async def test_without_a_market_list_what_is_recorded_trades_without_limits(folder: Path) -> None:
    markets = await RecordedSource(folder, "binance").markets()
    assert list(markets) == [BTC]
    assert not markets[BTC].amount.is_given


async def test_a_corrupt_market_list_is_named(folder: Path) -> None:
    path = folder / "exchange" / "binance" / "markets.json"
    path.parent.mkdir(parents=True)
    path.write_text('[{"base": "BTC"}]')
    with pytest.raises(ConfigurationError, match=r"corrupt market list .*markets\.json"):
        await RecordedSource(folder, "binance").markets()


def test_recordings_are_listed_by_symbol_shortest_time_frame_first(folder: Path) -> None:
    write_candles(folder, BTC, "1h", RISING, start=START)
    write_candles(folder, "ETH/USDT", "1d", RISING, start=START)

    recordings = list_recorded(folder, "binance")

    listed = [(recording.symbol, recording.time_frame) for recording in recordings]
    assert listed == [("BTC/USDT", "1h"), ("BTC/USDT", "4h"), ("ETH/USDT", "1d")]
    assert recordings[0].range() == (START, START + 10 * HOUR)


PERPETUAL = Symbol("BTC/USDT:USDT")


def write_funding(folder: Path, *lines: str) -> RecordedSource:
    path = folder / "funding" / "binance" / "BTC-USDT_USDT.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return RecordedSource(folder, "binance")


async def test_recorded_funding_is_what_came_after_the_last_time_and_up_to_now(tmp_path: Path) -> None:
    rows = [f"{(START + hour * HOUR) * 1_000},0.000{hour}" for hour in range(1, 6)]
    source = write_funding(tmp_path, "timestamp,rate", *rows)
    found = await source.funding(PERPETUAL, since=START + 2 * HOUR, now=START + 4 * HOUR)
    assert [(one.time, str(one.rate)) for one in found] == [
        (START + 3 * HOUR, "0.0003"),
        (START + 4 * HOUR, "0.0004"),
    ]


async def test_without_a_funding_file_there_is_no_funding(folder: Path) -> None:
    assert await RecordedSource(folder, "binance").funding(PERPETUAL, since=0, now=START) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["time,rate", "1,0.1"], "line 1: expected the header `timestamp,rate`, found `time,rate`"),
        ([""], "line 1: expected the header"),
        (["timestamp,rate"], "line 2: expected at least one rate"),
        (["timestamp,rate", f"{START},0.1", "2,0.1"], "line 3: .* found `2,0.1`"),
        (["timestamp,rate", f"{START},nan"], f"line 2: .* found `{START},nan`"),
        (["timestamp,rate", f"{START},1.5"], "line 2: .* between -1 and 1"),
        (["timestamp,rate", f"{START},0.1,3"], "line 2: expected `timestamp,rate`"),
        (
            ["timestamp,rate", f"{START},0.1", "", f"{START}000,0.2"],
            "line 4: expected one rate for each time",
        ),
    ],
)
async def test_a_corrupt_funding_file_is_named_with_its_line(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    source = write_funding(tmp_path, *lines)
    with pytest.raises(ConfigurationError, match=rf"corrupt funding file .*BTC-USDT_USDT.csv, {message}"):
        await source.funding(PERPETUAL, since=0, now=START)


async def history(folder: Path, since: float, now: float) -> list[tuple[float, float]]:
    """When each bar of the period opens and closes, in hours after the start."""
    bars = await RecordedSource(folder, "binance").history(BTC, since=START + since, now=START + now)
    return [
        ((opened - START) / HOUR, (closed - START) / HOUR)
        for opened, closed in zip(bars.opened.tolist(), bars.closed.tolist(), strict=True)
    ]


async def test_history_holds_the_candles_that_closed_in_the_period(folder: Path) -> None:
    assert await history(folder, 5 * HOUR, 17 * HOUR) == [(4, 8), (8, 12), (12, 16)]


async def test_history_refines_the_candles_at_its_ends_with_a_shorter_time_frame(folder: Path) -> None:
    write_candles(folder, BTC, "1h", [(100, 101, 99, 100)] * 8, start=START)
    assert await history(folder, 5 * HOUR, 17 * HOUR) == [
        *((hour, hour + 1) for hour in (5, 6, 7)),
        (8, 12),
        (12, 16),
    ]


async def test_history_uses_the_shortest_time_frame_that_covers_the_whole_period(folder: Path) -> None:
    write_candles(folder, BTC, "1h", [(100, 101, 99, 100)] * 40, start=START)
    assert await history(folder, 5 * HOUR, 8.5 * HOUR) == [(5, 6), (6, 7), (7, 8)]


async def test_a_hole_of_a_short_file_is_filled_from_a_longer_one_else_told(tmp_path: Path) -> None:
    write_candles(tmp_path, BTC, "1h", [(100, 101, 99, 100)] * 8, start=START)
    write_candles(
        tmp_path, BTC, "4h", [(100, 101, 99, 100), (100, 101, 50, 100), (100, 101, 99, 100)], start=START
    )
    path = tmp_path / "candles" / "binance" / "BTC-USDT-1h.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:6], *lines[7:]]) + "\n")  # the hour from 5 to 6 is gone

    source = RecordedSource(tmp_path, "binance")
    bars = await source.history(BTC, since=START + HOUR, now=START + 8 * HOUR)
    assert (bars.low.min(), bars.missing) == (50, ())
    within = zip((bars.opened - START) / HOUR, (bars.closed - START) / HOUR, strict=True)
    assert list(within) == [(1, 2), (2, 3), (3, 4), (4, 8)], "a longer candle stands for its whole length"

    path.with_name("BTC-USDT-4h.csv").unlink()
    bars = await RecordedSource(tmp_path, "binance").history(BTC, since=START + HOUR, now=START + 8 * HOUR)
    assert bars.missing == ((START + 5 * HOUR, START + 6 * HOUR),)
