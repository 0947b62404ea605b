"""Operators that place and cancel orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final, cast

from engine.dsl import Choice, Kind, OperatorContext, OperatorSet, SymbolParam, operator
from engine.errors import ActionStatus, OperatorError
from engine.exchange import Account, MarketData, OrderFilter, OrderRequest
from engine.exchange.limits import sweep_dust
from engine.exchange.quantity import parse_amount, parse_price
from engine.exchange.sizing import SideHoldings, cap, entry_price, resolve_amount, resolve_price
from engine.state import Side, TimeInForce
from engine.types import OrderId, Symbol
from engine.values import format_decimal

SET: Final = OperatorSet("orders", "Placing and cancelling orders; on paper, or on the exchange.")

SideArgument = Annotated[str, Choice("buy", "sell")]
SymbolArgument = Annotated[str, SymbolParam()]

TIMES_IN_FORCE: Final[frozenset[TimeInForce]] = frozenset({"GTC", "IOC", "FOK", "PO"})


@operator(SET, kind=Kind.EFFECT, source="orders", example="market('buy', 'BTC/USDT', '10%')")
def market(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    reduce_only: bool = False,
    tag: str | None = None,
    *,
    params: dict[str, Any] | None = None,
    allow_holdings_adaptation: bool = False,
) -> dict[str, Any]:
    """Buy or sell at once, at the market's price.

    Gives `{"created_orders": [order]}`; several orders when the exchange's maximum demands it.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        reduce_only: only ever reduce a position.
        tag: a name to find the order by.
        params: further parameters of the exchange.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """
    request = OrderRequest(
        type="market",
        side=cast(Side, side),
        symbol=Symbol(symbol),
        amount=Decimal(0),
        reduce_only=reduce_only,
        tag=tag,
        time_in_force=_time_in_force(params),
    )
    return _place(context, request, amount, adapt=allow_holdings_adaptation)


@operator(SET, kind=Kind.EFFECT, source="orders", example="limit('buy', 'BTC/USDT', '10%', '-2%')")
def limit(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    price: Any,
    reduce_only: bool = False,
    tag: str | None = None,
    *,
    params: dict[str, Any] | None = None,
    allow_holdings_adaptation: bool = False,
) -> dict[str, Any]:
    """Buy or sell at a price or better; the order stays open until the market reaches it.

    Gives `{"created_orders": [order]}`; several orders when the exchange's maximum demands it.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        price: quote per base, or a text such as '-2%' (from the price now) or '-100d' (in quote).
        reduce_only: only ever reduce a position.
        tag: a name to find the order by.
        params: further parameters of the exchange, such as `{'timeInForce': 'IOC'}` or `{'postOnly': True}`.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """
    data, account = context.service(MarketData), context.service(Account)
    rules = data.market(Symbol(symbol))
    at = resolve_price(parse_price(price), data.mark_price(rules.symbol), lambda: entry_price(account, rules))
    request = OrderRequest(
        type="limit",
        side=cast(Side, side),
        symbol=rules.symbol,
        amount=Decimal(0),
        price=rules.floor_price(at),
        reduce_only=reduce_only,
        tag=tag,
        time_in_force=_time_in_force(params),
    )
    return _place(context, request, amount, adapt=allow_holdings_adaptation)


@operator(SET, kind=Kind.EFFECT, source="orders", example="cancel_order('BTC/USDT', side='buy')")
def cancel_order(
    context: OperatorContext,
    symbol: SymbolArgument,
    side: Annotated[str | None, Choice("buy", "sell")] = None,
    tag: str | None = None,
    exchange_order_ids: list[str] | None = None,
) -> dict[str, Any]:
    """Cancel the automation's open orders of a market that match.

    Gives `{"cancelled_orders": [id]}`; no match is the error `order_not_found`.

    Args:
        symbol: the market.
        side: only buys or only sells.
        tag: only orders with this tag.
        exchange_order_ids: only these orders.
    """
    rules = context.service(MarketData).market(Symbol(symbol))
    wanted = OrderFilter(
        symbol=rules.symbol,
        side=cast("Side | None", side),
        tag=tag,
        ids=None if exchange_order_ids is None else [OrderId(one) for one in exchange_order_ids],
    )
    return {"cancelled_orders": list(context.service(Account).cancel(wanted))}


def _place(context: OperatorContext, request: OrderRequest, amount: Any, *, adapt: bool) -> dict[str, Any]:
    """Size the request in base and place it."""
    data, account = context.service(MarketData), context.service(Account)
    rules = data.market(request.symbol)
    quantity = parse_amount(amount)
    target = account.execution_price(request)
    if target <= 0:
        raise OperatorError(
            ActionStatus.INVALID_ORDER, f"a price of {format_decimal(target)} is not above zero"
        )
    # Shares of holdings are counted at today's price, so that '10%' is the same amount at every limit.
    today = account.execution_price(replace(request, price=None))
    requested = resolve_amount(quantity, target, SideHoldings(account, data, rules, request.side, today))
    affordable = SideHoldings(account, data, rules, request.side, target).available()
    sized = cap(requested, affordable, adapt=adapt)
    if request.side == "sell":
        sized = sweep_dust(sized, target, account.available(rules.base), rules)
    orders = account.place(replace(request, amount=sized), context.key)
    return {"created_orders": [order.model_dump() for order in orders]}


def _time_in_force(params: Mapping[str, Any] | None) -> TimeInForce:
    if not params:
        return "GTC"
    if params.get("postOnly"):
        return "PO"
    given = params.get("timeInForce", "GTC")
    if given not in TIMES_IN_FORCE:
        raise OperatorError(
            ActionStatus.INVALID_ORDER,
            f"the time in force {given!r} is not known; use {', '.join(sorted(TIMES_IN_FORCE))}",
        )
    return cast(TimeInForce, given)
