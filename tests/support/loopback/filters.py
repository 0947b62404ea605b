"""The filters that an order must pass, named and ordered as Binance's."""

from __future__ import annotations

from decimal import Decimal

from tests.support.loopback.accounts import ZERO, Account, Kind, OrderRequest
from tests.support.loopback.markets import Listing
from tests.support.loopback.refusals import Reason, Refused


def check(request: OrderRequest, listing: Listing, price: Decimal, account: Account) -> None:
    """Refuse an order that breaks a rule of its market.

    Source: Binance's REST API documentation, "Filters". PERCENT_PRICE is measured against the last price.

    Args:
        price: the last price of the market.

    Raises:
        Refused: with the name of the first filter that fails.
    """
    failures = (
        (
            "PRICE_FILTER",
            _off_grid(request.price, listing.tick) or _off_grid(request.stop_price, listing.tick),
        ),
        ("PERCENT_PRICE", request.kind.has_price and not _near(request.price, price, listing)),
        ("LOT_SIZE", not _tradable(request.amount, listing)),
        ("MARKET_LOT_SIZE", request.kind is Kind.MARKET and request.amount > listing.max_market_amount),
        ("NOTIONAL", request.amount * (request.price or price) < listing.min_notional),
        ("MAX_NUM_ORDERS", _open(account, listing, stops=False) >= listing.max_orders),
        (
            "MAX_NUM_ALGO_ORDERS",
            request.kind.waits and _open(account, listing, stops=True) >= listing.max_stops,
        ),
    )
    for name, failed in failures:
        if failed:
            raise Refused(Reason.FILTER, name)


def _off_grid(value: Decimal, step: Decimal) -> bool:
    return value < ZERO or value % step != ZERO


def _near(price: Decimal, last: Decimal, listing: Listing) -> bool:
    return last * listing.multiplier_down <= price <= last * listing.multiplier_up


def _tradable(amount: Decimal, listing: Listing) -> bool:
    return listing.min_amount <= amount <= listing.max_amount and not _off_grid(amount, listing.step)


def _open(account: Account, listing: Listing, *, stops: bool) -> int:
    return sum(
        order.request.market == listing.id and (not stops or order.request.kind.waits)
        for order in account.open_orders
    )
