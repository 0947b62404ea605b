"""From the text of an amount or a price to a number: how much of what one has, relative to which price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Protocol

from engine.errors import ActionStatus, DslError, OperatorError
from engine.market import Market, MarketData
from engine.money import ZERO, exact
from engine.orders.account_protocols import Account
from engine.orders.quantity import Marker, Quantity
from engine.state import Side
from engine.types import Amount, Asset, Price
from engine.values import short_decimal

HUNDRED: Final = Decimal(100)


class Holdings(Protocol):
    """What relative amounts are relative to; all in base."""

    def total(self) -> Amount:
        """Return all that the side of the order could use: quote worth of base on a buy, base on a sell."""
        ...

    def available(self) -> Amount:
        """Return what no open order locks of it."""
        ...

    def pair_value(self) -> Amount:
        """Return the value of what is held of the pair's two assets."""
        ...

    def traded_value(self) -> Amount:
        """Return the value of what is held of all traded assets."""
        ...

    def position(self) -> Amount:
        """Return the size of the futures position.

        Raises:
            DslError: `unsupported` on spot.
        """
        ...


AMOUNTS: Final[Mapping[Marker, Callable[[Decimal, Price, Holdings], Amount]]] = {
    Marker.NONE: lambda value, _price, _holdings: value,
    Marker.BASE: lambda value, _price, _holdings: value,
    Marker.QUOTE: lambda value, price, _holdings: value / price,
    Marker.PERCENT: lambda value, _price, holdings: holdings.total() * value / HUNDRED,
    Marker.AVAILABLE_PERCENT: lambda value, _price, holdings: holdings.available() * value / HUNDRED,
    Marker.PAIR_PERCENT: lambda value, _price, holdings: holdings.pair_value() * value / HUNDRED,
    Marker.TRADED_PERCENT: lambda value, _price, holdings: holdings.traded_value() * value / HUNDRED,
    Marker.POSITION: lambda value, _price, holdings: holdings.position() * value / HUNDRED,
    Marker.POSITION_PERCENT: lambda value, _price, holdings: holdings.position() * value / HUNDRED,
}

PRICES: Final[Mapping[Marker, Callable[[Decimal, Price, Callable[[], Price]], Price]]] = {
    Marker.NONE: lambda value, _reference, _entry: value,
    Marker.ABSOLUTE: lambda value, _reference, _entry: value,
    Marker.QUOTE: lambda value, _reference, _entry: value,
    Marker.OFFSET: lambda value, reference, _entry: reference + value,
    Marker.PERCENT: lambda value, reference, _entry: reference * (HUNDRED + value) / HUNDRED,
    Marker.ENTRY: lambda value, _reference, entry: entry() + value,
    Marker.ENTRY_PERCENT: lambda value, _reference, entry: entry() * (HUNDRED + value) / HUNDRED,
}


@exact
def resolve_amount(quantity: Quantity, target_price: Price, holdings: Holdings) -> Amount:
    """Return an amount in base.

    Args:
        quantity: from `parse_amount`.
        target_price: the order's own price, which amounts in quote are divided by.
        holdings: what relative amounts are relative to.

    Raises:
        DslError: the amount is relative to something that is not there.
    """
    assert quantity.value is not None, "parse_amount refuses quantities without a number"
    if quantity.marker is Marker.QUOTE and target_price <= 0:
        return ZERO
    return AMOUNTS[quantity.marker](quantity.value, target_price, holdings)


@exact
def resolve_price(quantity: Quantity, reference: Price, entry: Callable[[], Price]) -> Price:
    """Return an absolute price.

    Args:
        quantity: from `parse_price`.
        reference: the price that offsets are relative to.
        entry: gives the entry price of the position.
    """
    assert quantity.value is not None, "parse_price refuses quantities without a number"
    return PRICES[quantity.marker](quantity.value, reference, entry)


def cap(requested: Amount, affordable: Amount, *, adapt: bool) -> Amount:
    """Return the requested amount, or what is affordable of it when the order may be adapted.

    Raises:
        OperatorError: `not_enough_funds`.
    """
    if requested <= affordable:
        return requested
    if not adapt:
        raise OperatorError(
            ActionStatus.NOT_ENOUGH_FUNDS,
            f"{short_decimal(requested)} asked for, {short_decimal(affordable)} affordable; "
            "`allow_holdings_adaptation=True` would order what is affordable",
        )
    return affordable


class SideHoldings:
    """Holdings of an account, as one side of one market sees them.

    Args:
        account: what is held.
        data: prices.
        market: the market of the order.
        side: of the order.
        price: what base is counted at on a buy: the price now, or the order's own.
    """

    def __init__(self, account: Account, data: MarketData, market: Market, side: Side, price: Price) -> None:
        self._account = account
        self._data = data
        self._market = market
        self._side = side
        self._price = price

    def total(self) -> Amount:
        """Return what the total holdings could buy or sell."""
        return self._usable(self._account.total)

    def available(self) -> Amount:
        """Return what the available holdings could buy or sell."""
        return self._usable(self._account.available)

    def pair_value(self) -> Amount:
        """Return the value of base and quote."""
        market = self._market
        return self._account.total(market.base) + self._account.total(market.quote) / self._price

    def traded_value(self) -> Amount:
        """Return the value of the assets of all symbols that prices were fetched for."""
        markets = [self._data.market(symbol) for symbol in self._data.priced_symbols()]
        assets = dict.fromkeys([self._market.base, self._market.quote])
        assets.update(dict.fromkeys(asset for market in markets for asset in (market.base, market.quote)))
        values = [self._data.value(self._account.total(asset), asset, self._market.base) for asset in assets]
        return sum((value for value in values if value is not None), ZERO)

    def position(self) -> Amount:
        """Return the size of the futures position."""
        if self._market.kind == "spot":
            raise _only_futures("an amount in percent of a position")
        held = self._account.position(self._market.symbol)
        return held.amount if held else ZERO

    @exact
    def _usable(self, held: Callable[[Asset], Decimal]) -> Amount:
        """Return what the side could trade of the holdings, with room for a fee that is paid in them."""
        market, is_buy = self._market, self._side == "buy"
        given = market.quote if is_buy else market.base
        usable = held(given)
        if market.fee_asset(self._side) == given:
            usable /= 1 + max(market.maker, market.taker)
        if not is_buy:
            return usable
        return usable / self._price if self._price > 0 else ZERO


def entry_price(account: Account, market: Market) -> Price:
    """Return the entry price of a market's futures position.

    Raises:
        DslError: `unsupported`, when there is no position.
    """
    held = account.position(market.symbol)
    if held is None:
        raise _only_futures("a price relative to the entry price")
    return held.entry_price


def _only_futures(what: str) -> DslError:
    return DslError(f"{what} needs an open futures position", code="unsupported")
