"""Candle files as they come: whatever happened to one, it is read as it was meant, or named with its line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.market.recorded import RecordedSource
from engine.types import Symbol, TimeFrame
from tests.support.market import HEADER

BTC = Symbol("BTC/USDT")
HOUR = 3_600
START = 1_700_006_400
COUNT = 40
NOW = START + 30.5 * HOUR

Row = list[str]
Lines = list[str]


def good_rows(seed: int = 1) -> list[Row]:
    """Hourly candles of a random walk."""
    chance, price, rows = random.Random(seed), 100.0, []
    for index in range(COUNT):
        closed = round(price * chance.uniform(0.97, 1.03), 2)
        high, low = round(max(price, closed) * 1.01, 2), round(min(price, closed) * 0.99, 2)
        volume = chance.randint(1, 900)
        rows.append([str((START + index * HOUR) * 1_000), *map(str, (price, high, low, closed, volume))])
        price = closed
    return rows


def text_of(rows: Sequence[Row], header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in [header, *(",".join(row) for row in rows)]).encode()


async def readings(content: bytes) -> Any:
    """Everything that the engine reads of a folder with this one file."""
    with TemporaryDirectory() as name:
        path = Path(name) / "candles" / "binance" / "BTC-USDT-1h.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        source = RecordedSource(Path(name), "binance")
        candles = await source.candles(BTC, TimeFrame("1h"), now=NOW, count=COUNT)
        bars = await source.history(BTC, since=START + 3 * HOUR, now=NOW)
        tickers = await source.tickers([BTC], now=NOW)
        low_and_high = bars.low.tolist(), bars.high.tolist()
        return candles.table.tolist(), bars.closed.tolist(), low_and_high, tickers[BTC].close


async def outcome_of(content: bytes) -> Any:
    """The readings, or the code of the one error that there may be."""
    try:
        return await readings(content)
    except ConfigurationError as error:
        return error.code


def shuffled(rows: list[Row], chance: random.Random) -> list[Row]:
    return chance.sample(rows, len(rows))


def in_unit(factor: float) -> Callable[[list[Row], random.Random], list[Row]]:
    def convert(rows: list[Row], chance: random.Random) -> list[Row]:
        return [[str(int(float(row[0]) * factor)), *row[1:]] for row in rows]

    return convert


def repeated(rows: list[Row], chance: random.Random) -> list[Row]:
    place = chance.randrange(COUNT)
    return [*rows[: place + 1], *rows[place:]]


def unit_that_changes(rows: list[Row], chance: random.Random) -> list[Row]:
    place = chance.randrange(COUNT)
    return rows[:place] + in_unit(1_000)(rows[place:], chance)


HARMLESS_ROWS: dict[str, Callable[[list[Row], random.Random], list[Row]]] = {
    "the newest first": lambda rows, chance: rows[::-1],
    "in disorder": shuffled,
    "seconds": in_unit(0.001),
    "microseconds": in_unit(1_000),
    "nanoseconds": in_unit(1_000_000),
    "microseconds from some row on": unit_that_changes,
    "a row twice": repeated,
    "all rows twice": lambda rows, chance: rows + rows,
    "times with a fraction": lambda rows, chance: [[str(float(row[0])), *row[1:]] for row in rows],
}

HARMLESS_TEXT: dict[str, Callable[[bytes], bytes]] = {
    "a byte-order mark": lambda text: b"\xef\xbb\xbf" + text,
    "lines of Windows": lambda text: text.replace(b"\n", b"\r\n"),
    "blank last lines": lambda text: text + b"\n\n  \n",
    "blank lines between": lambda text: text.replace(b"\n", b"\n\n"),
    "a header in capitals, with spaces": lambda text: text.replace(
        HEADER.encode(), b"Timestamp, Open, High, Low, Close, Volume"
    ),
}


@pytest.mark.parametrize("name", HARMLESS_ROWS)
@pytest.mark.parametrize("seed", range(3))
async def test_rows_that_say_the_same_are_read_the_same(name: str, seed: int) -> None:
    rows = good_rows(seed)
    changed = HARMLESS_ROWS[name](rows, random.Random(seed))
    assert await readings(text_of(changed)) == await readings(text_of(rows))


@pytest.mark.parametrize("name", HARMLESS_TEXT)
async def test_a_text_that_says_the_same_is_read_the_same(name: str) -> None:
    text = text_of(good_rows())
    assert await readings(HARMLESS_TEXT[name](text)) == await readings(text)


BAD_NUMBERS = (
    "",
    " ",
    "null",
    "None",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "oops",
    "[]",
    "1_0",
    "۱",
    "'",
)


def with_field(row: int, column: int, value: str) -> bytes:
    rows = good_rows()
    rows[row][column] = value
    return text_of(rows)


@pytest.mark.parametrize("value", BAD_NUMBERS)
@pytest.mark.parametrize("column", range(6))
async def test_a_number_that_is_none_is_named_with_its_line(column: int, value: str) -> None:
    content = with_field(12, column, value)
    if (column, value) == (5, "0"):  # nothing was traded
        await readings(content)
        return
    with pytest.raises(ConfigurationError, match=r"BTC-USDT-1h\.csv, line (13|14)\b") as caught:
        await readings(content)
    assert caught.value.code == "corrupt_recording"
    assert "record the file again" in caught.value.message


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (HEADER, [["1700006400000", "100", "90", "95", "100", "1"]]),  # the high below the low
        (HEADER, [["1700006400000", "100", "101", "100.5", "100", "1"]]),  # the low above the open
        (HEADER, [*good_rows()[:3], [good_rows()[2][0], "1", "1", "1", "1", "1"]]),  # two for one hour
        (HEADER, [*good_rows()[:3], [str((START + 2.5 * HOUR) * 1_000), "1", "1", "1", "1", "1"]]),
        (",".join(good_rows()[0]), good_rows()[1:]),  # no header
        ("time,o,h,l,c,v", good_rows()),
        ("timestamp,close,high,low,open,volume", good_rows()),
        ("", good_rows()),
        (HEADER.replace(",", ";"), [[";".join(row)] for row in good_rows()]),
        (HEADER, [[*row, "7"] for row in good_rows()]),
        (HEADER, []),
    ],
)
async def test_what_cannot_be_meant_is_named(header: str, rows: list[Row]) -> None:
    with pytest.raises(ConfigurationError, match=r"BTC-USDT-1h\.csv, line \d+: expected .*, found") as caught:
        await readings(text_of(rows, header))
    assert caught.value.code == "corrupt_recording"


@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", b"\n\n", b"\x00" * 500, b"\xff\xfe\x00t", HEADER.encode()]
)
async def test_what_is_no_text_at_all_is_named(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"BTC-USDT-1h\.csv, line \d+") as caught:
        await readings(content)
    assert caught.value.code == "corrupt_recording"


GOOD = text_of(good_rows())


@given(length=st.integers(0, len(GOOD)))
@settings(max_examples=150, deadline=None)
async def test_a_file_that_ends_early_is_never_read_as_a_shorter_number(length: int) -> None:
    outcome = await outcome_of(GOOD[:length])
    if GOOD[:length].endswith(b"\n"):  # cut between two lines, it is the file of a shorter recording
        assert outcome in ("recording_ended", "corrupt_recording", await readings(GOOD))
    else:
        assert outcome == "corrupt_recording"


@st.composite
def damages(draw: st.DrawFn) -> bytes:
    """A good file, to which several things happened."""
    chance = random.Random(draw(st.integers(0, 10_000)))
    rows = good_rows()
    for name in draw(st.lists(st.sampled_from(sorted(HARMLESS_ROWS)), max_size=2, unique=True)):
        rows = HARMLESS_ROWS[name](rows, chance) if len(rows) == COUNT else rows
    for _ in range(draw(st.integers(0, 2))):
        rows = [list(row) for row in rows]
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = draw(st.sampled_from(BAD_NUMBERS) | st.text(max_size=4))
    text = text_of(rows)
    for name in draw(st.lists(st.sampled_from(sorted(HARMLESS_TEXT)), max_size=2, unique=True)):
        text = HARMLESS_TEXT[name](text)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text


@given(content=damages())
@settings(max_examples=200, deadline=None)
async def test_whatever_happened_to_a_file_only_a_configuration_error_comes_of_it(content: bytes) -> None:
    outcome = await outcome_of(content)
    assert not isinstance(outcome, str) or outcome in (
        "corrupt_recording",
        "outside_recording",
        "recording_ended",
    )
