"""Market lists in files: Binance's `exchangeInfo`, and the market dicts of ccxt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from engine.exchanges import STEPS, Counting, Precision
from engine.market.market import DEFAULT_FEE_RATE, DEFAULT_TICK, UNBOUNDED, Bounds, FeeSide, Market
from engine.money import to_decimal
from engine.types import Asset, MarketKind, Symbol

Markets = Mapping[Symbol, Market]

UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading an entry raises whose fields are not what they should be."""

FINEST_TICK: Final = Decimal("1e-18")
"""Of prices that nothing but their significant digits bounds."""

FEE_SIDES: Final = frozenset({"get", "give", "base", "quote"})


def parse_exchange_info(info: Mapping[str, Any]) -> Markets:
    """Read the answer of Binance's `GET /api/v3/exchangeInfo` (spot).

    Raises:
        KeyError: a symbol has no `baseAsset` or `quoteAsset`.
    """
    markets = (_parse_binance_symbol(entry) for entry in info["symbols"])
    return {market.symbol: market for market in markets}


def _parse_binance_symbol(entry: Mapping[str, Any]) -> Market:
    filters = {item["filterType"]: item for item in entry["filters"]}
    lot = filters.get("LOT_SIZE", {})
    price = filters.get("PRICE_FILTER", {})
    # Binance renamed MIN_NOTIONAL to NOTIONAL in 2023; recorded lists hold either.
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    base, quote = Asset(entry["baseAsset"]), Asset(entry["quoteAsset"])
    return Market(
        symbol=Symbol(f"{base}/{quote}"),
        base=base,
        quote=quote,
        amount_tick=_positive(lot.get("stepSize")) or DEFAULT_TICK,
        price_tick=_positive(price.get("tickSize")) or DEFAULT_TICK,
        amount=_bounds(lot.get("minQty"), lot.get("maxQty")),
        cost=_bounds(notional.get("minNotional"), notional.get("maxNotional")),
        price=_bounds(price.get("minPrice"), price.get("maxPrice")),
        stops=any(name.startswith("STOP_LOSS") for name in entry.get("orderTypes", ("STOP_LOSS",))),
        max_orders=filters.get("MAX_NUM_ORDERS", {}).get("maxNumOrders"),
        max_stops=filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders"),
    )


def parse_ccxt_markets(
    entries: Iterable[Mapping[str, Any]],
    *,
    precision: Precision = STEPS,
    stops: Callable[[MarketKind], bool] = lambda _kind: True,
) -> Markets:
    """Read market dicts in ccxt's unified form.

    Args:
        entries: the dicts, as in `exchange.markets.values()`.
        precision: what the key `precision` of an entry means, for entries without a key `precisionMode`,
            which is `step` in those of `to_ccxt_form`.
        stops: whether the exchange has stop orders of its own, for entries without a key `stops`; ccxt
            itself writes none.

    Raises:
        KeyError: an entry has no `symbol`, `base` or `quote`.
    """
    markets = (_parse_ccxt_market(entry, precision, stops) for entry in entries)
    return {market.symbol: market for market in markets}


def parse_public_markets(
    entries: Iterable[Any], *, precision: Precision, stops: Callable[[MarketKind], bool]
) -> Markets:
    """Read what ccxt has made of an exchange's answer; entries that make no sense are left out."""
    markets: dict[Symbol, Market] = {}
    for entry in entries:
        with suppress(*UNREADABLE):
            markets |= parse_ccxt_markets([entry], precision=precision, stops=stops)
    return markets


def _parse_ccxt_market(
    entry: Mapping[str, Any], counted: Precision, stops: Callable[[MarketKind], bool]
) -> Market:
    counted = STEPS if entry.get("precisionMode") == "step" else counted
    precision = entry.get("precision") or {}
    limits = entry.get("limits") or {}
    kind: MarketKind = "future" if entry.get("contract") else "spot"
    # Some exchanges count futures in contracts of a fixed size; here every amount is in base.
    size = to_decimal(entry.get("contractSize") or 1)
    amount_tick = _tick(precision.get("amount"), counted.amount)
    return Market(
        symbol=Symbol(entry["symbol"]),
        base=Asset(entry["base"]),
        quote=Asset(entry["quote"]),
        amount_tick=amount_tick * size,
        price_tick=_price_tick(precision.get("price"), counted, kind, amount_tick),
        amount=_scaled(_limit(limits, "amount"), size),
        cost=_limit(limits, "cost"),
        price=_limit(limits, "price"),
        maker=_rate(entry.get("maker")),
        taker=_rate(entry.get("taker")),
        fee_side=cast(FeeSide, entry["feeSide"]) if entry.get("feeSide") in FEE_SIDES else "get",
        kind=kind,
        stops=entry["stops"] if "stops" in entry else stops(kind),
        max_orders=entry.get("maxOrders"),
        max_stops=entry.get("maxStops"),
        price_digits=entry.get("priceDigits") or _price_digits(precision.get("price"), counted),
        whole_prices=entry.get("wholePrices", counted.whole),
    )


def to_ccxt_form(market: Market) -> dict[str, Any]:
    """Return a market in the form that `parse_ccxt_markets` reads, decimals as text.

    `stops`, `maxOrders`, `maxStops`, `precisionMode`, `priceDigits` and `wholePrices` are keys of ours:
    ccxt's form has no room for them.
    """
    ceilings = (
        ("maxOrders", market.max_orders),
        ("maxStops", market.max_stops),
        ("priceDigits", market.price_digits),
        ("wholePrices", market.whole_prices or None),
    )

    def bounds(value: Bounds) -> dict[str, str]:
        pairs = (("min", value.minimum), ("max", value.maximum))
        return {name: format(bound, "f") for name, bound in pairs if bound is not None}

    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "contract": market.kind == "future",
        "precisionMode": "step",
        "precision": {"amount": format(market.amount_tick, "f"), "price": format(market.price_tick, "f")},
        "limits": {
            "amount": bounds(market.amount),
            "cost": bounds(market.cost),
            "price": bounds(market.price),
        },
        "maker": format(market.maker, "f"),
        "taker": format(market.taker, "f"),
        "feeSide": market.fee_side,
        "stops": market.stops,
        **{name: most for name, most in ceilings if most is not None},
    }


def write_markets(folder: Path, exchange_id: str, markets: Iterable[Market]) -> None:
    """Write the market list of a recorded exchange."""
    path = folder / "exchange" / exchange_id / "markets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = [to_ccxt_form(market) for market in markets]
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _limit(limits: Mapping[str, Any], name: str) -> Bounds:
    entry = limits.get(name) or {}
    return _bounds(entry.get("min"), entry.get("max"))


def _scaled(bounds: Bounds, size: Decimal) -> Bounds:
    if size == 1 or not bounds.is_given:
        return bounds
    return Bounds(*(bound and bound * size for bound in (bounds.minimum, bounds.maximum)))


def _bounds(minimum: Any, maximum: Any) -> Bounds:
    # Exchanges write 0 for "no bound".
    low, high = _positive(minimum), _positive(maximum)
    return UNBOUNDED if low is None and high is None else Bounds(low, high)


def _positive(value: Any) -> Decimal | None:
    if value is None:
        return None
    number = to_decimal(value)
    return number if number > 0 else None


def _tick(value: Any, counted: Counting) -> Decimal:
    if counted == "digits":
        return FINEST_TICK
    if value is None:
        return DEFAULT_TICK
    if counted == "places":
        return Decimal(1).scaleb(-int(value))
    return _positive(value) or DEFAULT_TICK


def _price_tick(value: Any, counted: Precision, kind: MarketKind, amount_tick: Decimal) -> Decimal:
    places = counted.places.get(kind)
    if places is None:
        return _tick(value, counted.price)
    if counted.shared_places:
        places += min(0, amount_tick.normalize().adjusted())
    return Decimal(1).scaleb(-places)


def _price_digits(value: Any, counted: Precision) -> int | None:
    return int(value) if counted.price == "digits" and value is not None else counted.digits


def _rate(value: Any) -> Decimal:
    return DEFAULT_FEE_RATE if value is None else to_decimal(value)
