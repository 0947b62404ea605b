"""A person reads what an effect does before it is approved."""

from __future__ import annotations

from typing import Any

import pytest

from engine.effects.texts import effect_in_words

LIMIT = {"type": "limit", "side": "buy", "amount": "0.1", "symbol": "BTC/USDT", "price": "40000"}


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        ("create_order", LIMIT, "limit buy 0.1 BTC/USDT at 40000"),
        ("create_order", {**LIMIT, "type": "market", "price": None}, "market buy 0.1 BTC/USDT"),
        ("create_order", {**LIMIT, "type": "market"}, "market buy 0.1 BTC/USDT, expected near 40000"),
        (
            "create_order",
            {**LIMIT, "type": "stop_loss", "side": "sell", "price": "38990", "stop_price": "39000"},
            "stop loss sell 0.1 BTC/USDT when the price reaches 39000, expected near 38990",
        ),
        (
            "create_order",
            {**LIMIT, "type": "stop_limit", "stop_price": "41000", "chained": [{}, {}]},
            "stop limit buy 0.1 BTC/USDT at 40000 when the price reaches 41000, with 2 exits",
        ),
        ("cancel_order", {"id": "7", "symbol": "BTC/USDT"}, "cancel the order 7 on BTC/USDT"),
        (
            "cancel_order",
            {"id": "7", "symbol": "BTC/USDT", "replacements": [LIMIT]},
            "cancel the order 7 on BTC/USDT, and replace it",
        ),
        (
            "set_leverage",
            {"symbol": "BTC/USDT:USDT", "leverage": "5"},
            "set the leverage of BTC/USDT:USDT to 5",
        ),
        (
            "withdraw",
            {"asset": "ETH", "amount": "1", "address_to": "0x1"},
            "withdraw 1 ETH to 0x1",
        ),
        ("of_a_newer_release", {}, "of a newer release"),
    ],
)
def test_each_kind_of_effect_is_told_in_words(kind: str, params: dict[str, Any], words: str) -> None:
    assert effect_in_words(kind, params) == words
