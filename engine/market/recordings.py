"""The candle files of a recorded market: where they are, and what of a price's history each of them has.

A folder holds `candles/<exchange id>/BASE-QUOTE-TIMEFRAME.csv` with the columns timestamp (UNIX milliseconds
of the candle's open), open, high, low, close and volume (base).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigurationError
from engine.market.candle_files import read_candles, stamp_of
from engine.market.candle_holes import holes_in
from engine.market.candles import Candles
from engine.types import TIME_FRAMES, Symbol, TimeFrame, Timestamp


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
        """Return when the first candle opens and the last one closes.

        Raises:
            ConfigurationError: the file is corrupt.
        """
        candles = self.candles()
        return candles.opened_at, candles.closes_at

    def covers(self, start: Timestamp, end: Timestamp) -> bool:
        """Whether the file has every candle of `start` to `end`, without a hole.

        Raises:
            ConfigurationError: the file is corrupt.
        """
        candles = self.candles().around(start, end)
        return bool(len(candles)) and candles.opened_at <= start and not holes_in(candles, start, end)

    def contains(self, instant: Timestamp) -> bool:
        """Whether one of the file's candles is open at that instant.

        Raises:
            ConfigurationError: the file is corrupt.
        """
        newest = self.candles().around(instant, instant)
        return bool(len(newest)) and newest.time[-1] <= instant < newest.closes_at

    def candles(self) -> Candles:
        """Return the file's candles, from the process cache while the file is unchanged.

        Raises:
            ConfigurationError: the file is corrupt; the message names the line and what was expected there.
        """
        return read_candles(stamp_of(self.path), self.time_frame)


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
