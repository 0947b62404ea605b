"""A synthetic market to practise on: seeded, plausible, and the same bytes for the same seed everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from engine.market.candle_files import write_candles
from engine.market.candles import Candles
from engine.market.market import Bounds, Market
from engine.market.market_lists import write_markets
from engine.market.recordings import candle_path
from engine.types import TIME_FRAMES, Asset, Seconds, Symbol, TimeFrame, Timestamp

SAMPLE_SEED: Final = 1
EXCHANGE_ID: Final = "binance"
START: Final[Timestamp] = 1_704_067_200
"""2024-01-01T00:00:00Z."""

SHORT, LONG = TimeFrame("1h"), TimeFrame("4h")
LONG_CANDLES: Final = 500
SHORT_CANDLES: Final = 60 * 24

Row = tuple[float, ...]

README: Final = """\
# A synthetic market

Nothing here was ever traded. `engine/market/sample_market.py` made these candles from the seed {seed}:
prices walk at random, with calm and wild weeks, slow cycles and a drift, so that examples and tests have
something to react to where no real market is recorded. The same seed gives the same bytes again.

The folder has the layout of a recorded market: `candles/<exchange id>/BASE-QUOTE-TIMEFRAME.csv` with
timestamp (ms), open, high, low, close and volume (base), `exchange/<exchange id>/markets.json` with the
trading rules. Hourly candles are there for the last 60 days only, to keep the folder small.
"""


@dataclass(frozen=True, slots=True)
class Coin:
    """What a synthetic coin is like.

    Attributes:
        price: at the start, in quote.
        daily_volatility: standard deviation of a day's logarithmic return.
        daily_volume: traded on an average day, in base.
        recorded: time frames that are written.
    """

    base: Asset
    price: float
    price_tick: Decimal
    amount_tick: Decimal
    daily_volatility: float
    daily_volume: float
    recorded: Sequence[TimeFrame]

    @property
    def market(self) -> Market:
        """The coin's trading rules, like those of a large exchange."""
        quote = Asset("USDT")
        return Market(
            symbol=Symbol(f"{self.base}/{quote}"),
            base=self.base,
            quote=quote,
            amount_tick=self.amount_tick,
            price_tick=self.price_tick,
            amount=Bounds(self.amount_tick, Decimal(9000)),
            cost=Bounds(Decimal(5), Decimal(9_000_000)),
            price=Bounds(self.price_tick, Decimal(1_000_000)),
        )


COINS: Final = (
    Coin(Asset("BTC"), 42_000.0, Decimal("0.01"), Decimal("0.00001"), 0.028, 28_000.0, (SHORT, LONG)),
    Coin(Asset("ETH"), 2_300.0, Decimal("0.01"), Decimal("0.0001"), 0.034, 310_000.0, (LONG,)),
)


def write_sample_market(folder: Path, seed: int = SAMPLE_SEED) -> None:
    """Write a synthetic market in the layout of a recorded one.

    Candles of different time frames agree: the long ones are made of the short ones.

    Args:
        folder: where to; made if it does not exist.
        seed: the same seed gives the same bytes on every machine.
    """
    for coin in COINS:
        short = tuple(_candles(coin, Random(f"{seed}/{coin.base}")))
        by_time_frame = {
            SHORT: short[-SHORT_CANDLES:],
            LONG: _merged(short, TIME_FRAMES[LONG] // TIME_FRAMES[SHORT]),
        }
        for time_frame in coin.recorded:
            path = candle_path(folder, EXCHANGE_ID, coin.market.symbol, time_frame)
            write_candles(path, Candles.from_rows(time_frame, by_time_frame[time_frame]))
    write_markets(folder, EXCHANGE_ID, [coin.market for coin in COINS])
    (folder / "README.md").write_text(README.format(seed=seed), encoding="utf-8")


def _candles(coin: Coin, random: Random) -> Iterator[Row]:
    """Yield hourly candles: a random walk whose volatility itself wanders, pulled back to a slow cycle."""
    step: Seconds = TIME_FRAMES[SHORT]
    count = LONG_CANDLES * TIME_FRAMES[LONG] // TIME_FRAMES[SHORT]
    calm = coin.daily_volatility / math.sqrt(24)
    volatility, price, phase = calm, coin.price, random.uniform(0, 2 * math.pi)
    for index in range(count):
        volatility += 0.05 * (calm - volatility) + 0.15 * calm * random.uniform(-1, 1)
        volatility = min(max(volatility, 0.4 * calm), 2.5 * calm)
        anchor = coin.price * (1 + 0.15 * index / count + 0.06 * math.sin(phase + index / 38))
        move = volatility * random.gauss(0, 1) + 0.02 * (anchor / price - 1)
        opened, price = price, price * (1 + move)
        wicks = [volatility * abs(random.gauss(0, 0.6)) for _ in range(2)]
        high, low = max(opened, price) * (1 + wicks[0]), min(opened, price) * (1 - wicks[1])
        volume = coin.daily_volume / 24 * (0.4 + 0.6 * volatility / calm) * random.uniform(0.6, 1.4)
        ticks = (round(value, 2) for value in (opened, high, low, price))
        yield (START + index * step, *ticks, round(volume, 3))


def _merged(rows: Sequence[Row], size: int) -> Sequence[Row]:
    """Return candles that each hold `size` shorter ones."""
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [
        (
            part[0][0],
            part[0][1],
            max(row[2] for row in part),
            min(row[3] for row in part),
            part[-1][4],
            round(sum(row[5] for row in part), 3),
        )
        for part in parts
    ]
