"""Amounts and prices as each exchange counts them, against ccxt's own `amount_to_precision` and so on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchanges import capabilities_of, make_client, precision_of
from engine.exchanges.table import EXCHANGES
from engine.market.market import Market
from engine.market.market_lists import parse_ccxt_markets, to_ccxt_form
from engine.market.recorded import RecordedSource
from engine.state import ExchangeDetails
from engine.types import Symbol

TICK_SIZE, SIGNIFICANT_DIGITS = 4, 3
BTC = Symbol("BTC/USD")
CLIENTS: dict[str, Any] = {}

numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 10**10), st.integers(-12, 3)
)
steps = st.builds(
    lambda factor, exponent: Decimal(factor).scaleb(exponent),
    st.sampled_from((1, 2, 5, 25)),
    st.integers(-8, 2),
)
places = st.integers(0, 8)


def client_of(exchange_id: str) -> Any:
    if exchange_id not in CLIENTS:
        CLIENTS[exchange_id] = make_client(ExchangeDetails(internal_name=exchange_id))
    return CLIENTS[exchange_id]


@st.composite
def precisions(draw: st.DrawFn, exchange_id: str) -> dict[str, Any]:
    """What the market list of an exchange may say of a market."""
    if client_of(exchange_id).precisionMode == TICK_SIZE:
        step = draw(steps)
        if exchange_id == "hyperliquid":  # sizes are counted in decimals there
            step = Decimal(1).scaleb(-draw(st.integers(0, 5)))
        return {"amount": float(step), "price": float(draw(steps))}
    assert client_of(exchange_id).precisionMode == SIGNIFICANT_DIGITS
    return {"amount": draw(places), "price": draw(st.integers(1, 8))}


@contextmanager
def market_of(exchange_id: str, precision: dict[str, Any]) -> Iterator[tuple[Any, Market]]:
    """A client that lists one market, and that market as the engine reads it."""
    client = client_of(exchange_id)
    entry = client.safe_market_structure(
        {"id": "BTCUSD", "symbol": BTC, "base": "BTC", "quote": "USD", "spot": True, "precision": precision}
    )
    client.set_markets([entry])
    with localcontext():  # ccxt leaves it changed
        yield (
            client,
            parse_ccxt_markets([entry], precision=precision_of(exchange_id, client.precisionMode))[BTC],
        )


def spelled(cut: Any, *arguments: Any) -> Decimal:
    """What ccxt would send; it refuses what is cut down to nothing."""
    from ccxt.base.errors import InvalidOrder

    try:
        return Decimal(cut(*arguments))
    except InvalidOrder:
        return Decimal(0)


@pytest.mark.parametrize("exchange_id", [*EXCHANGES, "bithumb"])
@given(data=st.data(), value=numbers)
@settings(max_examples=60, deadline=None)
def test_amounts_and_prices_are_cut_as_the_exchanges_class_cuts_them(
    exchange_id: str, data: st.DataObject, value: Decimal
) -> None:
    with market_of(exchange_id, data.draw(precisions(exchange_id))) as (client, market):
        amount, price = market.floor_amount(value), market.floor_price(value)
        text = format(value, "f")

        assert 0 <= amount <= value
        assert spelled(client.amount_to_precision, BTC, format(amount, "f")) == amount, "it is sent as it is"
        if exchange_id != "hyperliquid":  # where ccxt rounds amounts, we never order more than was meant
            assert amount == spelled(client.amount_to_precision, BTC, text)

        assert 0 <= price <= value <= market.ceil_price(value)
        for ours in (price, market.ceil_price(value)):
            assert spelled(client.price_to_precision, BTC, format(ours, "f")) == ours, "it is sent as it is"
        theirs = spelled(client.price_to_precision, BTC, text)
        assert theirs in (price, market.ceil_price(value)), "ccxt rounds prices, we cut them down"


def test_bitfinex_takes_half_a_bitcoin_at_a_price_of_five_digits() -> None:
    with market_of("bitfinex", {"amount": 8, "price": 5}) as (_, market):
        assert market.floor_amount(Decimal("0.5")) == Decimal("0.5")
        assert market.floor_price(Decimal("60123.7")) == 60123
        assert market.floor_price(Decimal("0.000123456")) == Decimal("0.00012345")
        assert market.ceil_price(Decimal("99999.5")) == 100_000


async def test_a_recorded_list_of_ccxt_counts_as_its_exchange_does(tmp_path: Path) -> None:
    for exchange_id in ("bitfinex", "bithumb", "somebody"):
        path = tmp_path / "exchange" / exchange_id / "markets.json"
        path.parent.mkdir(parents=True)
        entry = {"symbol": BTC, "base": "BTC", "quote": "USD", "precision": {"amount": 8, "price": 5}}
        path.write_text(json.dumps([entry]))

    async def floored(exchange_id: str) -> tuple[Decimal, Decimal]:
        market = (await RecordedSource(tmp_path, exchange_id).markets())[BTC]
        return market.floor_amount(Decimal("12.345")), market.floor_price(Decimal("60123.7"))

    assert await floored("bitfinex") == (Decimal("12.345"), Decimal(60123))
    assert await floored("bithumb") == (Decimal("12.345"), Decimal(60123))
    assert await floored("somebody") == (Decimal(8), Decimal(60120))


@pytest.mark.parametrize("exchange_id", ["bitfinex", "hyperliquid", "binance"])
def test_a_market_that_counts_digits_survives_being_written_and_read(exchange_id: str) -> None:
    with market_of(exchange_id, {"amount": 8 if exchange_id == "bitfinex" else 0.001, "price": 5}) as (
        _,
        market,
    ):
        read = parse_ccxt_markets([to_ccxt_form(market)], precision=precision_of(exchange_id))
    assert read == {BTC: market}


def test_an_exchange_with_a_row_needs_no_class_for_it() -> None:
    assert precision_of("bitfinex") == capabilities_of("bitfinex").precision
