"""`FundingRate`: what holders of a perpetual future pay each other at one time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from engine.types import Price, Symbol, Timestamp


@dataclass(frozen=True, slots=True)
class FundingRate:
    """One funding of a perpetual future: longs pay a positive rate to shorts, and receive a negative one.

    Attributes:
        time: UNIX seconds; who holds a position then takes part.
        rate: share of the position's value at the mark price; 0.0001 is 0.01 %.
        mark_price: quote per base; None where the source does not say it.
    """

    time: Timestamp
    rate: Decimal
    mark_price: Price | None = None


Funding = Mapping[Symbol, Sequence[FundingRate]]
"""Of each symbol, oldest first."""

NO_FUNDING: Final[Funding] = MappingProxyType({})
