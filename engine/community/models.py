"""What automations tell each other: a leader's snapshot, and entries of its log."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from engine.state import Money, OrderType, Side, StateModel
from engine.types import Asset, Symbol

MAX_ASSETS: Final = 200
MAX_ORDERS: Final = 200
MAX_TEXT: Final = 500


class SignalAsset(StateModel):
    """One asset of a leader.

    `ratio` is its share of the account's value, from 0 to 1; None without a price for it.
    """

    asset: Asset
    ratio: Money | None = None


class SignalOrder(StateModel):
    """One open order of a leader; prices in quote per base.

    `ratio` is the value of what it still trades as a share of the account's value.
    """

    symbol: Symbol
    side: Side
    type: OrderType
    ratio: Money | None = None
    price: Money | None = None
    stop_price: Money | None = None
    reduce_only: bool = False


class LeaderSnapshot(StateModel):
    """A leader's account after an invocation: shares of it, never amounts.

    `strategy` names what is followed, `iteration` grows with every snapshot of one automation, `at` is the
    invocation's market time in UNIX seconds. `unit` is the asset that values were counted in. `left_out` is
    how many of the smallest assets and the oldest orders there was no room for.
    """

    strategy: str
    strategy_version: str | None = None
    automation_id: str
    iteration: int = Field(ge=0)
    at: float
    exchange: str
    unit: Asset
    assets: list[SignalAsset] = Field(default_factory=list, max_length=MAX_ASSETS)
    open_orders: list[SignalOrder] = Field(default_factory=list, max_length=MAX_ORDERS)
    left_out: int = 0


class LogEntry(StateModel):
    """One line of what an automation did; `at` is market time in UNIX seconds."""

    strategy: str
    automation_id: str
    iteration: int = Field(ge=0)
    at: float
    level: Literal["info", "warning", "error"] = "info"
    text: str = Field(max_length=MAX_TEXT)
