"""Market lists, as Binance and as ccxt write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.exchanges import Precision
from engine.market.market import Bounds
from engine.market.market_lists import parse_ccxt_markets, parse_exchange_info, to_ccxt_form
from engine.types import Symbol

BTC = Symbol("BTC/USDT")


def exchange_info(*filters: dict[str, str | int]) -> dict[str, Any]:
    symbol = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": list(filters)}
    return {"symbols": [symbol]}


def test_binances_filters_become_ticks_and_bounds() -> None:
    info = exchange_info(
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "10.00000000"},
    )

    market = parse_exchange_info(info)[BTC]

    assert (market.price_tick, market.amount_tick) == (Decimal("0.01"), Decimal("0.00001"))
    assert market.amount == Bounds(Decimal("0.00001"), Decimal(9000))
    assert market.cost == Bounds(Decimal(10), None)
    assert (market.maker, market.taker) == (Decimal("0.001"), Decimal("0.001"))


def test_the_newer_name_of_the_cost_filter_is_known_and_zero_means_unbounded() -> None:
    info = exchange_info({"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "0.0"})
    assert parse_exchange_info(info)[BTC].cost == Bounds(Decimal(5), None)


def test_ccxts_floats_become_exact_decimals() -> None:
    entry = {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "precision": {"amount": 1e-05, "price": 0.01},
        "limits": {"amount": {"min": 1e-05, "max": None}, "cost": {"min": 5.0}},
        "maker": 0.0002,
        "taker": 0.0004,
        "feeSide": "quote",
        "contract": True,
    }

    market = parse_ccxt_markets([entry])[BTC]

    assert market.amount_tick == Decimal("0.00001")
    assert market.amount == Bounds(Decimal("0.00001"), None)
    assert (market.maker, market.taker) == (Decimal("0.0002"), Decimal("0.0004"))
    assert market.kind == "future"
    assert (market.fee_asset("buy"), market.fee_asset("sell")) == ("USDT", "USDT")


def test_precision_may_count_digits() -> None:
    entry = {"symbol": BTC, "base": "BTC", "quote": "USDT", "precision": {"amount": 4, "price": None}}
    market = parse_ccxt_markets([entry], precision=Precision(amount="places", price="places"))[BTC]
    assert (market.amount_tick, market.price_tick) == (Decimal("0.0001"), Decimal("0.00000001"))


def test_fees_are_paid_in_what_the_trader_gets_unless_said_otherwise() -> None:
    market = parse_ccxt_markets([{"symbol": BTC, "base": "BTC", "quote": "USDT"}])[BTC]
    assert (market.fee_asset("buy"), market.fee_asset("sell")) == ("BTC", "USDT")


def test_an_exchange_without_stops_of_its_own_says_so() -> None:
    info = exchange_info()
    info["symbols"][0]["orderTypes"] = ["LIMIT", "MARKET"]
    assert parse_exchange_info(info)[BTC].stops is False
    info["symbols"][0]["orderTypes"] = ["LIMIT", "STOP_LOSS_LIMIT"]
    assert parse_exchange_info(info)[BTC].stops is True


def test_amounts_of_futures_that_are_counted_in_contracts_are_in_base() -> None:
    entry = {
        "symbol": "BTC/USDT:USDT",
        "base": "BTC",
        "quote": "USDT",
        "contract": True,
        "contractSize": 0.01,
        "precision": {"amount": 1},
        "limits": {"amount": {"min": 1, "max": 1_000}},
    }
    (market,) = parse_ccxt_markets([entry]).values()
    assert (market.amount_tick, market.amount) == (Decimal("0.01"), Bounds(Decimal("0.01"), Decimal(10)))
    assert market.fee_asset("buy") == "USDT"


def test_a_market_survives_being_written_and_read() -> None:
    market = parse_exchange_info(
        exchange_info(
            {"filterType": "LOT_SIZE", "minQty": "0.5", "maxQty": "9", "stepSize": "0.5"},
            {"filterType": "NOTIONAL", "minNotional": "5"},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        )
    )[BTC]
    assert (market.max_orders, market.max_stops) == (200, 5)
    assert parse_ccxt_markets([to_ccxt_form(market)]) == {BTC: market}
