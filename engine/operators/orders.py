"""Operators that place, cancel and look up orders, and that move funds."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, cast

from engine.dsl import Choice, Kind, Number, OperatorContext, OperatorSet, Range, SymbolParam, operator
from engine.effects import Applied, Cancelled, Planned, Sent, TransferPolicy
from engine.errors import ActionStatus, DslError, OperatorError
from engine.market import MarketData
from engine.money import to_decimal
from engine.operators.outcomes import Answer, done, later
from engine.operators.placing import place, shown
from engine.orders import Account, Marker, OrderFilter, OrderOptions, Quantity, parse_amount
from engine.state import Side, Transaction
from engine.types import Asset, OrderId, Symbol

SET: Final = OperatorSet("orders", "Placing and cancelling orders; on paper, or on the exchange.")

SideArgument = Annotated[str, Choice("buy", "sell")]
SymbolArgument = Annotated[str, SymbolParam()]


@operator(SET, kind=Kind.EFFECT, source="orders", example="market('buy', 'BTC/USDT', '10%')")
def market(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    options: OrderOptions,
) -> Answer:
    """Buy or sell at once, at the market's price.

    Gives `{"created_orders": [order]}`; several orders when the exchange's maximum demands it.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        params: further parameters of the exchange, such as `{'trailingPercent': 5}` for a trailing stop.
    """
    return place(context, "market", cast(Side, side), Symbol(symbol), amount, None, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="limit('buy', 'BTC/USDT', '10%', '-2%')")
def limit(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    price: Any,
    options: OrderOptions,
) -> Answer:
    """Buy or sell at a price or better; the order stays open until the market reaches it.

    Gives `{"created_orders": [order]}`; several orders when the exchange's maximum demands it.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        price: quote per base, or a text such as '-2%' (from the price now) or '-100d' (in quote).
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from its own price.
        cancel_policy: 'ExpirationTimeOrderCancelPolicy' ends the order at `expiration_time`,
            'ChainedOrderFillingPriceOrderCancelPolicy' when the price reaches one of its exits first.
        cancel_policy_params: parameters of the policy, such as {'expiration_time': now() + 3600}.
        params: further parameters of the exchange, such as `{'timeInForce': 'IOC'}`, `{'postOnly': True}` or
            `{'stopLossPrice': 48000}` for a stop that becomes a limit order.
    """
    return place(context, "limit", cast(Side, side), Symbol(symbol), amount, price, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="stop_loss('sell', 'BTC/USDT', '100%', '-5%')")
def stop_loss(
    context: OperatorContext,
    side: SideArgument,
    symbol: SymbolArgument,
    amount: Any,
    price: Any,
    options: OrderOptions,
) -> Answer:
    """Sell when the price falls to a level, or buy when it rises to it; it locks no funds until then.

    Gives `{"created_orders": [order]}`. On exchanges without stops of their own: `unsupported_stop_order`.

    Args:
        side: buy or sell.
        symbol: the market.
        amount: in base, or a text such as '500q' (quote) or '10%' (of what this side can use).
        price: the level, quote per base, or a text such as '-5%' (from the price now).
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from the level.
        trailing_profile: 'filled_take_profit' moves that stop up with each filled take-profit.
    """
    return place(context, "stop_loss", cast(Side, side), Symbol(symbol), amount, price, options)


@operator(SET, kind=Kind.EFFECT, source="orders", example="cancel_order('BTC/USDT', side='buy')")
def cancel_order(
    context: OperatorContext,
    symbol: SymbolArgument,
    side: Annotated[str | None, Choice("buy", "sell")] = None,
    tag: str | None = None,
    exchange_order_ids: list[str] | None = None,
) -> Answer:
    """Cancel the automation's open orders of a market that match, and what cannot live without them.

    Gives `{"cancelled_orders": [id]}`; no match is the error `order_not_found`.

    Args:
        symbol: the market.
        side: only buys or only sells.
        tag: only orders with this tag.
        exchange_order_ids: only these orders.
    """
    gone = done(context, Cancelled)
    if gone is not None:
        return {"cancelled_orders": [outcome.id for outcome in gone]}
    rules = context.service(MarketData).market(Symbol(symbol))
    wanted = OrderFilter(
        symbol=rules.symbol,
        side=cast("Side | None", side),
        tag=tag,
        ids=None if exchange_order_ids is None else [OrderId(one) for one in exchange_order_ids],
    )
    cancelled = context.service(Account).cancel(wanted, context.key)
    return (
        later(context, cancelled) if isinstance(cancelled, Planned) else {"cancelled_orders": list(cancelled)}
    )


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
    return None if found is None else shown(found)


@operator(SET, kind=Kind.EFFECT, source="orders", example="set_leverage('BTC/USDT:USDT', 3)")
def set_leverage(
    context: OperatorContext, symbol: SymbolArgument, leverage: Annotated[Number, Range(ge=1, le=125)]
) -> Answer:
    """Set how many times its margin a futures position may be worth; an open position's margin follows.

    Gives `{"symbol": …, "leverage": …}`. On spot markets: `incompatible_trading_type`.

    Args:
        symbol: the market.
        leverage: 1 for none.
    """
    market, wanted = context.service(MarketData).market(Symbol(symbol)).symbol, to_decimal(leverage)
    if done(context, Applied) is None:
        changed = context.service(Account).set_leverage(market, wanted, context.key)
        if isinstance(changed, Planned):
            return later(context, changed)
    return {"symbol": market, "leverage": wanted}


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
) -> Answer:
    """Send funds to an address, where the worker allows it: `disabled_funds_transfer_error` otherwise.

    Gives `{"withdrawal": transaction}`. More than available is `not_enough_funds`.

    Args:
        asset: what to send.
        network: the chain it goes over, as the exchange names it.
        address: where it goes; it has to be on the worker's list.
        amount: in units of the asset, or 'all' for everything available.
        tag: memo or tag that the address needs.
    """
    sent = done(context, Sent)
    if sent is not None:
        return _withdrawal(sent[0].transaction)
    context.service(TransferPolicy).check(address)
    account = context.service(Account)
    quantity = _withdrawn(account, Asset(asset), amount)
    transaction = account.withdraw(
        Asset(asset), quantity, network=network, address=address, tag=tag, key=context.key
    )
    return later(context, transaction) if isinstance(transaction, Planned) else _withdrawal(transaction)


def _withdrawal(transaction: Transaction) -> dict[str, Any]:
    return {"withdrawal": transaction.model_dump(exclude_none=True)}


def _withdrawn(account: Account, asset: Asset, amount: Any) -> Decimal:
    quantity = Quantity(Marker.NONE, account.available(asset)) if amount == "all" else parse_amount(amount)
    if quantity.marker not in (Marker.NONE, Marker.BASE) or quantity.value is None:
        raise DslError(
            f"a withdrawal is a plain amount or 'all', not {amount!r}", code="invalid_parameter_format"
        )
    if quantity.value <= 0:
        raise OperatorError(ActionStatus.NOT_ENOUGH_FUNDS, f"there is no {asset} to withdraw")
    return quantity.value
