"""An order of the state in the words of ccxt, its numbers exactly as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal

from engine.exchanges import Capabilities
from engine.money import exact, to_decimal
from engine.state import Order, OrderType
from engine.values import format_decimal

_STOP_LOSS, _TAKE_PROFIT = "stopLossPrice", "takeProfitPrice"

_FORMS: Final[Mapping[OrderType, tuple[Literal["market", "limit"], str | None]]] = MappingProxyType(
    {
        "market": ("market", None),
        "limit": ("limit", None),
        "stop_loss": ("market", _STOP_LOSS),
        "stop_limit": ("limit", _STOP_LOSS),
        "take_profit": ("market", _TAKE_PROFIT),
        "take_profit_limit": ("limit", _TAKE_PROFIT),
        "trailing_stop": ("market", None),
    }
)
"""What an order does when its time has come, and what ccxt calls the price that it waits for."""

CcxtMarket = Mapping[str, Any]


class UnpricedOrder(ValueError):
    """A market buy has no price, where the exchange counts it in quote; nothing can be sent."""


@dataclass(frozen=True, slots=True)
class OrderCall:
    """The arguments of ccxt's `create_order`, numbers as text: floats would not be what was meant."""

    symbol: str
    type: Literal["market", "limit"]
    side: str
    amount: str
    price: str | None
    params: Mapping[str, Any] = field(default_factory=dict)


def order_call(order: Order, market: CcxtMarket, capabilities: Capabilities) -> OrderCall:
    """Return how an order is created.

    Args:
        order: with everything fixed; a market buy needs its `price` where the exchange counts it in quote.
        market: in ccxt's form.
        capabilities: the exchange's row.

    Raises:
        UnpricedOrder: a market buy has no price to count its cost by.
    """
    kind, waits_for = _FORMS[order.type]
    spot = not market.get("contract")
    by_cost = spot and capabilities.market_buys_by_cost and order.type == "market" and order.side == "buy"
    if by_cost and order.price is None:
        raise UnpricedOrder("market buys are counted in cost here, and the order has no price to count it by")
    # Elsewhere a price would turn the amount of a market order into a cost.
    price = order.price if kind == "limit" or by_cost else None
    is_stop = waits_for is not None or order.type == "trailing_stop"
    client_id = capabilities.id_argument(order.client_order_id or "")
    params: dict[str, Any] = {capabilities.id_parameter: client_id}
    if is_stop and capabilities.stop_id_parameter is not None:
        params[capabilities.stop_id_parameter] = client_id
    if waits_for is not None and order.stop_price is not None:
        params[capabilities.stop_price_parameter or waits_for] = format_decimal(order.stop_price)
    if order.type == "trailing_stop" and order.trailing_percent is not None:
        params["trailingPercent"] = format_decimal(order.trailing_percent)
        params.update(capabilities.spot_trailing_params if spot else {})
    if order.reduce_only and not spot:
        params["reduceOnly"] = True
    return OrderCall(
        symbol=order.symbol,
        type=kind,
        side=order.side,
        amount=format_decimal(contracts(order.amount, market)),
        price=None if price is None else format_decimal(price),
        params={**params, **_time_in_force(order, kind)},
    )


@exact
def contracts(amount: Decimal, market: CcxtMarket) -> Decimal:
    """Return an amount of base in the unit that the exchange counts this market in."""
    size = contract_size(market)
    return amount if size == 1 else amount / size


def contract_size(market: CcxtMarket) -> Decimal:
    """Return how much base one unit of an amount is: 1 on spot, the size of a contract on some futures."""
    return to_decimal(market.get("contractSize") or 1) if market.get("contract") else Decimal(1)


def _time_in_force(order: Order, kind: Literal["market", "limit"]) -> Mapping[str, Any]:
    if kind == "market" or order.time_in_force == "GTC":
        return {}
    return {"postOnly": True} if order.time_in_force == "PO" else {"timeInForce": order.time_in_force}
