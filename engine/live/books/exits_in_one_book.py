"""Exits on a real exchange: which of a group its book can hold at once, and what stands in for the others."""

from __future__ import annotations

from collections.abc import Sequence

from engine.exchanges import Capabilities
from engine.live.books.names import GIVE_UP, MOVE, STOP, succeeding
from engine.market import Market
from engine.money import ZERO, exact
from engine.orders import is_reached
from engine.state import Order
from engine.types import Amount, Price


@exact
def arranged(exits: Sequence[Order], market: Market) -> tuple[list[Order], list[Order]]:
    """Sort exits into those that are placed and those that wait for their price.

    Futures hold all: exits only ever reduce the position. On spot every order needs coins of its own, so of a
    stop and take-profits over the same coins the first of the list is placed, with its like, and the others
    wait; a stop that comes second keeps what the take-profits leave.
    """
    stops = [order for order in exits if is_stop(order)]
    profits = [order for order in exits if not is_stop(order)]
    if market.kind == "future" or not stops or not profits:
        return list(exits), []
    if is_stop(exits[0]):
        return stops, profits
    rest = stops[0].amount - sum((order.amount for order in profits), ZERO)
    if not takes(market, rest, level(stops[0])):
        return profits, stops
    return [*profits, stops[0].model_copy(update={"amount": rest})], []


def is_stop(order: Order) -> bool:
    """Whether an exit gives its entry up; one whose price had passed already is known by its leg."""
    named_so = order.origin is not None and STOP in order.origin.leg.split("/")
    return order.stop_price is not None or named_so


def as_stop(order: Order) -> Order:
    """Return an exit in the form in which groups take a stop for one."""
    lost_price = is_stop(order) and order.stop_price is None
    return order.model_copy(update={"stop_price": level(order)}) if lost_price else order


def level(order: Order) -> Price:
    """Return the price that an order's amount is counted at."""
    return order.price or order.stop_price or ZERO


def takes(market: Market, amount: Amount, price: Price) -> bool:
    """Whether an exchange takes an order of this size."""
    return amount > 0 and amount >= market.smallest_amount(price)


def at_market(order: Order, mark: Price | None) -> Order:
    """Return an exit that trades at once: exchanges refuse a stop whose price has been passed already.

    Args:
        order: the exit.
        mark: the price now, which its fill is expected at; the exit's own price where it is not known.
    """
    anew = {"type": "market", "price": mark or level(order)}
    return order.model_copy(update={**anew, "stop_price": None, "trailing_percent": None})


def as_placed(order: Order, mark: Price | None) -> Order:
    """Return an exit as the exchange takes it at the price now."""
    passed = mark is not None and order.stop_price is not None and is_reached(order, mark)
    return at_market(order, mark) if passed else order


@exact
def given_up(order: Order, mark: Price | None, market: Market, capabilities: Capabilities) -> list[Order]:
    """Return what sells the coins of a take-profit at once, because the stop's price has come."""
    if not takes(market, order.remaining, level(order)):
        return []
    rest = order.model_copy(update={"amount": order.remaining})
    return [at_market(succeeding(rest, GIVE_UP, capabilities), mark)]


@exact
def moved(order: Order, amount: Amount, market: Market, capabilities: Capabilities) -> list[Order]:
    """Return a stop's successor over another amount; none when the exchange would not take it."""
    floored = market.floor_amount(amount)
    if not takes(market, floored, level(order)):
        return []
    return [succeeding(order.model_copy(update={"amount": floored}), MOVE, capabilities)]


@exact
def without_sold(waiting: Sequence[Order], ended: Order, market: Market) -> list[Order]:
    """Return what waits beside an exit that left the book after a part of it had filled.

    What it sold cannot be sold again: a stop that waits covers all that is left, and of take-profits that
    wait beside a stop the last ones shrink.
    """
    sold, kept = ended.filled, list[Order]()
    for order in reversed(waiting):
        if is_stop(order):
            taken = ended.filled
        else:
            taken = min(sold, order.amount) if is_stop(ended) else ZERO
            sold -= taken
        amount = market.floor_amount(order.amount - taken) if taken else order.amount
        if takes(market, amount, level(order)):
            kept.insert(0, order.model_copy(update={"amount": amount}))
    return kept


@exact
def replacing(order: Order, market: Market) -> list[Order]:
    """Return what takes the place of an order that was cancelled for it, within what was left of that order.

    What filled of it before it was cancelled cannot be sold again.
    """
    left = order.remaining
    placed = []
    for one in order.chained:
        amount = market.floor_amount(min(one.amount, left))
        if takes(market, amount, level(one)):
            placed.append(one.model_copy(update={"amount": amount}))
            left -= amount
    return placed


def is_replaced(order: Order) -> bool:
    """Whether what hangs on an order takes its place, instead of closing what it opened."""
    return any(one.side == order.side for one in order.chained)
