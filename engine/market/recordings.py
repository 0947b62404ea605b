"""Candle files of a recorded market: names, reading, caching.

A folder holds `candles/<exchange id>/BASE-QUOTE-TIMEFRAME.csv` with the columns timestamp (UNIX milliseconds
of the candle's open), open, high, low, close and volume (base).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache, cached

from engine.errors import ConfigurationError
from engine.market.candles import CLOSE, COLUMNS, HIGH, LOW, OPEN, TIME, VOLUME, Candles
from engine.market.time_frames import closes_at
from engine.types import TIME_FRAMES, Symbol, TimeFrame, Timestamp

if TYPE_CHECKING:
    from engine.market.candles import Series

HEADER: Final = ("timestamp", *COLUMNS[1:])
EDGE_BYTES: Final = 1_024
MILLISECONDS: Final = 1_000

Stamp = tuple[Path, int, int]
"""Identity of a file's content: path, modification time in nanoseconds, size."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One candle file."""

    symbol: Symbol
    time_frame: TimeFrame
    path: Path

    @property
    def step(self) -> float:
        """Length of a candle in seconds, by which recordings are put in order; of a month, about."""
        return TIME_FRAMES[self.time_frame]

    def range(self) -> tuple[Timestamp, Timestamp]:
        """Return when the first candle opens and the last one closes, reading only the file's ends.

        Raises:
            ConfigurationError: the file's first or last line is not a candle.
        """
        first, last = _edges(stamp_of(self.path))
        return first, closes_at(self.time_frame, last)

    def covers(self, start: Timestamp, end: Timestamp) -> bool:
        """Whether the file has every candle of `start` to `end`; a file without readable ends has none."""
        try:
            first, last = self.range()
        except ConfigurationError:
            return False
        return first <= start and end <= last

    def contains(self, instant: Timestamp) -> bool:
        """Whether one of the file's candles is open at that instant."""
        return self.covers(instant, instant) and instant < self.range()[1]

    def candles(self) -> Candles:
        """Return the file's candles, from the process cache while the file is unchanged.

        Raises:
            ConfigurationError: the file is corrupt; the message names the line and what was expected there.
        """
        return _read(stamp_of(self.path), self.time_frame)


def candle_path(folder: Path, exchange_id: str, symbol: Symbol, time_frame: TimeFrame) -> Path:
    """Return where the candles of a symbol and time frame are recorded."""
    return folder / "candles" / exchange_id / f"{file_stem(symbol)}-{time_frame}.csv"


def file_stem(symbol: Symbol) -> str:
    """Return how a symbol is written in the names of files."""
    return symbol.replace("/", "-").replace(":", "_")


def list_recorded(folder: Path, exchange_id: str) -> tuple[Recording, ...]:
    """Return the recordings of an exchange, by symbol, the shortest time frame first.

    Raises:
        ConfigurationError: the folder has no candles of that exchange.
    """
    candle_folder = folder / "candles" / exchange_id
    try:
        recordings = tuple(_recordings_in(candle_folder))
    except OSError as error:
        raise ConfigurationError(
            f"no recorded market: {candle_folder} cannot be read ({error.strerror}); it should hold files "
            "such as BTC-USDT-4h.csv",
            code="no_recording",
        ) from error
    return tuple(sorted(recordings, key=lambda recording: (recording.symbol, recording.step)))


def _recordings_in(candle_folder: Path) -> Iterator[Recording]:
    for path in candle_folder.iterdir():
        pair, _, time_frame = path.stem.rpartition("-")
        base, _, quote = pair.partition("-")
        if path.suffix == ".csv" and quote and time_frame in TIME_FRAMES:
            symbol = Symbol(f"{base}/{quote}".replace("_", ":"))
            yield Recording(symbol, TimeFrame(time_frame), path)


def write_candles(path: Path, candles: Candles) -> None:
    """Write candles in the recorded form; numbers by their shortest text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(HEADER)]
    for time, *values in candles.table.T.tolist():
        lines.append(",".join([str(round(time * MILLISECONDS)), *(_shortest(value) for value in values)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shortest(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


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


@cached(LRUCache(maxsize=256), lock=threading.Lock())
def _edges(stamp: Stamp) -> tuple[Timestamp, Timestamp]:
    """Return when the first and the last candle open, from the file's first and last bytes."""
    path, _, size = stamp
    with path.open("rb") as file:
        head = file.read(EDGE_BYTES)
        file.seek(max(0, size - EDGE_BYTES))
        tail = file.read()
    first, last = head.splitlines()[1:2], tail.splitlines()[-1:]
    try:
        opens = [int(line.split(b",")[0]) / MILLISECONDS for line in (*first, *last)]
        return opens[0], opens[1]
    except (ValueError, IndexError):
        _diagnose(path)
        raise


@cached(LRUCache(maxsize=64), lock=threading.Lock())
def _read(stamp: Stamp, time_frame: TimeFrame) -> Candles:
    import numpy as np  # numpy takes 0.15 s to import; automations without candles never need it

    path = stamp[0]
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        if tuple(header.split(",")) != HEADER or not lines:
            raise ValueError
        rows = np.loadtxt(lines, delimiter=",", dtype=np.float64, ndmin=2, comments=None)
        table = np.ascontiguousarray(rows.T)
        table[TIME] /= MILLISECONDS
        if not _is_sound(table):
            raise ValueError
    except (ValueError, IndexError, UnicodeDecodeError):
        _diagnose(path)
        raise
    return Candles.from_table(time_frame, table)


def _is_sound(table: Series) -> bool:
    import numpy as np

    prices = table[OPEN : CLOSE + 1]
    return bool(
        table.shape[0] == len(COLUMNS)
        and table.shape[1] > 0
        and np.isfinite(table).all()
        and (np.diff(table[TIME]) > 0).all()
        and (prices > 0).all()
        and (table[LOW] <= prices.min(axis=0)).all()
        and (table[HIGH] >= prices.max(axis=0)).all()
        and (table[VOLUME] >= 0).all()
    )


def _diagnose(path: Path) -> None:
    """Raise the error that names the first bad line of a candle file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or tuple(lines[0].split(",")) != HEADER:
        raise corrupt("candle", path, 1, f"the header `{','.join(HEADER)}`", lines[0] if lines else "nothing")
    if len(lines) == 1:
        raise corrupt("candle", path, 2, "at least one candle", "the end of the file")
    previous = -math.inf
    for number, line in enumerate(lines[1:], start=2):
        values = _parse_line(line)
        if values is None:
            raise corrupt("candle", path, number, f"six finite numbers `{','.join(HEADER)}`", line)
        time, opened, high, low, closed, volume = values
        if time <= previous:
            raise corrupt("candle", path, number, f"a timestamp after {previous:.0f}", f"{time:.0f}")
        if not 0 < low <= min(opened, closed) <= max(opened, closed) <= high or volume < 0:
            raise corrupt("candle", path, number, "0 < low ≤ open, close ≤ high and volume ≥ 0", line)
        previous = time


def _parse_line(line: str) -> list[float] | None:
    try:
        values = [float(text) for text in line.split(",")]
    except ValueError:
        return None
    return values if len(values) == len(HEADER) and all(map(math.isfinite, values)) else None


def corrupt(kind: str, path: Path, line: int, expected: str, found: str) -> ConfigurationError:
    """Return the error that names a bad line of a recorded file."""
    shown = found if len(found) <= 80 else found[:77] + "..."
    return ConfigurationError(
        f"corrupt {kind} file {path}, line {line}: expected {expected}, found `{shown}`; "
        "record the file again or remove the line",
        code="corrupt_recording",
    )
