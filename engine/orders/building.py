"""New orders: from what is asked for to what the market takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from engine.errors import ActionStatus, BelowMinimumError, OperatorError
from engine.market import Market
from engine.money import ZERO
from engine.orders.account_protocols import OrderFilter, OrderRequest
from engine.orders.exit_plans import unsupported_stop
from engine.orders.exits import chained_orders
from engine.orders.limits import check_and_adapt
from engine.state import Order, Trade
from engine.types import Amount, OrderId, Price, Symbol, Timestamp
from engine.values import format_decimal, short_decimal


def new_orders(
    request: OrderRequest, price: Price, market: Market, key: Callable[[str], str], now: Timestamp
) -> list[Order]:
    """Return the orders that a request becomes, each with the exits that hang on it.

    Args:
        request: what is asked for.
        price: what its amount is counted at.
        market: its market.
        key: gives the deterministic id of each leg.
        now: when they are created, UNIX seconds.

    Raises:
        OperatorError: `invalid_order`, `unsupported_stop_order`.
    """
    if request.stop_price is not None and not market.stops:
        raise unsupported_stop(market)
    parts = check_and_adapt(request.amount, price, market)
    if not parts:
        raise _below_minimum(market, request.amount, price)
    orders = []
    for leg, (amount, at_price) in enumerate(parts):
        order = Order(
            id=OrderId(key(str(leg))),
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            amount=amount,
            price=at_price if request.stop_price is None or request.price is not None else None,
            stop_price=None if request.stop_price is None else market.floor_price(request.stop_price),
            trailing_percent=request.trailing_percent,
            created_at=now,
            tag=request.tag,
            reduce_only=request.reduce_only,
            time_in_force=request.time_in_force,
            cancel_policy=None if request.cancel_policy is None else dict(request.cancel_policy),
        )
        order.chained = chained_orders(order, at_price, request.exits, market, _ids(key, leg))
        _check_exits(order, market)
        orders.append(order)
    return orders


def _ids(key: Callable[[str], str], leg: int) -> Callable[[str], OrderId]:
    return lambda name: OrderId(key(f"{leg}/{name}"))


def _check_exits(entry: Order, market: Market) -> None:
    for order in entry.chained:
        price = order.price or order.stop_price or ZERO
        if order.amount < market.smallest_amount(price):
            raise _below_minimum(market, order.amount, price)


def check_ceilings(new: Sequence[Order], is_open: Sequence[Order], market: Market) -> None:
    """Refuse more open orders than the exchange takes; those that trade at once do not count.

    Args:
        new: orders to place.
        is_open: the open orders of the same market.
        market: its ceilings.

    Raises:
        OperatorError: `invalid_order`.
    """
    for what, most, counts in _CEILINGS:
        allowed, adding = most(market), sum(counts(order) for order in new)
        if allowed is None or not adding:
            continue
        has = sum(counts(order) for order in is_open)
        if has + adding > allowed:
            raise OperatorError(
                ActionStatus.INVALID_ORDER,
                f"{market.symbol} takes {allowed} open {what} and has {has}; {adding} more are too many",
            )


_Ceiling = tuple[str, Callable[[Market], int | None], Callable[[Order], bool]]

_CEILINGS: Final[Sequence[_Ceiling]] = (
    (
        "limit orders",
        lambda market: market.max_orders,
        lambda order: order.stop_price is None and order.type != "market",
    ),
    ("stop orders", lambda market: market.max_stops, lambda order: order.stop_price is not None),
)


def order_of(trades: Sequence[Trade]) -> Order | None:
    """Return the order that some trades filled, as far as they tell."""
    if not trades:
        return None
    first = trades[0]
    amount = sum((trade.amount for trade in trades), ZERO)
    return Order(
        id=OrderId(first.order_id or first.id),
        symbol=first.symbol,
        side=first.side,
        type=first.type,
        amount=amount,
        filled=amount,
        price=sum((trade.cost for trade in trades), ZERO) / amount,
        status="closed",
        created_at=first.timestamp,
        fee=first.fee,
        tag=first.tag,
    )


def check_kind(request: OrderRequest, market: Market, reducible: Amount) -> None:
    """Refuse futures that are not linear, and reduce-only orders that have nothing to reduce.

    Args:
        request: what is asked for.
        market: its market.
        reducible: how much of a position an order of its side can close, in base.

    Raises:
        OperatorError: `symbol_incompatible_with_account`, `invalid_order`.
    """
    if not market.is_linear:
        raise OperatorError(
            ActionStatus.SYMBOL_INCOMPATIBLE_WITH_ACCOUNT,
            f"{market.symbol} is not settled in {market.quote}; only linear futures are traded",
        )
    if request.reduce_only and market.kind == "future" and not reducible:
        raise OperatorError(
            ActionStatus.INVALID_ORDER,
            f"a reduce-only {request.side} has no position of {market.symbol} to reduce",
        )


def spot_has_no_leverage(symbol: Symbol) -> OperatorError:
    """Return the error of setting a leverage where there is none."""
    return OperatorError(
        ActionStatus.INCOMPATIBLE_TRADING_TYPE, f"{symbol} is a spot market, which has no leverage"
    )


def described(wanted: OrderFilter) -> str:
    """Say which orders a filter means: ` of BTC/USDT with side buy`."""
    words = (("of", wanted.symbol), ("with side", wanted.side), ("with tag", wanted.tag))
    text = "".join(f" {word} {value}" for word, value in words if value is not None)
    return text if wanted.ids is None else f"{text} with id {', '.join(wanted.ids)}"


def _below_minimum(market: Market, amount: Amount, price: Price) -> BelowMinimumError:
    minima = [
        f"{format_decimal(bound)} {asset}"
        for bound, asset in ((market.amount.minimum, market.base), (market.cost.minimum, market.quote))
        if bound
    ]
    return BelowMinimumError(
        f"{short_decimal(amount)} {market.base} at {short_decimal(price)} is outside what {market.symbol} "
        f"takes{'; the minimum is ' if minima else ''}{' and '.join(minima)}"
    )
