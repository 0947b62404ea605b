"""Funding files of a recorded market.

A folder may hold `funding/<exchange id>/BASE-QUOTE.csv`, named as its candle files are
(`BTC-USDT_USDT.csv` for `BTC/USDT:USDT`), with the columns timestamp (UNIX milliseconds of the funding) and
rate (share of a position's value).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from cachetools import LRUCache, cached

from engine.market.candle_files import Stamp, corrupt, number_of, read_lines, seconds_of, stamp_of
from engine.market.funding import FundingRate
from engine.market.recordings import file_stem
from engine.types import Symbol, Timestamp

HEADER: Final = "timestamp,rate"


def recorded_funding(folder: Path, exchange_id: str, symbol: Symbol) -> Sequence[FundingRate]:
    """Return the recorded funding of a symbol, oldest first; nothing without a file.

    Raises:
        ConfigurationError: the file is corrupt; the message names the line and what was expected there.
    """
    path = folder / "funding" / exchange_id / f"{file_stem(symbol)}.csv"
    return _read(stamp_of(path)) if path.is_file() else ()


@cached(LRUCache(maxsize=64), lock=threading.Lock())
def _read(stamp: Stamp) -> Sequence[FundingRate]:
    path = stamp[0]
    rates: dict[Timestamp, FundingRate] = {}
    for number, line in read_lines("funding", path, HEADER, "rate"):
        funding = _parse(line)
        if funding is None:
            raise corrupt("funding", path, number, f"`{HEADER}`, the rate between -1 and 1", line)
        if rates.setdefault(funding.time, funding) != funding:
            raise corrupt(
                "funding", path, number, "one rate for each time, and a line above has another", line
            )
    return tuple(rates[time] for time in sorted(rates))


def _parse(line: str) -> FundingRate | None:
    time, _, rate = (text.strip() for text in line.partition(","))
    written, share = number_of(time), number_of(rate)
    paid_at = None if written is None else seconds_of(written)
    if paid_at is None or share is None or abs(share) >= 1:
        return None
    return FundingRate(paid_at, Decimal(rate))
