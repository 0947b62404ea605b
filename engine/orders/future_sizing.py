"""Holdings of an account as the order of a futures market sees them: the wallet, times the leverage."""

from __future__ import annotations

from engine.market import Market, MarketData
from engine.money import ZERO, exact
from engine.orders.account_protocols import Account
from engine.orders.positions import reducible
from engine.orders.sizing import Holdings, SideHoldings
from engine.state import Side
from engine.types import Amount, Price


class FutureHoldings:
    """What one side of a linear future could trade; all in base.

    Args:
        account: what is held.
        market: the market of the order.
        side: of the order.
        price: what base is counted at.
    """

    def __init__(self, account: Account, market: Market, side: Side, price: Price) -> None:
        self._account = account
        self._market = market
        self._side = side
        self._price = price

    @exact
    def total(self) -> Amount:
        """Return the largest position that the whole wallet could open."""
        return self._account.total(self._market.quote) * self._per_margin()

    @exact
    def available(self) -> Amount:
        """Return what can be closed of the position, and opened with what is available."""
        held = self._account.position(self._market.symbol)
        return reducible(held, self._side) + self._account.available(self._market.quote) * self._per_margin()

    def pair_value(self) -> Amount:
        """Return the wallet's value in base, without leverage."""
        return self._account.total(self._market.quote) / self._price

    def traded_value(self) -> Amount:
        """Return the same: a future is traded with its wallet alone."""
        return self.pair_value()

    def position(self) -> Amount:
        """Return the size of the position."""
        held = self._account.position(self._market.symbol)
        return held.amount if held is not None else ZERO

    def _per_margin(self) -> Amount:
        """Return how much base a unit of quote opens, the dearest fee put aside."""
        leverage = self._account.leverage(self._market.symbol)
        fee = max(self._market.maker, self._market.taker)
        return leverage / (self._price * (1 + fee * leverage)) if self._price > 0 else ZERO


def holdings(account: Account, data: MarketData, market: Market, side: Side, price: Price) -> Holdings:
    """Return what relative amounts of an order are relative to, as its kind of market needs it."""
    if market.kind == "future":
        return FutureHoldings(account, market, side, price)
    return SideHoldings(account, data, market, side, price)
