"""Operators that read the account: holdings, open orders, positions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from engine.dsl import Kind, OperatorContext, OperatorSet, SymbolParam, operator
from engine.errors import DslError
from engine.market import MarketData
from engine.orders import Account, OrderFilter
from engine.types import Asset, Symbol

SET: Final = OperatorSet("portfolio", "Holdings, open orders and positions of the automation's account.")


@operator(SET, kind=Kind.READ, needs_exchange=True, example="total('BTC')")
def total(context: OperatorContext, asset: str) -> Decimal:
    """Holdings of an asset, those that open orders lock included; 0 for an unknown asset.

    Args:
        asset: its code, such as BTC.
    """
    return context.service(Account).total(Asset(asset))


@operator(SET, kind=Kind.READ, needs_exchange=True, example="available('USDT')")
def available(context: OperatorContext, asset: str) -> Decimal:
    """Holdings of an asset that no open order locks; 0 for an unknown asset.

    Args:
        asset: its code, such as USDT.
    """
    return context.service(Account).available(Asset(asset))


@operator(SET, kind=Kind.READ, needs_exchange=True, example="len(open_orders('BTC/USDT'))")
def open_orders(context: OperatorContext, symbol: str | None = None) -> list[dict[str, Any]]:
    """The automation's open orders, oldest first.

    Args:
        symbol: only those of this market.
    """
    wanted = OrderFilter(symbol=None if symbol is None else Symbol(symbol))
    return [order.without_unknown().model_dump() for order in context.service(Account).open_orders(wanted)]


@operator(SET, kind=Kind.READ, source="orders", example="position('BTC/USDT:USDT')")
def position(
    context: OperatorContext, symbol: Annotated[str | None, SymbolParam()] = None
) -> dict[str, Any] | None:
    """The open futures position of a market, or None.

    Args:
        symbol: the market.
    """
    market = context.service(MarketData).market(Symbol(symbol or ""))
    held = context.service(Account).position(market.symbol)
    return None if held is None else held.without_unknown().model_dump()


@operator(SET, kind=Kind.READ, needs_exchange=True, example="holdings_value('USDT')")
async def holdings_value(context: OperatorContext, unit: str) -> Decimal:
    """What all holdings of the account are worth at current prices.

    Args:
        unit: asset that the value is counted in.
    """
    account, data = context.service(Account), context.service(MarketData)
    await data.load_prices(account.assets(), Asset(unit))
    value = Decimal(0)
    for asset in account.assets():
        worth = data.value(account.total(asset), asset, Asset(unit))
        if worth is None:
            raise DslError(f"the exchange gives no price that says what {asset} is worth in {unit}")
        value += worth
    return value
