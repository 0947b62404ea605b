"""Linear futures on paper: one position per symbol, with isolated margin.

The wallet is the quote asset's total. A position's margin and what open orders may need are locked of it;
profit and loss enter it when they are realised. The most that a position can lose is its margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.errors import ActionStatus, ConfigurationError, OperatorError
from engine.market import Market
from engine.money import ZERO, exact
from engine.orders import flat_position, reducible
from engine.paper.fills import Fill
from engine.paper.ledger import Ledger, Lock
from engine.state import Fee, Order, Position, Side
from engine.types import Amount, OrderId, Price, Symbol, Timestamp
from engine.values import format_decimal

MAINTENANCE_RATE: Final = Decimal("0.004")
"""Share of a position's value below which its margin must not fall: Binance's rate for small positions."""

LIQUIDATION: Final = "liquidation"

_PLACES: Final = Decimal("1e-18")


class FuturesBooking:
    """The positions of an account, and the orders that would liquidate them.

    Args:
        ledger: holds the wallet; each position's margin is a lock in it.
        positions: stored positions; one with amount 0 only remembers a leverage.
        market: gives the trading rules of a symbol.

    Raises:
        ConfigurationError: the wallet is too small for the positions' margins.
    """

    def __init__(
        self,
        ledger: Ledger,
        positions: Iterable[Position],
        market: Callable[[Symbol], Market],
    ) -> None:
        self._ledger = ledger
        self._market = market
        self._positions = {held.symbol: held.model_copy() for held in positions}
        self._guards: dict[Symbol, Order] = {}
        for held in self._positions.values():
            try:
                self._lock_margin(held)
            except OperatorError as error:
                raise ConfigurationError(
                    f"the stored account cannot hold its position of {held.symbol}: {error.message}",
                    code="inconsistent_portfolio",
                ) from error
            self._guard(held)

    def copy(self, ledger: Ledger) -> FuturesBooking:
        """Return the same positions beside a copy of the ledger."""
        other = FuturesBooking(ledger, (), self._market)
        other._positions = {symbol: held.model_copy() for symbol, held in self._positions.items()}
        for held in other._positions.values():
            other._guard(held)
        return other

    def position(self, symbol: Symbol) -> Position | None:
        """Return the open position of a symbol."""
        held = self._positions.get(symbol)
        return held if held is not None and held.amount else None

    def symbols(self) -> Sequence[Symbol]:
        """Return the symbols with an open position."""
        return [symbol for symbol, held in self._positions.items() if held.amount]

    def leverage(self, symbol: Symbol) -> Decimal:
        """Return how many times its margin a position of a symbol may be worth."""
        held = self._positions.get(symbol)
        return held.leverage if held is not None else Decimal(1)

    def guards(self) -> Sequence[Order]:
        """Return, for each position, the order with which the exchange would liquidate it."""
        return list(self._guards.values())

    def guard(self, symbol: Symbol) -> Order | None:
        """Return the order that would liquidate a symbol's position."""
        return self._guards.get(symbol)

    def reducible(self, symbol: Symbol, side: Side) -> Amount:
        """Return how much of a position an order of this side can close, in base."""
        return reducible(self.position(symbol), side)

    @exact
    def dump(self, prices: Mapping[Symbol, Price]) -> list[Position]:
        """Return the positions as they are stored, with their profit where the price is known."""
        stored = []
        for held in self._positions.values():
            mark = prices.get(held.symbol)
            if mark is not None:
                held.unrealised_pnl = profit(held, held.amount, mark)
            stored.append(held)
        return stored

    @exact
    def set_leverage(
        self, symbol: Symbol, leverage: Decimal, at: Timestamp, mark: Price | None = None
    ) -> None:
        """Change a symbol's leverage, and with it the margin of an open position.

        What an open loss has used up of the margin stays in it: more leverage does not pay out what is lost.

        Args:
            symbol: the market.
            leverage: how many times its margin a position may be worth.
            at: UNIX seconds.
            mark: the market's price; without it, no loss is open.

        Raises:
            OperatorError: `not_enough_funds`, when the margin would grow beyond the wallet.
        """
        before = self._positions.get(symbol) or flat_position(symbol)
        after = before.model_copy(update={"leverage": leverage})
        loss = ZERO if mark is None else max(ZERO, -profit(before, before.amount, mark))
        after.margin = _rounded(after.amount * after.entry_price / leverage) + loss
        quote = self._market(symbol).quote
        more = after.margin - before.margin
        if more > self._ledger.available(quote):
            raise _too_little(quote, more, self._ledger.available(quote))
        self._replace(after, at)

    # Booking

    @exact
    def lock(self, order: Order, market: Market, remaining: Amount) -> Lock | None:
        """Return what an open order locks: margin and fee of the part that would open a position.

        Orders that wait for a stop price, and reduce-only ones, lock nothing.
        """
        if order.stop_price is not None or order.reduce_only:
            return None
        opening = max(ZERO, remaining - self.reducible(order.symbol, order.side))
        cost = opening * (order.price or ZERO)
        margin = _rounded(cost / self.leverage(order.symbol))
        return Lock(market.quote, margin + cost * max(market.maker, market.taker))

    def tradable(self, order: Order) -> Amount:
        """Return what is left of the order; of a reduce-only one, no more than there is to reduce."""
        if not order.reduce_only:
            return order.remaining
        return min(order.remaining, self.reducible(order.symbol, order.side))

    @exact
    def fill(self, order: Order, market: Market, amount: Amount, fill: Fill, fee: Fee) -> None:
        """Change the position, realise what it closes, and pay the fee.

        Raises:
            OperatorError: `not_enough_funds`; nothing has changed then.
        """
        before = self._positions.get(order.symbol) or flat_position(order.symbol)
        closed = min(amount, self.reducible(order.symbol, order.side))
        freed = before.margin - _margin_of(before, before.amount - closed)
        # An isolated position cannot lose more than its margin, whatever the price has jumped to.
        change = max(profit(before, closed, fill.price), -freed) - fee.cost
        after = _changed(before, order.side, amount, closed, fill.price)
        own_lock = self._ledger.lock_of(order.id)
        free = self._ledger.available(market.quote) + (own_lock.amount if own_lock else ZERO)
        if closed == amount:  # always possible: what the wallet cannot pay of the fee stays unpaid
            change = max(change, -free - freed)
        if free + before.margin + change < after.margin:
            raise _too_little(market.quote, after.margin - before.margin - change, free)
        self._ledger.release(order.id)
        self._ledger.release(_margin_id(order.symbol))
        self._ledger.change({market.quote: change})
        self._replace(after, fill.time)
        left = order.remaining - amount
        keep = self.lock(order, market, left) if left else None
        if keep is not None:
            self._ledger.lock(order.id, keep)

    @exact
    def fund(self, symbol: Symbol, rate: Decimal, mark: Price, at: Timestamp) -> Decimal:
        """Book a funding of the open position: a long pays a positive rate, a short receives it.

        It goes out of the position's margin or into it, and moves its liquidation price. Binance, "Event:
        Balance and Position Update": the funding fee of an isolated position changes the balance and that
        position.

        Returns:
            What the wallet gains, in quote; a position pays no more than its margin.
        """
        held = self.position(symbol)
        if held is None:
            return ZERO
        received = held.amount * mark * (-rate if held.side == "long" else rate)
        gain = max(received, -held.margin)
        if gain:
            self._ledger.release(_margin_id(symbol))
            self._ledger.change({self._market(symbol).quote: gain})
            self._replace(held.model_copy(update={"margin": held.margin + gain}), at)
        return gain

    @exact
    def liquidate(self, symbol: Symbol, at: Timestamp) -> Fee:
        """Close a position at the cost of its whole margin; return what is lost beyond its loss in price."""
        held = self._positions[symbol]
        quote = self._market(symbol).quote
        loss = -profit(held, held.amount, held.liquidation_price or held.entry_price)
        self._ledger.release(_margin_id(symbol))
        self._ledger.change({quote: -held.margin})
        self._replace(flat_position(symbol, held.leverage).carrying(held), at)
        return Fee(cost=max(ZERO, held.margin - loss), currency=quote)

    # Inside

    def _replace(self, position: Position, at: Timestamp) -> None:
        self._ledger.release(_margin_id(position.symbol))
        position.liquidation_price = liquidation_price(position) if position.amount else None
        _keep_since(position, self._positions.get(position.symbol), at)
        self._positions[position.symbol] = position
        self._lock_margin(position)
        self._guard(position)

    def _lock_margin(self, position: Position) -> None:
        if position.amount:
            lock = Lock(self._market(position.symbol).quote, position.margin)
            self._ledger.lock(_margin_id(position.symbol), lock)

    def _guard(self, position: Position) -> None:
        """Keep the order that would liquidate the position in step with it."""
        known = self._guards.pop(position.symbol, None)
        if known is not None:
            known.status = "canceled"
        if position.amount and position.liquidation_price is not None and position.liquidation_price > 0:
            self._guards[position.symbol] = Order(
                id=OrderId(f"{LIQUIDATION}/{position.symbol}"),
                symbol=position.symbol,
                side="sell" if position.side == "long" else "buy",
                type="stop_loss",
                amount=position.amount,
                stop_price=position.liquidation_price,
                stop_since=position.liquidation_since,
                stop_before=position.liquidation_before,
                created_at=position.opened_at,
                reduce_only=True,
                tag=LIQUIDATION,
            )


def _keep_since(position: Position, before: Position | None, at: Timestamp) -> None:
    """Keep since when a position and its liquidation price are what they are."""
    if before is None or not before.amount or before.side != position.side or not position.amount:
        position.opened_at = position.liquidation_since = at if position.amount else 0
        position.liquidation_before = None
    elif at > before.liquidation_since:
        position.opened_at, position.liquidation_since = before.opened_at, at
        position.liquidation_before = before.liquidation_price
    else:
        position.opened_at, position.liquidation_since = before.opened_at, before.liquidation_since
        position.liquidation_before = before.liquidation_before


@exact
def liquidation_price(position: Position) -> Price:
    """Return the price at which the margin left is the maintenance margin.

    Binance, "Liquidation price of USDⓈ-M futures contracts", for isolated margin and the lowest bracket.
    """
    value = position.amount * position.entry_price
    if position.side == "long":
        return _rounded((value - position.margin) / (position.amount * (1 - MAINTENANCE_RATE)))
    return _rounded((value + position.margin) / (position.amount * (1 + MAINTENANCE_RATE)))


@exact
def profit(position: Position, amount: Amount, price: Price) -> Decimal:
    """Return what `amount` of a position gains at a price, in quote."""
    difference = price - position.entry_price
    return (difference if position.side == "long" else -difference) * amount


def _changed(before: Position, side: Side, amount: Amount, closed: Amount, price: Price) -> Position:
    """Return the position after a trade that closes `closed` of it and opens the rest."""
    opened, kept = amount - closed, before.amount - closed
    if not opened:
        if not kept:
            return flat_position(before.symbol, before.leverage).carrying(before)
        return before.model_copy(update={"amount": kept, "margin": _margin_of(before, kept)})
    size = kept + opened
    after = Position(
        symbol=before.symbol,
        side="long" if side == "buy" else "short",
        amount=size,
        entry_price=_rounded((kept * before.entry_price + opened * price) / size),
        leverage=before.leverage,
        margin=(before.margin if kept else ZERO) + _rounded(opened * price / before.leverage),
    )
    return after.carrying(before)


def _margin_of(position: Position, part: Amount) -> Decimal:
    """Return the margin of a part of a position."""
    return _rounded(position.margin * part / position.amount) if part else ZERO


def _rounded(quotient: Decimal) -> Decimal:
    """Cut a quotient to 18 places, which is finer than any market's step."""
    return quotient.quantize(_PLACES)


def _margin_id(symbol: Symbol) -> OrderId:
    return OrderId(f"margin/{symbol}")


def _too_little(quote: str, needed: Decimal, available: Decimal) -> OperatorError:
    return OperatorError(
        ActionStatus.NOT_ENOUGH_FUNDS,
        f"a margin of {format_decimal(needed)} {quote} is needed, {format_decimal(available)} are available",
    )
