"""`MemoryMarket`: a market whose prices a test gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

from engine.errors import ConfigurationError
from engine.market import (
    Bars,
    Candles,
    FundingRate,
    Market,
    Ticker,
    candles_later,
    finished_bars,
    generic_market,
    most_candles,
    opening,
)
from engine.money import to_decimal
from engine.types import TIME_FRAMES, Symbol, TimeFrame, Timestamp

NOW: Final[Timestamp] = 1_700_006_400.0
"""UNIX seconds, 2023-11-15 00:00:00 UTC, a Wednesday: when tests take place unless they say otherwise."""

_ANY_FRAME: Final = TimeFrame("1h")
_VOLUME: Final = 100.0

Row = Sequence[float]


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Candles as a test gave them; the first opens at `start`."""

    time_frame: TimeFrame
    start: Timestamp
    rows: list[tuple[float, float, float, float, float]]

    def known(self, now: Timestamp, count: int) -> Iterable[tuple[float, ...]]:
        """Yield the last `count` candles that opened until `now`, and flat ones behind those given."""
        newest = candles_later(self.time_frame, self.start, now)
        for number in range(max(0, newest - count + 1), newest + 1):
            yield (opening(self.time_frame, self.start, number), *self._row(number))

    def _row(self, number: int) -> tuple[float, ...]:
        if number < len(self.rows):
            return self.rows[number]
        close = self.rows[-1][3]
        return close, close, close, close, 0.0


class MemoryMarket:
    """A `MarketSource` of prices that stand still, and of candles.

    ```python
    MemoryMarket({"BTC/USDT": 50_000})
    MemoryMarket().add_candles("BTC/USDT", "1h", [100, 101, 99])       # 99 is the price at NOW
    ```

    A candle is shown as it was given from when it opens, and its close is the price meanwhile. Behind the
    last one the price stands still.

    Args:
        prices: quote per base, by symbol; candles of any time frame are flat.
        rules: trading rules of symbols; the others have no limits, and fees of 0.1 %.
    """

    def __init__(
        self, prices: Mapping[str, Decimal | str | float] | None = None, *, rules: Iterable[Market] = ()
    ) -> None:
        self._prices: dict[Symbol, Decimal] = {}
        self._candles: dict[Symbol, dict[TimeFrame, _Recorded]] = {}
        self._rules = {market.symbol: market for market in rules}
        for symbol, price in (prices or {}).items():
            self.set_price(symbol, price)

    def set_price(self, symbol: str, price: Decimal | str | float) -> Self:
        """Let the price of a symbol stand at `price` from now on, quote per base; candles of it stay."""
        self._prices[Symbol(symbol)] = Decimal(str(price))
        return self

    def add_candles(
        self,
        symbol: str,
        time_frame: str,
        rows: Iterable[float | Row],
        *,
        start: Timestamp | None = None,
    ) -> Self:
        """Add candles, oldest first.

        Args:
            symbol: their market.
            time_frame: such as `1h`.
            rows: of each candle its close, or (open, high, low, close), or the same with the volume in base;
                of a close alone, the candle opens at the close before it.
            start: UNIX seconds at which the first one opens; by default the last one runs at `NOW`.

        Raises:
            ValueError: there are none, or a row has another length, or the time frame is not known.
        """
        frame = TimeFrame(time_frame)
        if frame not in TIME_FRAMES:
            raise ValueError(f"{time_frame!r} is no time frame; expected one of {', '.join(TIME_FRAMES)}")
        candles = list(_candles(rows))
        if not candles:
            raise ValueError(f"no candles were given for {symbol} in {time_frame}")
        if start is None:
            newest = opening(frame, 0.0, candles_later(frame, 0.0, NOW))
            start = opening(frame, newest, 1 - len(candles))
        frames = {**self._candles.get(Symbol(symbol), {}), frame: _Recorded(frame, start, candles)}
        self._candles[Symbol(symbol)] = {known: frames[known] for known in TIME_FRAMES if known in frames}
        return self

    async def markets(self, missing: Collection[Symbol] = ()) -> Mapping[Symbol, Market]:  # noqa: ARG002
        """See `MarketSource`."""
        symbols = dict.fromkeys((*self._prices, *self._candles, *self._rules))
        return {symbol: self._rules.get(symbol) or generic_market(symbol) for symbol in symbols}

    async def candles(self, symbol: Symbol, time_frame: TimeFrame, *, now: Timestamp, count: int) -> Candles:
        """See `MarketSource`.

        Raises:
            ConfigurationError: the symbol has candles, but none of this time frame, or none at `now`.
        """
        return Candles.from_rows(time_frame, self._recorded(symbol, time_frame, now).known(now, count))

    async def tickers(self, symbols: Collection[Symbol], *, now: Timestamp) -> Mapping[Symbol, Ticker]:
        """See `MarketSource`."""
        known = [symbol for symbol in symbols if symbol in self._prices or symbol in self._candles]
        return {symbol: Ticker(symbol, self._price(symbol, now), now) for symbol in known}

    async def history(self, symbol: Symbol, *, since: Timestamp, now: Timestamp) -> Bars:
        """See `MarketSource`; from the shortest time frame that was given."""
        frame = next(iter(self._candles.get(symbol, ())), None)
        if frame is None or symbol in self._prices:
            return finished_bars(Candles.from_rows(_ANY_FRAME, []), since=since, now=now)
        recorded = self._recorded(symbol, frame, now)
        count = most_candles(frame, min(since, now), now)
        return finished_bars(Candles.from_rows(frame, recorded.known(now, count)), since=since, now=now)

    async def funding(
        self,
        symbol: Symbol,  # noqa: ARG002
        *,
        since: Timestamp,  # noqa: ARG002
        now: Timestamp,  # noqa: ARG002
    ) -> Sequence[FundingRate]:
        """See `MarketSource`; there is none."""
        return ()

    def take_notes(self) -> Sequence[str]:
        """Nothing: a test knows what it gives."""
        return ()

    async def close(self) -> None:
        """Nothing is held open; it can be used again."""

    def _price(self, symbol: Symbol, now: Timestamp) -> Decimal:
        if symbol in self._prices:
            return self._prices[symbol]
        shortest = next(iter(self._candles[symbol]))
        *_, newest = self._recorded(symbol, shortest, now).known(now, 1)
        return to_decimal(newest[4])

    def _recorded(self, symbol: Symbol, time_frame: TimeFrame, now: Timestamp) -> _Recorded:
        given = self._candles.get(symbol)
        if given is None:
            price = float(self._prices[symbol])
            return _Recorded(time_frame, 0.0, [(price, price, price, price, 0.0)])
        if time_frame not in given:
            message = f"the test gives candles of {symbol} in {', '.join(given)}, and none in {time_frame}"
            raise ConfigurationError(message, code="no_recording")
        if now < given[time_frame].start:
            message = f"the test's candles of {symbol} in {time_frame} begin after {now:.0f}"
            raise ConfigurationError(message, code="outside_recording")
        return given[time_frame]


def _candles(rows: Iterable[float | Row]) -> Iterable[tuple[float, float, float, float, float]]:
    before: float | None = None
    for row in rows:
        values: Any = row if isinstance(row, Sequence) else _of_close(float(row), before)
        if len(values) not in (4, 5):
            raise ValueError(f"a candle has open, high, low and close, and perhaps a volume: {row}")
        opened, high, low, close, volume = (*map(float, values), _VOLUME)[:5]
        before = close
        yield opened, high, low, close, volume


def _of_close(close: float, before: float | None) -> Row:
    opened = close if before is None else before
    return opened, max(opened, close), min(opened, close), close
