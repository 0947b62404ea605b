"""Funding files of a recorded market.

A folder may hold `funding/<exchange id>/BASE-QUOTE.csv`, named as its candle files are
(`BTC-USDT_USDT.csv` for `BTC/USDT:USDT`), with the columns timestamp (UNIX milliseconds of the funding) and
rate (share of a position's value).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from cachetools import LRUCache, cached

from engine.market.funding import FundingRate
from engine.market.recordings import MILLISECONDS, Stamp, corrupt, file_stem, stamp_of
from engine.types import Symbol

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
    header, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    if header != HEADER:
        raise corrupt("funding", path, 1, f"the header `{HEADER}`", header or "nothing")
    rates: list[FundingRate] = []
    for number, line in enumerate(lines, start=2):
        funding = _parse(line)
        if funding is None:
            raise corrupt("funding", path, number, f"`{HEADER}`, the rate between -1 and 1", line)
        if rates and funding.time <= rates[-1].time:
            after = f"a timestamp after {rates[-1].time * MILLISECONDS:.0f}"
            raise corrupt("funding", path, number, after, line)
        rates.append(funding)
    if not rates:
        raise corrupt("funding", path, 2, "at least one rate", "the end of the file")
    return tuple(rates)


def _parse(line: str) -> FundingRate | None:
    try:
        time, rate = line.split(",")
        funding = FundingRate(int(time) / MILLISECONDS, Decimal(rate))
    except (ValueError, InvalidOperation):
        return None
    return funding if funding.rate.is_finite() and abs(funding.rate) < 1 else None
