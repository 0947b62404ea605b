"""Follow-ups: what an order that ended, a price or a time leads to, planned as further intents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.exchanges import Capabilities
from engine.live.books.catch_up import CaughtUp, Ended, is_settled
from engine.live.books.exits_in_one_book import (
    arranged,
    as_placed,
    as_stop,
    given_up,
    is_replaced,
    is_stop,
    moved,
    replacing,
    without_sold,
)
from engine.live.books.follow_up_intents import cancellation, creation, replacements_in
from engine.market import Bars, Market
from engine.money import ZERO, exact
from engine.orders import EXPIRATION_TIME, ended_within, is_reached, opened_exits, react
from engine.state import Intent, Order, Orders
from engine.types import Price, Symbol, Timestamp


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What follow-ups depend on besides the orders.

    Attributes:
        market: trading rules of a symbol; None for one that the exchange does not have any more.
        price: mark price of a symbol; None when it was not fetched.
        bars: what the price did since an order was created, as far as it is known.
        capabilities: of the exchange, for client order ids.
        now: market time, UNIX seconds.
    """

    market: Callable[[Symbol], Market | None]
    price: Callable[[Symbol], Price | None]
    bars: Callable[[Order], Bars | None]
    capabilities: Capabilities
    now: Timestamp


@dataclass(frozen=True, slots=True)
class FollowUps:
    """What is to be done, and the orders as they are until then."""

    intents: Sequence[Intent]
    orders: Orders


def plan_follow_ups(
    caught: CaughtUp, stored: Orders, pending: Sequence[Intent], around: Surroundings
) -> FollowUps:
    """Plan what follows from what the exchange's books say.

    | what happened | what follows |
    |---|---|
    | an entry ended with something filled | its exits are placed; those that must wait become inactive |
    | an exit filled | its group reacts as on paper: others are cancelled, stops are reduced or move |
    | a stop filled, or an inactive one's price came | take-profits on the same coins are sold at the market |
    | an inactive take-profit's price came | the stop is cancelled for it; what is left stays with a stop |
    | an exit ended with a part of it filled | those of its group that wait cover what is left |
    | nothing of a group stands any more | its inactive take-profits are placed, else its stop |
    | an order was cancelled to be replaced | its replacements are placed, within what was left of it |
    | a cancel policy's time or price came | the order is cancelled |

    A group reacts only once nothing of it is on the way; until then, what filled of it stays among the
    closing orders. Planning again from the same state gives the same intents.

    Args:
        caught: the orders as the exchange has them.
        stored: the orders before; not changed.
        pending: effects that are not over yet.
        around: prices and rules.
    """
    planner = _Planner(caught, stored, pending, around)
    for ended in caught.ended:
        planner.conclude(ended)
    planner.react()
    planner.watch_policies()
    planner.watch_inactive()
    return FollowUps(planner.intents, planner.orders)


class _Planner:
    """The orders while follow-ups are planned."""

    def __init__(
        self, caught: CaughtUp, stored: Orders, pending: Sequence[Intent], around: Surroundings
    ) -> None:
        self.orders = Orders(
            open_orders=list(caught.open_orders),
            closing_orders=list(caught.closing),
            inactive_orders=list(stored.inactive_orders),
            missing_orders=list(stored.missing_orders),
            settled_at=stored.settled_at,
            closing_since=stored.closing_since,
        ).carrying(stored)
        self.intents: list[Intent] = []
        self._pending = pending
        self._around = around
        self._filled = [order for order in stored.closing_orders if is_settled(order)]

    def conclude(self, ended: Ended) -> None:
        """Let what hangs on an order appear, and tell of it when it left without its owner's asking."""
        order, asked = self._with_cancellation(ended)
        market = self._around.market(order.symbol)
        if order.status != "closed" and not asked and not is_replaced(order):
            self.orders.missing_orders.append(_as_told(order, self._around.now))
        if order.chained and market is not None:
            self._open(order, market)
        if order.group is not None and order.status == "closed":
            self._filled.append(order.model_copy(update={"chained": []}))
        elif order.group is not None and order.filled and market is not None and not is_replaced(order):
            self._shrink_waiting(order, market)

    def react(self) -> None:
        """Let the groups of filled exits react, each to all of its fills at once."""
        groups: dict[str, list[Order]] = {}
        for order in self._filled:
            groups.setdefault(order.group or "", []).append(order)
        for group, filled in groups.items():
            market = self._around.market(filled[0].symbol)
            if market is None or self._is_busy(group):
                self.orders.closing_orders.extend(filled)
            else:
                self._react(group, filled, market)

    def watch_policies(self) -> None:
        """Cancel the orders whose cancel policy says so by now."""
        for order in list(self.orders.open_orders):
            if order.cancel_policy is not None and self._is_over(order):
                self._cancel(order)

    def watch_inactive(self) -> None:
        """Bring inactive exits into the book when their price came, or when nothing stands in their way."""
        for group in dict.fromkeys(map(_group_of, self.orders.inactive_orders)):
            waiting = [order for order in self.orders.inactive_orders if _group_of(order) == group]
            market = self._around.market(waiting[0].symbol)
            if market is None or self._is_busy(group):
                continue
            standing = [order for order in self.orders.open_orders if order.group == group]
            mark = self._around.price(market.symbol)
            reached = [order for order in waiting if mark is not None and is_reached(order, mark)]
            if standing and market.kind == "spot":
                self._swap(standing, waiting, reached, market)
            else:
                self._promote(waiting, reached)

    # Inside

    def _with_cancellation(self, ended: Ended) -> tuple[Order, bool]:
        """Add what a cancellation says that is still on the way, though the order is known to be gone."""
        order = ended.order
        intent = self._cancellation_of(order)
        if intent is None:
            return order, ended.asked
        chained = replacements_in(intent) or order.chained
        return order.model_copy(update={"chained": chained}), ended.asked or not intent.is_follow_up

    def _cancellation_of(self, order: Order) -> Intent | None:
        """Return the cancellation of an order that is on the way."""
        names = {order.client_order_id, order.id}
        cancellations = (one for one in (*self._pending, *self.intents) if one.kind == "cancel_order")
        return next((one for one in cancellations if {*_target_of(one)} & names), None)

    def _open(self, order: Order, market: Market) -> None:
        if is_replaced(order):
            appearing = replacing(order, market)
        else:
            appearing, waiting = arranged(opened_exits(order, market, self._around.now), market)
            self.orders.inactive_orders.extend(waiting)
        for one in appearing:
            self._create(one)

    def _shrink_waiting(self, ended: Order, market: Market) -> None:
        inactive = self.orders.inactive_orders
        waiting = [order for order in inactive if order.group == ended.group]
        others = [order for order in inactive if order.group != ended.group]
        self.orders.inactive_orders = [*others, *without_sold(waiting, ended, market)]

    def _react(self, group: str, filled: Sequence[Order], market: Market) -> None:
        """Apply the rules of paper groups to copies, and plan what makes the real orders like them."""
        standing = [order for order in self.orders.open_orders if order.group == group]
        after = [order.model_copy(deep=True) for order in standing]
        waiting = [
            order.model_copy(deep=True) for order in self.orders.inactive_orders if order.group == group
        ]
        for order in map(as_stop, filled):
            # On spot a standing stop holds coins of its own, which no take-profit has sold.
            shared = order.filled if market.kind == "future" else ZERO
            after = _without(after, react(order, shared, after, self._around.now).ended)
            waiting = _without(waiting, react(order, order.filled, waiting, self._around.now).ended)
        others = [order for order in self.orders.inactive_orders if order.group != group]
        self.orders.inactive_orders = [*others, *waiting]
        lost = market.kind == "spot" and any(is_stop(order) for order in filled)
        kept = {order.id: order for order in after}
        for order in standing:
            goal = kept.get(order.id)
            if goal is None:
                self._cancel(order, self._given_up(order, market) if lost else ())
            elif (goal.amount, goal.stop_price) != (order.amount, order.stop_price):
                self._cancel(order, moved(goal, goal.remaining, market, self._around.capabilities))

    @exact
    def _swap(
        self, standing: Sequence[Order], waiting: Sequence[Order], reached: Sequence[Order], market: Market
    ) -> None:
        """Exchange what stands for what the price has come to."""
        if any(is_stop(order) for order in reached):
            self._forget(waiting)
            for order in standing:
                self._cancel(order, self._given_up(order, market))
            return
        stop = next((order for order in standing if is_stop(order)), None)
        if stop is None or not reached:
            return
        self._forget(reached)
        left = stop.remaining - sum((order.amount for order in reached), ZERO)
        rest = moved(stop, left, market, self._around.capabilities)
        if not rest:
            # The take-profits need all coins; the stop's price is watched from here instead.
            self.orders.inactive_orders.extend(moved(stop, stop.remaining, market, self._around.capabilities))
        self._cancel(stop, [*reached, *rest])

    def _given_up(self, order: Order, market: Market) -> list[Order]:
        return given_up(order, self._around.price(market.symbol), market, self._around.capabilities)

    def _promote(self, waiting: Sequence[Order], reached: Sequence[Order]) -> None:
        """Place what nothing stands in the way of: a stop whose price has come, else the take-profits."""
        stops = [order for order in reached if is_stop(order)]
        placed = stops or [order for order in waiting if not is_stop(order)] or waiting
        self._forget(placed)
        for order in placed:
            self._create(order)

    def _is_over(self, order: Order) -> bool:
        """Whether the order's cancel policy ends it now."""
        if expires_at(order) is not None:
            return _has_expired(order, self._around.now)
        bars = self._around.bars(order)
        return bars is not None and ended_within(order, bars) is not None

    def _is_busy(self, group: str) -> bool:
        """Whether something of a group is on the way: an effect of it, or fills that are not known yet."""
        known = [*self.orders.open_orders, *self.orders.closing_orders]
        groups = {order.client_order_id: order.group for order in known}
        intents = (*self._pending, *self.intents)
        moving = (one.params.get("group") or groups.get(one.params.get("client_order_id")) for one in intents)
        unknown = (order.group for order in self.orders.closing_orders if not is_settled(order))
        return group in [*moving, *unknown]

    def _create(self, order: Order) -> None:
        self.intents.append(creation(as_placed(order, self._around.price(order.symbol)), self._around.now))

    def _cancel(self, order: Order, replacements: Sequence[Order] = ()) -> None:
        if self._cancellation_of(order) is None:
            self.intents.append(cancellation(order, self._around.now, replacements))

    def _forget(self, orders: Iterable[Order]) -> None:
        self.orders.inactive_orders = _without(self.orders.inactive_orders, orders)


def _target_of(cancellation: Intent) -> tuple[Any, ...]:
    return cancellation.params.get("client_order_id"), cancellation.params.get("id")


def _group_of(order: Order) -> str:
    """Return what ties an exit to others: its group, or itself when it is the only one of its entry."""
    return order.group or order.id


def _without(orders: Sequence[Order], gone: Iterable[Order]) -> list[Order]:
    ids = {order.id for order in gone}
    return [order for order in orders if order.id not in ids]


def expires_at(order: Order) -> Timestamp | None:
    """Return when an order's cancel policy ends it, if that is a matter of time."""
    policy = order.cancel_policy or {}
    return float(policy["expiration_time"]) if policy.get("type") == EXPIRATION_TIME else None


def _has_expired(order: Order, now: Timestamp) -> bool:
    expiry = expires_at(order)
    return expiry is not None and now >= expiry


def _as_told(order: Order, now: Timestamp) -> Order:
    """Return an order that left the book unasked, as its policy explains it."""
    expired = order.status == "canceled" and _has_expired(order, now)
    return order.model_copy(update={"status": "expired"}) if expired else order
