"""Effects in words, for the people who approve, watch and resolve them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from engine.state import LIMIT_TYPES

Params = Mapping[str, Any]


def effect_in_words(kind: str, params: Params) -> str:
    """Return what an effect does, as a short phrase: `limit buy 0.1 BTC/USDT at 40000`.

    Args:
        kind: of the intent.
        params: of the intent, in their JSON form.
    """
    describe = _WORDS.get(kind)
    return describe(params) if describe else kind.replace("_", " ")


def _order(params: Params) -> str:
    words = [str(params.get(name, "")).replace("_", " ") for name in ("type", "side", "amount", "symbol")]
    price, stop_price = params.get("price"), params.get("stop_price")
    has_limit = params.get("type") in LIMIT_TYPES
    if price is not None and has_limit:
        words.append(f"at {price}")
    if stop_price is not None:
        words.append(f"when the price reaches {stop_price}")
    expected = f", expected near {price}" if price is not None and not has_limit else ""
    chained = len(params.get("chained", ()))
    exits = f", with {chained} exit{'' if chained == 1 else 's'}" if chained else ""
    return f"{' '.join(words)}{expected}{exits}"


def _cancellation(params: Params) -> str:
    replaced = ", and replace it" if params.get("replacements") else ""
    return f"cancel the order {params.get('id')} on {params.get('symbol')}{replaced}"


def _leverage(params: Params) -> str:
    return f"set the leverage of {params.get('symbol')} to {params.get('leverage')}"


def _withdrawal(params: Params) -> str:
    return f"withdraw {params.get('amount')} {params.get('asset')} to {params.get('address_to')}"


_WORDS: Final[Mapping[str, Callable[[Params], str]]] = MappingProxyType(
    {
        "create_order": _order,
        "cancel_order": _cancellation,
        "set_leverage": _leverage,
        "withdraw": _withdrawal,
    }
)
