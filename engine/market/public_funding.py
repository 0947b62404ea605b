"""Funding rates of live perpetual futures, through ccxt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.exchanges import Client, reading
from engine.market.funding import FundingRate
from engine.market.public_answers import number_of, positive
from engine.types import Seconds, Symbol, Timestamp

HOUR: Final[Seconds] = 3_600
DELAY: Final[Seconds] = 60
"""How long after its time a funding is asked for: exchanges list it some seconds late."""

MOST_HOURS: Final = 2_000
"""How far back funding is looked for."""

LEAST_HOURS: Final = 24
"""Fetched at least, so that automations with different intervals share one request."""

PAGE: Final = 100
"""Rates per request, which every exchange grants."""


class Hours(NamedTuple):
    """Full hours, counted from 1970: those after `start`, up to and including `end`.

    Exchanges settle funding on full hours, so a period without one needs no request.
    """

    start: int
    end: int

    def cover(self, other: Hours) -> bool:
        """Whether all hours of the other period are in this one."""
        return self.start <= other.start and other.end <= self.end

    def has(self, time: Timestamp) -> bool:
        """Whether an instant is in the period, its end included."""
        return self.start * HOUR < time <= self.end * HOUR


def due_hours(since: Timestamp, now: Timestamp) -> Hours:
    """Return the hours whose funding becomes known after `since` and up to `now`."""
    end = math.floor((now - DELAY) / HOUR)
    return Hours(max(math.floor((since - DELAY) / HOUR), end - MOST_HOURS), end)


async def fetch_funding(client: Client, symbol: Symbol, hours: Hours) -> Sequence[FundingRate]:
    """Return the funding of a period, oldest first; nothing where the exchange does not tell it.

    Raises:
        RetryableError: the exchange does not answer.
        ConfigurationError: it answered that this cannot be had.
    """
    if not client.has.get("fetchFundingRateHistory"):
        return ()
    rates: dict[Timestamp, FundingRate] = {}
    start = hours.start * HOUR + 1
    while start <= hours.end * HOUR:
        with reading(client):
            rows = await client.fetch_funding_rate_history(symbol, since=int(start * 1_000), limit=PAGE)
        read = map(_funding, rows if isinstance(rows, Sequence) else ())
        news = [known for known in read if known is not None and known.time >= start]
        if not news:
            break
        rates |= {known.time: known for known in news}
        start = max(rates) + 1
    return [rates[time] for time in sorted(rates) if hours.has(time)]


def _funding(row: Any) -> FundingRate | None:
    """Read a row of ccxt, None if it makes no sense; exchanges are some milliseconds off the full second."""
    if not isinstance(row, Mapping):
        return None
    time, rate = number_of(row.get("timestamp")), number_of(row.get("fundingRate"))
    if time is None or rate is None or abs(rate) >= 1:
        return None
    info = row.get("info")
    mark = info.get("markPrice") if isinstance(info, Mapping) else None
    return FundingRate(float(round(time / 1_000)), rate, positive(mark))
