"""Operators that place, cancel and look up orders, and that move funds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final, cast

from engine.dsl import Choice, Kind, Number, OperatorContext, OperatorSet, Range, SymbolParam, operator
from engine.errors import ActionStatus, DslError, OperatorError
from engine.exchange import Account, MarketData, OrderFilter, OrderRequest
from engine.exchange.future_sizing import holdings
from engine.exchange.limits import sweep_dust
from engine.exchange.market import Market
from engine.exchange.money import to_decimal
from engine.exchange.order_options import OrderOptions, Trigger, read_trigger
from engine.exchange.quantity import Marker, Quantity, parse_amount, parse_price
from engine.exchange.sizing import cap, entry_price, resolve_amount, resolve_price
from engine.exchange.transfers import TransferPolicy
from engine.state import OrderType, Side
from engine.types import Asset, OrderId, Price, Symbol
from engine.values import format_decimal

SET: Final = OperatorSet("orders", "Placing and cancelling orders; on paper, or on the exchange.")

SideArgument = Annotated[str, Choice("buy", "sell")]
SymbolArgument = Annotated[str, SymbolParam()]


@operator(SET, kind=Kind.EFFECT, source="orders", example="market('buy', 'BTC/USDT', '10%')")
def market(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    reduce_only: bool = False,
    tag: str | None = None,
    take_profit_prices: list[Any] | None = None,
    take_profit_volume_percents: list[Any] | None = None,
    stop_loss_price: Any = None,
    trailing_profile: str | None = None,
    cancel_policy: str | None = None,
    cancel_policy_params: dict[str, Any] | None = None,
    active_order_swap_strategy: str | None = None,
    active_order_swap_strategy_params: dict[str, Any] | None = None,  # noqa: ARG001  (on paper, nothing is swapped)
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
        tag: a name to find the order and its exits by.
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from its price.
        take_profit_volume_percents: how much each take-profit closes, such as [40, 60]; else equally.
        stop_loss_price: where to give it up, such as '-5%'.
        trailing_profile: 'filled_take_profit' moves the stop up with each filled take-profit.
        cancel_policy: what ends an order that has not filled; see `limit`.
        cancel_policy_params: parameters of the policy.
        active_order_swap_strategy: which exit stands in the book where an exchange cannot hold both.
        active_order_swap_strategy_params: parameters of the strategy.
        params: further parameters of the exchange, such as `{'trailingPercent': 5}` for a trailing stop.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """
    options = OrderOptions(
        reduce_only=reduce_only,
        tag=tag,
        take_profit_prices=take_profit_prices,
        take_profit_volume_percents=take_profit_volume_percents,
        stop_loss_price=stop_loss_price,
        trailing_profile=trailing_profile,
        cancel_policy=cancel_policy,
        cancel_policy_params=cancel_policy_params,
        swap_strategy=active_order_swap_strategy,
        params=params,
        allow_holdings_adaptation=allow_holdings_adaptation,
    )
    return _place(context, "market", cast(Side, side), Symbol(symbol), amount, None, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="limit('buy', 'BTC/USDT', '10%', '-2%')")
def limit(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    price: Any,
    reduce_only: bool = False,
    tag: str | None = None,
    take_profit_prices: list[Any] | None = None,
    take_profit_volume_percents: list[Any] | None = None,
    stop_loss_price: Any = None,
    trailing_profile: str | None = None,
    cancel_policy: str | None = None,
    cancel_policy_params: dict[str, Any] | None = None,
    active_order_swap_strategy: str | None = None,
    active_order_swap_strategy_params: dict[str, Any] | None = None,  # noqa: ARG001  (on paper, nothing is swapped)
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
        tag: a name to find the order and its exits by.
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from its own price.
        take_profit_volume_percents: how much each take-profit closes, such as [40, 60]; else equally.
        stop_loss_price: where to give it up, such as '-5%'.
        trailing_profile: 'filled_take_profit' moves the stop up with each filled take-profit.
        cancel_policy: 'ExpirationTimeOrderCancelPolicy' ends the order at `expiration_time`,
            'ChainedOrderFillingPriceOrderCancelPolicy' when the price reaches one of its exits first.
        cancel_policy_params: parameters of the policy, such as {'expiration_time': now() + 3600}.
        active_order_swap_strategy: which exit stands in the book where an exchange cannot hold both.
        active_order_swap_strategy_params: parameters of the strategy.
        params: further parameters of the exchange, such as `{'timeInForce': 'IOC'}`, `{'postOnly': True}` or
            `{'stopLossPrice': 48000}` for a stop that becomes a limit order.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """
    options = OrderOptions(
        reduce_only=reduce_only,
        tag=tag,
        take_profit_prices=take_profit_prices,
        take_profit_volume_percents=take_profit_volume_percents,
        stop_loss_price=stop_loss_price,
        trailing_profile=trailing_profile,
        cancel_policy=cancel_policy,
        cancel_policy_params=cancel_policy_params,
        swap_strategy=active_order_swap_strategy,
        params=params,
        allow_holdings_adaptation=allow_holdings_adaptation,
    )
    return _place(context, "limit", cast(Side, side), Symbol(symbol), amount, price, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="stop_loss('sell', 'BTC/USDT', '100%', '-5%')")
def stop_loss(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    price: Any,
    reduce_only: bool = False,
    tag: str | None = None,
    take_profit_prices: list[Any] | None = None,
    take_profit_volume_percents: list[Any] | None = None,
    stop_loss_price: Any = None,
    trailing_profile: str | None = None,
    cancel_policy: str | None = None,
    cancel_policy_params: dict[str, Any] | None = None,
    active_order_swap_strategy: str | None = None,
    active_order_swap_strategy_params: dict[str, Any] | None = None,  # noqa: ARG001  (on paper, nothing is swapped)
    params: dict[str, Any] | None = None,
    allow_holdings_adaptation: bool = False,
) -> dict[str, Any]:
    """Sell when the price falls to a level, or buy when it rises to it; it locks no funds until then.

    Gives `{"created_orders": [order]}`. On exchanges without stops of their own: `unsupported_stop_order`.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        price: the level, quote per base, or a text such as '-5%' (from the price now).
        reduce_only: only ever reduce a position.
        tag: a name to find the order and its exits by.
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from the level.
        take_profit_volume_percents: how much each take-profit closes, such as [40, 60]; else equally.
        stop_loss_price: where to give it up, such as '-5%'.
        trailing_profile: 'filled_take_profit' moves that stop up with each filled take-profit.
        cancel_policy: what ends an order that has not filled; see `limit`.
        cancel_policy_params: parameters of the policy.
        active_order_swap_strategy: which exit stands in the book where an exchange cannot hold both.
        active_order_swap_strategy_params: parameters of the strategy.
        params: further parameters of the exchange.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """
    options = OrderOptions(
        reduce_only=reduce_only,
        tag=tag,
        take_profit_prices=take_profit_prices,
        take_profit_volume_percents=take_profit_volume_percents,
        stop_loss_price=stop_loss_price,
        trailing_profile=trailing_profile,
        cancel_policy=cancel_policy,
        cancel_policy_params=cancel_policy_params,
        swap_strategy=active_order_swap_strategy,
        params=params,
        allow_holdings_adaptation=allow_holdings_adaptation,
    )
    return _place(context, "stop_loss", cast(Side, side), Symbol(symbol), amount, price, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="cancel_order('BTC/USDT', side='buy')")
def cancel_order(
    context: OperatorContext,
    symbol: SymbolArgument,
    side: Annotated[str | None, Choice("buy", "sell")] = None,
    tag: str | None = None,
    exchange_order_ids: list[str] | None = None,
) -> dict[str, Any]:
    """Cancel the automation's open orders of a market that match, and what cannot live without them.

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
    return {"cancelled_orders": list(context.service(Account).cancel(wanted, context.key))}


@operator(SET, kind=Kind.READ, source="orders", example="fetch_order('BTC/USDT', $buy.created_orders[0].id)")
def fetch_order(
    context: OperatorContext,
    symbol: SymbolArgument,
    exchange_order_id: str,
    raise_if_not_found: bool = False,
) -> dict[str, Any] | None:
    """An order of the automation, open or not any more; None for an unknown one.

    Of an order that has filled, what its trades tell is known, as long as they are among the newest 200.

    Args:
        symbol: its market.
        exchange_order_id: its id.
        raise_if_not_found: fail instead of giving None.
    """
    rules = context.service(MarketData).market(Symbol(symbol))
    found = context.service(Account).order(rules.symbol, OrderId(exchange_order_id))
    if found is None and raise_if_not_found:
        raise DslError(
            f"the automation knows no order {exchange_order_id!r} of {symbol}",
            code="invalid_parameters",
            status=ActionStatus.ORDER_NOT_FOUND,
        )
    return None if found is None else found.model_dump()


@operator(SET, kind=Kind.EFFECT, source="orders", example="set_leverage('BTC/USDT:USDT', 3)")
def set_leverage(
    context: OperatorContext, symbol: SymbolArgument, leverage: Annotated[Number, Range(ge=1, le=125)]
) -> dict[str, Any]:
    """Set how many times its margin a futures position may be worth; an open position's margin follows.

    Gives `{"symbol": …, "leverage": …}`. On spot markets: `incompatible_trading_type`.

    Args:
        symbol: the market.
        leverage: 1 for none.
    """
    rules, account = context.service(MarketData).market(Symbol(symbol)), context.service(Account)
    account.set_leverage(rules.symbol, to_decimal(leverage), context.key)
    return {"symbol": rules.symbol, "leverage": account.leverage(rules.symbol)}


@operator(
    SET, kind=Kind.EFFECT, needs_exchange=True, example="withdraw('USDT', 'TRX', 'address', amount='all')"
)
def withdraw(
    context: OperatorContext,
    asset: str,
    network: str,
    address: str,
    amount: Any,
    tag: str | None = None,
) -> dict[str, Any]:
    """Send funds to an address, where the worker allows it: `disabled_funds_transfer_error` otherwise.

    Gives `{"withdrawal": transaction}`. More than available is `not_enough_funds`.

    Args:
        asset: what to send.
        network: the chain it goes over, as the exchange names it.
        address: where it goes; it has to be on the worker's list.
        amount: in units of the asset, or 'all' for everything available.
        tag: memo or tag that the address needs.
    """
    context.service(TransferPolicy).check(address)
    account = context.service(Account)
    quantity = _withdrawn(account, Asset(asset), amount)
    sent = account.withdraw(
        Asset(asset), quantity, network=network, address=address, tag=tag, key=context.key
    )
    return {"withdrawal": sent.model_dump(exclude_none=True)}


def _withdrawn(account: Account, asset: Asset, amount: Any) -> Decimal:
    quantity = Quantity(Marker.NONE, account.available(asset)) if amount == "all" else parse_amount(amount)
    if quantity.marker not in (Marker.NONE, Marker.BASE) or quantity.value is None:
        raise DslError(
            f"a withdrawal is a plain amount or 'all', not {amount!r}", code="invalid_parameter_format"
        )
    if quantity.value <= 0:
        raise OperatorError(ActionStatus.NOT_ENOUGH_FUNDS, f"there is no {asset} to withdraw")
    return quantity.value


def _place(
    context: OperatorContext,
    order_type: OrderType,
    side: Side,
    symbol: Symbol,
    amount: Any,
    price: Any,
    options: OrderOptions,
) -> dict[str, Any]:
    """Price, size and place an order."""
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
    orders = account.place(replace(request, amount=sized), context.key)
    return {"created_orders": [order.model_dump() for order in orders]}


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
        trigger, level = Trigger(order_type, level), None
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
