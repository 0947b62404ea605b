"""The table of exchanges: ids in the form that each one takes, and what is told of those without a row."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from engine.exchanges.exchange_ids import known_exchange_ids
from engine.exchanges.table import EXCHANGES, GENERIC, capabilities_of
from engine.types import EffectKey, MarketKind

KEY = EffectKey("0123456789abcdef0123456789abcdef")

RULES = {
    "binance": r"[\.A-Z\:/a-z0-9_-]{1,36}",
    "binanceus": r"[\.A-Z\:/a-z0-9_-]{1,36}",
    "binanceusdm": r"[\.A-Z\:/a-z0-9_-]{1,36}",
    "bybit": r"[A-Za-z0-9_-]{1,36}",
    "bybiteu": r"[A-Za-z0-9_-]{1,36}",
    "okx": r"[A-Za-z0-9]{1,32}",
    "okxus": r"[A-Za-z0-9]{1,32}",
    "myokx": r"[A-Za-z0-9]{1,32}",
    "coinbase": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "kraken": r"[0-9a-f]{32}",
    "kucoin": r"[A-Za-z0-9_-]{1,40}",
    "gate": r"t-[0-9A-Za-z_.-]{1,26}",
    "gateeu": r"t-[0-9A-Za-z_.-]{1,26}",
    "bitget": r"[A-Za-z0-9.#:/_-]{1,32}",
    "htx": r".{1,64}",
    "mexc": r"[a-zA-Z0-9_-]{1,32}",
    "bitfinex": r"\d{1,14}",
    "bitstamp": r"[A-Za-z0-9]{1,36}",
    "bingx": r"[a-z0-9]{1,40}",
    "cryptocom": r"[A-Za-z0-9]{1,36}",
    "whitebit": r"[A-Za-z0-9._-]{1,32}",
    "upbit": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "phemex": r"[A-Za-z0-9]{1,40}",
    "an exchange without a row": r"[0-9a-f]{32}",
}
"""The forms that the exchanges' documents give."""


@pytest.mark.parametrize(("exchange_id", "rule"), RULES.items())
def test_an_id_has_the_form_that_the_exchange_takes(exchange_id: str, rule: str) -> None:
    assert re.fullmatch(rule, capabilities_of(exchange_id).client_order_id(KEY))


@pytest.mark.parametrize("exchange_id", RULES)
def test_ids_of_different_effects_differ(exchange_id: str) -> None:
    capabilities = capabilities_of(exchange_id)
    keys = [EffectKey(uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex) for number in range(2_000)]
    assert len({capabilities.client_order_id(key) for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("exchange_id", "expected"),
    [
        ("binance", "0123456789abcdef0123456789abcdef"),
        ("gate", "t-0123456789abcdef0123456789"),
        ("coinbase", "01234567-89ab-cdef-0123-456789abcdef"),
        ("bitfinex", "5942249508335"),
    ],
)
def test_an_effect_keeps_its_id_for_ever(exchange_id: str, expected: str) -> None:
    assert capabilities_of(exchange_id).client_order_id(KEY) == expected


def test_every_row_is_of_an_exchange_that_ccxt_has() -> None:
    assert set(EXCHANGES) <= known_exchange_ids()
    assert len(EXCHANGES) >= 20


def test_every_row_that_is_traded_on_has_a_rule_here_for_its_ids() -> None:
    assert {name for name, row in EXCHANGES.items() if row.refused is None} <= set(RULES)


def test_of_an_exchange_without_a_row_nothing_is_taken_for_granted() -> None:
    assert capabilities_of("luno") is GENERIC
    assert not GENERIC.can_look_up
    assert not GENERIC.withdrawal_ids
    assert not GENERIC.signatures_expire


def test_every_row_but_one_can_tell_that_an_order_does_not_exist() -> None:
    traded = {name: row for name, row in EXCHANGES.items() if row.refused is None}
    assert [name for name, row in traded.items() if not row.can_look_up] == ["whitebit"]


def test_one_exchange_is_not_traded_on() -> None:
    assert [name for name, row in EXCHANGES.items() if row.refused is not None] == ["hyperliquid"]


def test_a_row_that_chooses_markets_chooses_them_for_every_kind() -> None:
    chosen = {name: set(row.market_types) for name, row in EXCHANGES.items() if row.market_types}
    assert chosen == {name: {"spot", "future"} for name in ("binance", "bybit", "okx")}


@pytest.mark.parametrize(
    ("exchange_id", "kind", "features", "expected"),
    [
        ("binance", "spot", None, True),
        ("mexc", "spot", None, False),
        ("mexc", "spot", {"spot": {"createOrder": {"stopLossPrice": True}}}, True),
        ("binance", "spot", {"spot": {"createOrder": {"stopLossPrice": False}}}, False),
        ("mexc", "future", None, True),
        ("mexc", "future", {"swap": {"linear": {"createOrder": {"triggerPrice": False}}}}, False),
    ],
)
def test_whether_stops_are_native_is_asked_of_ccxt_first_and_else_looked_up(
    exchange_id: str, kind: MarketKind, features: dict[str, Any] | None, *, expected: bool
) -> None:
    assert capabilities_of(exchange_id).native_stops(kind, features) is expected
