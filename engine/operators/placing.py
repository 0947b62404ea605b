"""Sizes and places orders: at once on paper; on a live account they are planned, and sent afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.dsl import OperatorContext
from engine.effects import Placed, Planned
from engine.errors import ActionStatus, OperatorError
from engine.market import Market, MarketData
from engine.operators.outcomes import Answer, done, later
from engine.orders import (
    Account,
    OrderOptions,
    OrderRequest,
    PriceTrigger,
    cap,
    entry_price,
    holdings,
    parse_amount,
    parse_price,
    read_trigger,
    resolve_amount,
    resolve_price,
    sweep_dust,
)
from engine.state import Order, OrderType, Side
from engine.types import Price, Symbol
from engine.values import format_decimal


def created(orders: Iterable[Order]) -> dict[str, Any]:
    """Return the result of an operator that places orders."""
    return {"created_orders": [shown(order) for order in orders]}


def shown(order: Order) -> dict[str, Any]:
    """Return an order as scripts see it: without what it remembers for the sake of its follow-ups only."""
    return order.without_unknown().model_dump(
        exclude={"origin": True, "chained": {"__all__": {"origin": True}}}
    )


def place(
    context: OperatorContext,
    order_type: OrderType,
    side: Side,
    symbol: Symbol,
    amount: Any,
    price: Any,
    options: OrderOptions,
) -> Answer:
    """Price, size and place an order."""
    placed = done(context, Placed)
    if placed is not None:
        return created(outcome.order for outcome in placed)
    request = _sized(context, order_type, side, symbol, amount, price, options)
    orders = context.service(Account).place(request, context.key)
    return later(context, orders) if isinstance(orders, Planned) else created(orders)


def _sized(
    context: OperatorContext,
    order_type: OrderType,
    side: Side,
    symbol: Symbol,
    amount: Any,
    price: Any,
    options: OrderOptions,
) -> OrderRequest:
    """Return the order with its price and its amount."""
    data, account = context.service(MarketData), context.service(Account)
    rules = data.market(symbol)
    quantity = parse_amount(amount)
    request = _request(order_type, side, rules, _level(price, account, data, rules), options, data)
    target = account.execution_price(request)
    if target <= 0:
        raise OperatorError(
            ActionStatus.INVALID_ORDER, f"a price of {format_decimal(target)} is not above zero"
        )
    request = replace(request, exits=options.exits(target, rules))
    # Shares of holdings are counted at today's price, so that '10%' is the same amount at every limit.
    today = account.execution_price(replace(request, price=None, stop_price=None))
    requested = resolve_amount(quantity, target, holdings(account, data, rules, side, today))
    usable = holdings(account, data, rules, side, target)
    waits = request.stop_price is not None
    affordable = usable.total() if waits else usable.available()
    sized = cap(requested, affordable, adapt=options.allow_holdings_adaptation)
    if side == "sell" and not waits and rules.kind == "spot":
        sized = sweep_dust(sized, target, account.available(rules.base), rules)
    return replace(request, amount=sized)


def _level(text: Any, account: Account, data: MarketData, rules: Market) -> Price | None:
    """Return the price that a script gave; None for market orders."""
    if text is None:
        return None
    at = resolve_price(parse_price(text), data.mark_price(rules.symbol), lambda: entry_price(account, rules))
    return rules.floor_price(at)


def _request(
    order_type: OrderType,
    side: Side,
    rules: Market,
    level: Price | None,
    options: OrderOptions,
    data: MarketData,
) -> OrderRequest:
    """Return the order without its amount."""
    if order_type == "stop_loss":
        trigger, level = PriceTrigger(order_type, level), None
    else:
        trigger = read_trigger(order_type, options.params, data.mark_price(rules.symbol), side, rules)
    return OrderRequest(
        type=trigger.type,
        side=side,
        symbol=rules.symbol,
        amount=Decimal(0),
        price=level,
        reduce_only=options.reduce_only,
        tag=options.tag,
        time_in_force=options.time_in_force(),
        stop_price=trigger.stop_price,
        trailing_percent=trigger.trailing_percent,
        cancel_policy=options.policy(),
    )
