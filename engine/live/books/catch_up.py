"""Catch-up: what happened to the automation's orders since the last look, from the exchange's own books.

==============================  ===================================  ========================================
stored as                       the exchange                         becomes
==============================  ===================================  ========================================
open                            lists it                             open, with the fills that trades tell of
open                            does not list it, shows it open      open: the list was older
open                            knows it no more; it is just placed  open: it is not listed yet
open, closing                   shows it ended, trades add up        ended
open, closing                   shows it ended, trades are missing   closing; ended after `PATIENCE` anyway
open, closing                   knows it no more                     ended, as far as trades tell of it
closing                         shows it open                        closing; open again after `PATIENCE`
closing, with status `closed`   is not asked                         stays until its group has reacted
==============================  ===================================  ========================================
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Final

from engine.errors import ConfigurationError
from engine.exchanges import concurrently, gathered
from engine.live.books.repositories import LiveOrders, LiveRepositories, LiveTrades
from engine.money import ZERO, exact
from engine.state import ExchangeAccountElements, Fee, Order, Orders, OrderStatus, Portfolio, Position, Trade
from engine.types import Asset, OrderId, Seconds, Symbol, Timestamp

LISTING_DELAY: Final[Seconds] = 60
"""How long an exchange may take to list a new order, and how far clocks may differ where fills count."""

PATIENCE: Final[Seconds] = 600
"""How long the trades of an order that left the book may stay unlisted, before its report counts alone."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An order that left the book for good.

    Attributes:
        order: with everything that filled of it.
        asked: whether the automation itself asked for it, by a cancellation in a script.
    """

    order: Order
    asked: bool = False


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The automation's orders, as the exchange's books have them.

    Attributes:
        open_orders: still in the book; `filled` is what their trades say.
        closing: left the book, and not all of their trades are listed yet.
        ended: left the book for good, in the order in which they were known.
        trades: fills that were not known yet.
    """

    open_orders: Sequence[Order] = ()
    closing: Sequence[Order] = ()
    ended: Sequence[Ended] = ()
    trades: Sequence[Trade] = ()


async def catch_up(
    orders: Orders,
    known: Sequence[Trade],
    order_repository: LiveOrders,
    trade_repository: LiveTrades,
    *,
    fresh: Mapping[OrderId, Order],
    now: Timestamp,
) -> CaughtUp:
    """Ask for the open orders, look up those that are missing, and fetch the trades of what filled.

    An order counts as over only when its trades add up to what the exchange says is filled: no fill is lost
    when one answer is older than another, and none is counted twice.

    Args:
        orders: the stored orders; not changed.
        known: the stored trades.
        order_repository: tells of the automation's orders.
        trade_repository: tells of all fills of a symbol.
        fresh: orders that are known already as they were told a moment ago, when they were placed.
        now: market time, UNIX seconds.

    Raises:
        RetryableError, PostponedError, ConfigurationError: as the repositories do.
    """
    stored = [*orders.open_orders, *(order for order in orders.closing_orders if not is_settled(order))]
    listed = await order_repository.fetch_open(orders.open_orders) if orders.open_orders else ()
    told: dict[str | None, Order | None] = {order.client_order_id: order for order in listed}
    missing = [order for order in stored if order.client_order_id not in told]
    told |= {order.client_order_id: fresh[order.id] for order in missing if order.id in fresh}
    unknown = [order for order in missing if order.client_order_id not in told]
    found = await gathered([order_repository.find(order) for order in unknown])
    told |= {order.client_order_id: answer for order, answer in zip(unknown, found, strict=True)}
    waited = now - orders.closing_since if orders.closing_since else 0
    looks = [Look(order, told[order.client_order_id], trusted=waited >= PATIENCE) for order in stored]
    since = _since(look.order for look in looks if look.may_have_filled)
    fills = await trade_repository.fetch(since) if since else ()
    return _account_for(looks, fills, known, orders, now)


def is_settled(order: Order) -> bool:
    """Whether all fills of a closing order are known, so that only its group is still to follow."""
    return order.status == "closed"


@dataclass(frozen=True, slots=True)
class Look:
    """A stored order, and what the exchange tells of it.

    Attributes:
        order: as it was stored.
        told: as the exchange tells it now; None when it does not know it.
        trusted: whether what is told of it counts without the trades that should say the same.
    """

    order: Order
    told: Order | None
    trusted: bool = False

    @property
    def may_have_filled(self) -> bool:
        """Whether there may be fills that no trade has told of yet."""
        return self.told is None or self.told.filled > self.order.filled

    @property
    def expected(self) -> Decimal:
        """How much of it must be accounted for by trades."""
        return ZERO if self.told is None or self.trusted else self.told.filled

    def owns(self, trade: Trade) -> bool:
        """Whether a trade is a fill of the order, under its own id or the one that is told now."""
        ids = {self.order.id} if self.told is None else {self.order.id, self.told.id}
        return trade.symbol == self.order.symbol and trade.order_id in ids

    def status(self, filled: Decimal, now: Timestamp) -> OrderStatus:
        """Return what became of the order when this much of it is known to have filled."""
        if self.told is not None:
            closed_empty = self.told.status == "closed" and not self.told.filled
            return "canceled" if closed_empty else self.told.status
        if filled >= self.order.amount:
            return "closed"
        return "open" if now - self.order.created_at < LISTING_DELAY else "canceled"


def _account_for(
    looks: Sequence[Look], fills: Iterable[Trade], known: Sequence[Trade], orders: Orders, now: Timestamp
) -> CaughtUp:
    """Sort the orders by what became of them, and their fills by whether they are new."""
    fills = list(fills)
    closing_before = {order.client_order_id for order in orders.closing_orders}
    recorded = {(trade.symbol, trade.id) for trade in known}
    still_open, closing, ended, new = [], [], [], []
    for look in looks:
        own = [trade for trade in fills if look.owns(trade)] if look.may_have_filled else []
        order = _filled_by(own, look)
        new += [_named_as(trade, order) for trade in own if (trade.symbol, trade.id) not in recorded]
        status = look.status(order.filled, now)
        if status == "open" and (order.client_order_id not in closing_before or look.trusted):
            still_open.append(order.model_copy(update={"status": "open"}))
        elif status == "open" or order.filled < look.expected:
            closing.append(order)
        else:
            ended.append(Ended(order.model_copy(update={"status": status}), asked=order.status == "canceled"))
    new.sort(key=lambda trade: trade.timestamp)
    return CaughtUp(still_open, closing, ended, new)


def _filled_by(trades: Sequence[Trade], look: Look) -> Order:
    """Return the stored order under the exchange's id, with what its trades say."""
    changes: dict[str, object] = {} if look.told is None else {"id": look.told.id}
    if trades:
        fee = _fee(trades)
        changes |= {
            "filled": _sum(trade.amount for trade in trades),
            "fee": None if fee is None else fee.carrying(look.order.fee),
        }
    if look.trusted and look.told is not None:
        changes |= {"filled": look.told.filled, "fee": look.told.fee}
    return look.order.model_copy(update=changes)


@exact
def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _fee(trades: Sequence[Trade]) -> Fee | None:
    """Return what an order paid in its base asset, else in the asset that it paid first.

    Only the base matters to what follows: it is missing from what can be sold again. A change of the asset
    half-way (an exchange's own coin ran out) leaves all other fees to the trades.
    """
    paid: dict[Asset | None, list[Decimal]] = {}
    for trade in trades:
        if trade.fee is not None and trade.fee.cost:
            paid.setdefault(trade.fee.currency, []).append(trade.fee.cost)
    if not paid:
        return None
    base = Asset(trades[0].symbol.partition("/")[0])
    currency = base if base in paid else next(iter(paid))
    return Fee(cost=_sum(paid[currency]), currency=currency)


def _named_as(trade: Trade, order: Order) -> Trade:
    """Return a trade as a fill of the automation's order."""
    return trade.model_copy(update={"order_id": order.id, "type": order.type, "tag": order.tag})


def _since(orders: Iterable[Order]) -> dict[Symbol, Timestamp]:
    """Return since when trades are needed, by symbol."""
    since: dict[Symbol, Timestamp] = {}
    for order in orders:
        start = max(0.0, order.created_at - LISTING_DELAY)
        since[order.symbol] = min(start, since.get(order.symbol, start))
    return since


def _by_symbol(orders: Orders) -> Mapping[Symbol, Orders]:
    known = [*orders.open_orders, *orders.closing_orders]
    return {
        symbol: orders.model_copy(
            update={
                "open_orders": [order for order in orders.open_orders if order.symbol == symbol],
                "closing_orders": [order for order in orders.closing_orders if order.symbol == symbol],
            }
        )
        for symbol in dict.fromkeys(order.symbol for order in known)
    }


def _joined(parts: Sequence[CaughtUp]) -> CaughtUp:
    return CaughtUp(
        [order for part in parts for order in part.open_orders],
        [order for part in parts for order in part.closing],
        [one for part in parts for one in part.ended],
        sorted((trade for part in parts for trade in part.trades), key=lambda trade: trade.timestamp),
    )


@dataclass(slots=True)
class LookAtAccount:
    """What one look at a live account fetches; it fills up as its parts come in.

    Attributes:
        repositories: of the account.
        traded: symbols whose positions are wanted, besides those that the account is known to have.
        caught_up: what became of the automation's orders.
        portfolio: balances of the whole account.
        positions: futures positions.
        notes: what could not be had.
    """

    repositories: LiveRepositories
    traded: Collection[Symbol]
    caught_up: CaughtUp = field(default_factory=CaughtUp)
    portfolio: Portfolio = field(default_factory=Portfolio)
    positions: Sequence[Position] = ()
    notes: list[str] = field(default_factory=list)

    async def catch_up(
        self, elements: ExchangeAccountElements, placed: Mapping[OrderId, Order], now: Timestamp
    ) -> None:
        """Find out what became of the stored orders; `placed` ones were told of a moment ago."""
        try:
            self.caught_up = await self._caught_up(elements.orders, elements.trades, placed, now)
        except ConfigurationError:  # one dead pair does not hide what became of the others
            parts = await gathered(
                [
                    self._of_symbol(part, symbol, elements.trades, placed, now)
                    for symbol, part in _by_symbol(elements.orders).items()
                ]
            )
            self.caught_up = _joined(parts)

    async def _of_symbol(
        self,
        orders: Orders,
        symbol: Symbol,
        known: Sequence[Trade],
        placed: Mapping[OrderId, Order],
        now: Timestamp,
    ) -> CaughtUp:
        """Return what became of the orders of one symbol; they stay as they are where that cannot be had."""
        try:
            return await self._caught_up(orders, known, placed, now)
        except ConfigurationError as error:
            self.notes.append(f"open orders in {symbol} wait: {error.message}")
            unsettled = [order for order in orders.closing_orders if not is_settled(order)]
            return CaughtUp(open_orders=orders.open_orders, closing=unsettled)

    async def _caught_up(
        self, orders: Orders, known: Sequence[Trade], placed: Mapping[OrderId, Order], now: Timestamp
    ) -> CaughtUp:
        return await catch_up(
            orders, known, self.repositories.orders, self.repositories.trades, fresh=placed, now=now
        )

    async def fetch_holdings(self, elements: ExchangeAccountElements) -> None:
        """Fetch balances, and the positions in what the stored account is known to trade."""
        await concurrently([self._fetch_portfolio(), self._fetch_positions(elements)])

    async def _fetch_portfolio(self) -> None:
        self.portfolio = await self.repositories.portfolio.fetch()

    async def _fetch_positions(self, elements: ExchangeAccountElements) -> None:
        repository = self.repositories.positions
        try:
            self.positions = await repository.fetch(elements, self.traded)
        except ConfigurationError:
            known = {one.symbol: one for one in elements.positions}
            symbols = dict.fromkeys([*elements.exposed_symbols(), *known, *self.traded])
            lists = await gathered([self._positions_of(elements, symbol) for symbol in symbols])
            self.positions = list(chain.from_iterable(lists))

    async def _positions_of(self, elements: ExchangeAccountElements, symbol: Symbol) -> Sequence[Position]:
        """Return the position of one symbol; it stays as it is where that cannot be had."""
        stored = [one for one in elements.positions if one.symbol == symbol]
        alone = elements.model_copy(update={"positions": stored, "orders": Orders()})
        try:
            return await self.repositories.positions.fetch(alone, [symbol])
        except ConfigurationError as error:
            if stored:
                self.notes.append(f"the position in {symbol} is as it was last seen: {error.message}")
            return stored
