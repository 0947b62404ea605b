"""Lists of an account that come in pages: orders, fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.exchanges import Client
from engine.live.venue.reports import Raw

SMALLEST_PAGE: Final = 50
"""Rows that every exchange puts on a page when it is asked to."""

MOST_PAGES: Final = 20

_FEATURES: Final[Mapping[str, str]] = {
    "fetch_orders": "fetchOrders",
    "fetch_open_orders": "fetchOpenOrders",
    "fetch_closed_orders": "fetchClosedOrders",
    "fetch_canceled_orders": "fetchClosedOrders",
    "fetch_canceled_and_closed_orders": "fetchClosedOrders",
    "fetch_my_trades": "fetchMyTrades",
}
"""Where ccxt notes how long a page of a list can be."""


def page_size(client: Client, name: str) -> int | None:
    """Return how many rows a page of one of ccxt's lists can have; None where ccxt does not know it."""
    features = client.features or {}
    offered = features.get(client.options.get("defaultType", "spot")) or features.get("spot") or {}
    offered = offered.get("linear") or offered
    return (offered.get(_FEATURES[name]) or {}).get("limit")


async def fetch_pages(
    client: Client, name: str, symbol: str, since: int, params: Mapping[str, Any]
) -> Sequence[Raw]:
    """Fetch a list from an instant on, page after page, until one is not full or brings nothing new.

    Args:
        client: asks for it.
        name: ccxt's method.
        symbol: of the market.
        since: milliseconds.
        params: for ccxt.

    Raises:
        BaseError: of ccxt, as every request.
    """
    size = page_size(client, name) or SMALLEST_PAGE
    rows: dict[str, Raw] = {}
    for _ in range(MOST_PAGES):
        page = await getattr(client, name)(symbol, since, size, dict(params))
        news = {str(raw["id"]): raw for raw in page if str(raw["id"]) not in rows}
        rows |= news
        if len(page) < size or not news:
            break
        since = max(int(raw.get("timestamp") or since) for raw in page)
    return list(rows.values())
