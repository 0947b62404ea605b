"""What paper and live ask of a futures position."""

from __future__ import annotations

from decimal import Decimal

from engine.money import ZERO
from engine.state import Position, Side
from engine.types import Amount, Symbol


def flat_position(symbol: Symbol, leverage: Decimal = Decimal(1)) -> Position:
    """Return a position that holds nothing and only remembers a leverage."""
    return Position(symbol=symbol, side="long", amount=ZERO, entry_price=ZERO, leverage=leverage)


def reducible(held: Position | None, side: Side) -> Amount:
    """Return how much of a position an order of this side can close, in base."""
    closes = held is not None and (held.side == "long") == (side == "sell")
    return held.amount if held is not None and closes else ZERO
