"""The markets of the loopback exchange: some thirty written for it, or a large recorded list."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.support.loopback.accounts import MarketId


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One market and the rules of its filters; amounts in base, prices in quote per base."""

    base: str
    quote: str
    tick: Decimal
    step: Decimal
    price: Decimal
    min_notional: Decimal = Decimal(5)
    min_amount: Decimal
    max_amount: Decimal = Decimal(9_000_000)
    max_market_amount: Decimal = Decimal(9_000_000)
    max_orders: int = 200
    max_stops: int = 5
    multiplier_up: Decimal = Decimal(5)
    multiplier_down: Decimal = Decimal("0.2")

    @property
    def id(self) -> MarketId:
        """Its name in Binance's form; other dialects make their own of base and quote."""
        return MarketId(f"{self.base}{self.quote}")


_WRITTEN: Final = (
    # base, quote, tick, step, first price
    ("BTC", "USDT", "0.01", "0.00001", "60000"),
    ("ETH", "USDT", "0.01", "0.0001", "3000"),
    ("BNB", "USDT", "0.1", "0.001", "600"),
    ("SOL", "USDT", "0.01", "0.001", "150"),
    ("XRP", "USDT", "0.0001", "1", "0.6"),
    ("ADA", "USDT", "0.0001", "0.1", "0.45"),
    ("DOGE", "USDT", "0.00001", "1", "0.12"),
    ("DOT", "USDT", "0.001", "0.01", "6.5"),
    ("LTC", "USDT", "0.01", "0.001", "80"),
    ("LINK", "USDT", "0.01", "0.01", "14"),
    ("AVAX", "USDT", "0.01", "0.01", "30"),
    ("UNI", "USDT", "0.001", "0.01", "8"),
    ("ATOM", "USDT", "0.001", "0.01", "7.5"),
    ("TRX", "USDT", "0.0001", "0.1", "0.13"),
    ("ETC", "USDT", "0.01", "0.01", "25"),
    ("FIL", "USDT", "0.001", "0.01", "5"),
    ("NEAR", "USDT", "0.001", "0.1", "5.5"),
    ("SHIB", "USDT", "0.00000001", "1", "0.00002"),
    ("USDC", "USDT", "0.0001", "1", "1"),
    ("BTC", "USDC", "0.01", "0.00001", "60000"),
    ("ETH", "USDC", "0.01", "0.0001", "3000"),
    ("SOL", "USDC", "0.01", "0.001", "150"),
    ("BTC", "EUR", "0.01", "0.00001", "55000"),
    ("ETH", "EUR", "0.01", "0.0001", "2750"),
    ("ETH", "BTC", "0.00001", "0.0001", "0.05"),
    ("BNB", "BTC", "0.000001", "0.001", "0.01"),
    ("SOL", "BTC", "0.0000001", "0.01", "0.0025"),
    ("LTC", "BTC", "0.000001", "0.001", "0.0013"),
    ("XRP", "BTC", "0.00000001", "1", "0.00001"),
    ("BNB", "ETH", "0.0001", "0.001", "0.2"),
)

_SMALLEST_COST: Final = {"BTC": Decimal("0.0001"), "ETH": Decimal("0.001")}
"""In quote assets that are worth more than a dollar; 5 elsewhere."""


def written_listings() -> Mapping[MarketId, Listing]:
    """Return the markets that the loopback exchange brings along."""
    listings = (
        Listing(
            base=base,
            quote=quote,
            tick=Decimal(tick),
            step=Decimal(step),
            min_amount=Decimal(step),
            price=Decimal(price),
            min_notional=_SMALLEST_COST.get(quote, Decimal(5)),
        )
        for base, quote, tick, step, price in _WRITTEN
    )
    return {listing.id: listing for listing in listings}


def recorded_listings(folder: Path | None = None) -> Mapping[MarketId, Listing] | None:
    """Return the recorded market list of Binance; None when there is no such folder or list.

    It holds no prices: markets that are not written here start at 1.

    Args:
        folder: of recorded market data; that of `OCTOFLOW_MARKET_DATA` when left out.
    """
    if folder is None:
        named = os.environ.get("OCTOFLOW_MARKET_DATA")
        folder = Path(named) if named else None
    if folder is None:
        return None
    path = folder / "exchange" / "binance" / "exchangeInfo.json.gz"
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        entries = json.load(file)["symbols"]
    written = written_listings()
    listings = (_recorded(entry, written) for entry in entries if entry["status"] == "TRADING")
    return {listing.id: listing for listing in listings}


def _recorded(entry: Mapping[str, Any], written: Mapping[MarketId, Listing]) -> Listing:
    filters = {item["filterType"]: item for item in entry["filters"]}
    lot, notional = filters["LOT_SIZE"], filters.get("NOTIONAL") or filters["MIN_NOTIONAL"]
    market_lot = filters.get("MARKET_LOT_SIZE", lot)
    return Listing(
        base=entry["baseAsset"],
        quote=entry["quoteAsset"],
        tick=Decimal(filters["PRICE_FILTER"]["tickSize"]).normalize(),
        step=Decimal(lot["stepSize"]).normalize(),
        price=written[entry["symbol"]].price if entry["symbol"] in written else Decimal(1),
        min_amount=Decimal(lot["minQty"]),
        max_amount=Decimal(lot["maxQty"]),
        max_market_amount=Decimal(market_lot["maxQty"]),
        min_notional=Decimal(notional["minNotional"]),
        max_orders=filters["MAX_NUM_ORDERS"]["maxNumOrders"],
        max_stops=filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"],
    )
