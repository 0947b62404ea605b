"""`RecordedSource`: market data of a folder, read at the invocation's `now`."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cachetools import LRUCache, cached

from engine.errors import ConfigurationError, RecordingEndedError
from engine.exchanges import capabilities_of, precision_of
from engine.market.bars import Bars
from engine.market.candle_holes import holes_in
from engine.market.candles import CLOSE, HIGH, LOW, OPEN, VOLUME, Candles
from engine.market.funding import FundingRate
from engine.market.funding_files import recorded_funding
from engine.market.market import Market, generic_market
from engine.market.market_lists import Markets, parse_ccxt_markets, parse_exchange_info
from engine.market.market_protocols import Ticker
from engine.market.recorded_history import history_of
from engine.market.recordings import Recording, list_recorded
from engine.market.time_frames import closes_at
from engine.money import to_decimal
from engine.types import Symbol, TimeFrame, Timestamp

MARKET_LISTS: Final = ("markets.json", "exchangeInfo.json", "exchangeInfo.json.gz")


class RecordedSource:
    """A recorded market.

    At `now`, candles are those that opened before or then. The last one is still running, so all that is
    known of it is its open, unless a shorter time frame in the folder says what happened up to `now`.
    """

    def __init__(self, folder: Path, exchange_id: str) -> None:
        self._folder = folder
        self._exchange_id = exchange_id
        self._notes: dict[str, None] = {}

    async def markets(
        self,
        missing: Collection[Symbol] = (),  # noqa: ARG002  (a changed file is read anyway)
    ) -> Mapping[Symbol, Market]:
        """Return the recorded market list; without one, a market without limits per recorded symbol.

        Raises:
            ConfigurationError: the market list is not in a known form.
        """
        folder = self._folder / "exchange" / self._exchange_id
        for name in MARKET_LISTS:
            path = folder / name
            if path.is_file():
                return _read_markets(path, path.stat().st_mtime_ns)
        stops = capabilities_of(self._exchange_id).native_stops("spot")
        return {symbol: generic_market(symbol, stops=stops) for symbol in self._recordings}

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: Timestamp, count: int) -> Candles:
        """Return up to `count` candles as known at `now`, the running one last.

        Raises:
            ConfigurationError: nothing is recorded for that symbol and time frame at `now`, which may lie in
                a hole; or the file is corrupt.
        """
        recording = self._recording(symbol, time_frame)
        candles = recording.candles()
        if not candles.opened_at <= now < candles.closes_at:
            raise self._out_of_range((recording,), now)
        if not recording.contains(now):
            raise self._in_a_hole(recording, now)
        end = int(candles.time.searchsorted(now, side="right"))
        known = candles.table[:, max(0, end - count) : end]
        self._note_holes(recording, float(known[0, 0]), now)
        if now < closes_at(time_frame, float(known[0, -1])):
            known = known.copy()
            opened_at, opening = known[:2, -1].tolist()
            known[OPEN:, -1] = self._running_candle(recording, opened_at, opening, now)
        return Candles.from_table(time_frame, known)

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """Return the recorded prices at `now`, from the shortest time frame that has them.

        Raises:
            ConfigurationError: a symbol is recorded, but not at `now`.
        """
        known = [symbol for symbol in symbols if symbol in self._recordings]
        return {symbol: await self._ticker(symbol, now) for symbol in known}

    async def history(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Bars:
        """Return what the price did after `since` up to `now`, from the shortest time frames that tell.

        Where a time frame has holes, longer ones fill them; what is left is `missing`.

        Raises:
            ConfigurationError: the symbol is not recorded, or one of its files is corrupt.
        """
        recordings = self._recordings_of(symbol)
        found = history_of([recording.candles() for recording in recordings], since, now)
        return replace(found.bars, missing=tuple(found.unknown))

    async def funding(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Sequence[FundingRate]:
        """Return the recorded funding after `since` and up to `now`; nothing where none is recorded.

        Raises:
            ConfigurationError: the file is corrupt.
        """
        rates = recorded_funding(self._folder, self._exchange_id, symbol)
        return [known for known in rates if since < known.time <= now]

    def take_notes(self) -> Sequence[str]:
        """Return where the candles that were given have holes, since the last call."""
        notes, self._notes = list(self._notes), {}
        return notes

    async def close(self) -> None:
        """Nothing is held open."""

    @cached_property
    def _recordings(self) -> Mapping[Symbol, tuple[Recording, ...]]:
        by_symbol: dict[Symbol, tuple[Recording, ...]] = {}
        for recording in list_recorded(self._folder, self._exchange_id):
            by_symbol[recording.symbol] = (*by_symbol.get(recording.symbol, ()), recording)
        return by_symbol

    def _recordings_of(self, symbol: Symbol) -> tuple[Recording, ...]:
        try:
            return self._recordings[symbol]
        except KeyError:
            recorded = ", ".join(self._recordings) or "nothing"
            raise ConfigurationError(
                f"{symbol} is not recorded in {self._folder} for {self._exchange_id}; recorded: {recorded}",
                code="no_recording",
            ) from None

    def _recording(self, symbol: Symbol, time_frame: TimeFrame) -> Recording:
        recordings = self._recordings_of(symbol)
        for recording in recordings:
            if recording.time_frame == time_frame:
                return recording
        recorded = ", ".join(recording.time_frame for recording in recordings)
        raise ConfigurationError(
            f"{symbol} is not recorded in candles of {time_frame} in {self._folder}; recorded: {recorded}",
            code="no_recording",
        )

    def _running_candle(
        self, recording: Recording, opened_at: Timestamp, opening: float, now: Timestamp
    ) -> tuple[float, ...]:
        """Return open, high, low, close and volume of the candle that contains `now`."""
        shorter = tuple(other for other in self._recordings[recording.symbol] if other.step < recording.step)
        found = _all_within(shorter, opened_at, now) if now > opened_at else None
        for other in shorter if now > opened_at else ():
            begun, over = other.range()
            if begun <= opened_at and now <= over:
                self._note_holes(other, opened_at, now)
        if found is None:
            return opening, opening, opening, opening, 0.0
        index, part = found
        table = part.table.copy()
        if part.closes_at > now:
            last_opened, last_opening = table[:2, -1].tolist()
            table[OPEN:, -1] = self._running_candle(shorter[index], last_opened, last_opening, now)
        high, low = max(opening, table[HIGH].max()), min(opening, table[LOW].min())
        return opening, high, low, float(table[CLOSE, -1]), float(table[VOLUME].sum())

    def _note(self, text: str) -> None:
        self._notes[text] = None

    def _note_holes(self, recording: Recording, start: Timestamp, end: Timestamp) -> None:
        holes = holes_in(recording.candles(), start, end)
        if holes:
            first, last = holes[0][0], holes[-1][1]
            self._note(
                f"the {recording.time_frame} candles of {recording.symbol} have {len(holes)}"
                f" {'hole' if len(holes) == 1 else 'holes'} between {_date(first)} and {_date(last)}"
            )

    def _out_of_range(self, recordings: Collection[Recording], now: Timestamp) -> ConfigurationError:
        """Return the error of an instant that recordings do not have, or that all of them have ended."""
        ranges = []
        for recording in recordings:
            first, last = recording.range()
            ranges.append(f"{recording.time_frame} from {_date(first)} to {_date(last)}")
        symbol, path = next((recording.symbol, recording.path) for recording in recordings)
        message = (
            f"{_date(now)} is outside the recording of {symbol} in {path.parent}: {'; '.join(ranges)}; "
            "choose a start within it (`recorded: {start: …}`), or record more candles"
        )
        ended_at = self._ended_at()
        if ended_at is not None and ended_at <= now:
            return RecordingEndedError(message, ended_at=ended_at)
        return ConfigurationError(message, code="outside_recording")

    def _ended_at(self) -> Timestamp | None:
        """Return when the last candle of all recordings closes, as far as they can be read."""
        ends: list[Timestamp] = []
        for recording in chain.from_iterable(self._recordings.values()):
            with suppress(ConfigurationError):
                ends.append(recording.range()[1])
        return max(ends, default=None)

    def _in_a_hole(self, recording: Recording, now: Timestamp) -> ConfigurationError:
        begun, over = next(
            (begun, over) for begun, over in holes_in(recording.candles(), *recording.range()) if now < over
        )
        return ConfigurationError(
            f"{_date(now)} is in a hole of {recording.path}: it has no {recording.time_frame} candles of"
            f" {recording.symbol} from {_date(begun)} to {_date(over)}; record them again",
            code="outside_recording",
        )

    async def _ticker(self, symbol: Symbol, now: Timestamp) -> Ticker:
        recordings = self._recordings_of(symbol)
        shortest = next((recording for recording in recordings if recording.contains(now)), None)
        if shortest is None:
            within = [one for one in recordings if one.range()[0] <= now < one.range()[1]]
            raise self._in_a_hole(within[0], now) if within else self._out_of_range(recordings, now)
        newest = await self.candles(symbol, shortest.time_frame, now=now, count=1)
        return Ticker(symbol, close=to_decimal(float(newest.close[-1])), timestamp=float(newest.time[-1]))


def _all_within(
    recordings: Sequence[Recording], opened_at: Timestamp, now: Timestamp
) -> tuple[int, Candles] | None:
    """Return the index of the first recording that says all that happened since an instant, and its candles.

    One whose candle began before does not: a week of November says nothing of the days that are December's.
    """
    for index, recording in enumerate(recordings):
        if recording.covers(opened_at, now):
            candles = recording.candles().opened_in(opened_at, now)
            if len(candles) and candles.opened_at == opened_at:
                return index, candles
    return None


def _date(time: Timestamp) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cached(LRUCache(maxsize=8), lock=threading.Lock())
def _read_markets(path: Path, _modified_at: int) -> Markets:
    try:
        raw = path.read_bytes()
        content = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        return _parse_markets(content, path.parent.name)
    except (OSError, EOFError, ValueError, ArithmeticError, TypeError, AttributeError, LookupError) as error:
        raise ConfigurationError(
            f"corrupt market list {path}: expected the answer of Binance's exchangeInfo, or a list of market "
            f"dicts in ccxt's form ({type(error).__name__}: {error})",
            code="corrupt_recording",
        ) from error


def _parse_markets(content: Any, exchange_id: str) -> Markets:
    if isinstance(content, Mapping):
        if "symbols" in content:
            return parse_exchange_info(content)
        content = content.values()
    return parse_ccxt_markets(
        content, precision=precision_of(exchange_id), stops=capabilities_of(exchange_id).native_stops
    )
