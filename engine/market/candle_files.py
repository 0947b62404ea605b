"""Reading and writing the text of a candle file, and the error that names what is wrong with one.

What can be meant in one way only is read that way, whoever wrote the file: a byte-order mark, line ends of
Windows, blank lines, rows in disorder or there twice, times in seconds, milliseconds, microseconds (Binance's
public files since 2025) or nanoseconds. Everything else is an error that says file, line, and what to do.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache, cached

from engine.errors import ConfigurationError
from engine.market.candles import CLOSE, COLUMNS, HIGH, LOW, OPEN, TIME, VOLUME, Candles
from engine.types import TIME_FRAMES, Seconds, TimeFrame, Timestamp

if TYPE_CHECKING:
    from engine.market.candles import Series

HEADER: Final = ("timestamp", *COLUMNS[1:])
MILLISECONDS: Final = 1_000

UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Written times above the first number are divided by the second; in all units they lie decades apart."""

EARLIEST: Final[Timestamp] = 315_532_800
LATEST: Final[Timestamp] = 4_102_444_800
"""1980 and 2100: what lies outside has lost a digit."""

_SHORTEST_MONTH: Final[Seconds] = 28 * 86_400

Stamp = tuple[Path, int, int]
"""Identity of a file's content: path, modification time in nanoseconds, size."""


def stamp_of(path: Path) -> Stamp:
    """Return the identity of a file's content.

    Raises:
        ConfigurationError: there is no such file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigurationError(
            f"no recorded candles: {path} cannot be read ({error.strerror})", code="no_recording"
        ) from error
    return path, status.st_mtime_ns, status.st_size


@cached(LRUCache(maxsize=64), lock=threading.Lock())
def read_candles(stamp: Stamp, time_frame: TimeFrame) -> Candles:
    """Return the candles of a file, oldest first.

    Raises:
        ConfigurationError: `corrupt_recording`; the message names the line and what was expected there.
    """
    import numpy as np  # numpy takes 0.15 s to import; automations without candles never need it

    path = stamp[0]
    lines = read_lines("candle", path, ",".join(HEADER), "candle")
    try:
        rows = np.loadtxt(
            [line for _, line in lines], delimiter=",", dtype=np.float64, ndmin=2, comments=None
        )
        table = np.ascontiguousarray(rows.T)
        table[TIME] = _in_seconds(table[TIME])
        table = _in_order(table)
        sound = _is_sound(table, _least_distance(time_frame))
    except (ValueError, IndexError):
        sound = False
    if not sound:
        raise _diagnosis(path, lines, time_frame)
    return Candles.from_table(time_frame, table)


def read_lines(kind: str, path: Path, header: str, content: str) -> Sequence[tuple[int, str]]:
    """Return the lines behind a file's header with their numbers, blank ones left out.

    Args:
        kind: of the file, for errors.
        path: the file.
        header: names of the columns, separated by commas.
        content: what a line holds, for errors.

    Raises:
        ConfigurationError: it cannot be read, its header is another one, nothing follows it, or the last line
            does not end, so that it may have been cut off.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror})", code="no_recording") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines or _names(lines[0][1]) != header:
        number, found = lines[0] if lines else (1, "nothing")
        raise corrupt(kind, path, number, f"the header `{header}`", found)
    number, last = lines[-1]
    if len(lines) == 1:
        raise corrupt(kind, path, number + 1, f"at least one {content}", "the end of the file")
    if not text.endswith(("\n", "\r")) and last == text.splitlines()[-1]:
        raise corrupt(kind, path, number, "a line break at its end, without which it may be cut off", last)
    return lines[1:]


def write_candles(path: Path, candles: Candles) -> None:
    """Write candles in the recorded form; numbers by their shortest text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(HEADER)]
    for time, *values in candles.table.T.tolist():
        lines.append(",".join([str(round(time * MILLISECONDS)), *(_shortest(value) for value in values)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def seconds_of(written: float) -> Timestamp | None:
    """Return a written time in UNIX seconds; None when it is none that a market can have had."""
    if not math.isfinite(written):
        return None
    divisor = next((divisor for above, divisor in UNITS if written > above), 1.0)
    return written / divisor if EARLIEST <= written / divisor <= LATEST else None


def number_of(text: str) -> float | None:
    """Return a finite number in plain digits, else None."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def corrupt(kind: str, path: Path, line: int, expected: str, found: str) -> ConfigurationError:
    """Return the error that names a bad line of a recorded file."""
    shown = found if len(found) <= 80 else found[:77] + "..."
    return ConfigurationError(
        f"corrupt {kind} file {path}, line {line}: expected {expected}, found `{shown}`; "
        "record the file again or remove the line",
        code="corrupt_recording",
    )


def _names(line: str) -> str:
    return ",".join(name.strip().strip('"').lower() for name in line.split(","))


def _shortest(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _least_distance(time_frame: TimeFrame) -> Seconds:
    """Return how far two candles' openings are apart at least."""
    return _SHORTEST_MONTH if time_frame == "1M" else TIME_FRAMES[time_frame]


def _in_seconds(written: Series) -> Series:
    import numpy as np

    divisors = np.select([written > above for above, _ in UNITS], [divisor for _, divisor in UNITS], 1.0)
    return np.asarray(written / divisors)


def _in_order(table: Series) -> Series:
    """Return the candles oldest first, those that are there twice once."""
    import numpy as np

    if not (np.diff(table[TIME]) > 0).all():
        table = table[:, table[TIME].argsort(kind="stable")]
        again = (table[:, 1:] == table[:, :-1]).all(axis=0)
        table = np.ascontiguousarray(table[:, np.concatenate(([True], ~again))])
    return table


def _is_sound(table: Series, least_distance: Seconds) -> bool:
    import numpy as np

    prices = table[OPEN : CLOSE + 1]
    return bool(
        table.shape[0] == len(COLUMNS)
        and table.shape[1] > 0
        and np.isfinite(table).all()
        and (table[TIME] >= EARLIEST).all()
        and (table[TIME] <= LATEST).all()
        and (np.diff(table[TIME]) >= least_distance).all()
        and (prices > 0).all()
        and (table[LOW] <= prices.min(axis=0)).all()
        and (table[HIGH] >= prices.max(axis=0)).all()
        and (table[VOLUME] >= 0).all()
    )


def _diagnosis(path: Path, lines: Sequence[tuple[int, str]], time_frame: TimeFrame) -> ConfigurationError:
    """Return the error that names the first bad line of a candle file."""
    rows: list[tuple[Timestamp, int, list[float]]] = []
    for number, line in lines:
        values = _parse_line(line)
        if values is None:
            return corrupt("candle", path, number, f"six finite numbers `{','.join(HEADER)}`", line)
        time, opened, high, low, closed, volume = values
        opens_at = seconds_of(time)
        if opens_at is None:
            return corrupt("candle", path, number, "a timestamp, best in UNIX milliseconds", line)
        if not 0 < low <= min(opened, closed) <= max(opened, closed) <= high or volume < 0:
            return corrupt("candle", path, number, "0 < low ≤ open, close ≤ high and volume ≥ 0", line)
        rows.append((opens_at, number, values[OPEN:]))
    rows.sort(key=lambda row: row[0])  # stable: of two that collide, the later line is named
    for number, problem in _collisions(rows, time_frame):
        line = next(line for known, line in lines if known == number)
        return corrupt("candle", path, number, problem, line)
    return corrupt("candle", path, lines[0][0], "numbers in plain digits from here on", lines[0][1])


def _collisions(
    rows: Sequence[tuple[Timestamp, int, list[float]]], time_frame: TimeFrame
) -> Iterator[tuple[int, str]]:
    least = _least_distance(time_frame)
    for (first, number, values), (second, other, other_values) in pairwise(rows):
        if second - first < least and (second, other_values) != (first, values):
            line, later = min(number, other), max(number, other)
            yield later, f"one candle for each {time_frame}, and line {line} has another one of that time"


def _parse_line(line: str) -> list[float] | None:
    values = [number_of(text) for text in line.split(",")]
    numbers = [value for value in values if value is not None]
    return numbers if len(numbers) == len(values) == len(HEADER) else None
