"""Compares states with the exchange's books: every order once, none unknown, no drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.chaos.automations import EXITS, ORDERS_OF_ITS_OWN, Trader
from tests.support.loopback import LoopbackExchange
from tests.support.loopback.accounts import ZERO, Account, ApiKey
from workflows.messages import Json


def problems(trader: Trader, state: Json, exchange: LoopbackExchange) -> Sequence[str]:
    """Return everything that is wrong with an automation that has come to rest; nothing when all is well."""
    account = exchange.books.accounts[ApiKey(trader.key)]
    accepted = [order for order in exchange.books.accepted if order.key == account.key]
    sent = Counter(order.client_id for order in accepted)
    expected = ORDERS_OF_ITS_OWN + EXITS
    known = set(_known_orders(state))
    found = [f"{client_id} was placed {count} times" for client_id, count in sent.items() if count > 1]
    if len(accepted) != expected:
        found.append(f"{len(accepted)} orders were placed instead of {expected}")
    found += [f"order {order.order_id} is unknown" for order in accepted if str(order.order_id) not in known]
    found += [f"{one['id']}: {one['error_message']}" for one in _actions(state) if "error_status" in one]
    found += _unfinished(state) or drifts(state, account)
    return [f"{trader.name}: {one}" for one in found]


def at_rest(state: Json) -> bool:
    """Whether everything but the final rest is over, and no effect is under way."""
    undone = [one["id"] for one in _actions(state) if not one.get("executed_at")]
    return undone == ["rest"] and not state["automation"].get("execution", {}).get("pending_effects")


def _unfinished(state: Json) -> list[str]:
    """Return why an automation does not rest; nothing when it does."""
    if at_rest(state):
        return []
    execution = state["automation"].get("execution", {})
    undone = ", ".join(one["id"] for one in _actions(state) if not one.get("executed_at"))
    pending = [
        f"{one.get('status', 'planned')} {one['kind']}" for one in execution.get("pending_effects", [])
    ]
    return [f"does not rest: {undone} to do, {pending} under way, {execution.get('degraded_state')}"]


def _known_orders(state: Json) -> Iterator[str]:
    elements = state["automation"].get("exchange_account_elements", {})
    for one in _actions(state):
        result = one.get("result") or {}
        yield from (order["id"] for order in result.get("created_orders", []))
    yield from (order["id"] for order in elements.get("orders", {}).get("open_orders", []))
    yield from (trade["order_id"] for trade in elements.get("trades", []))


def drifts(state: Json, account: Account) -> list[str]:
    """Return where the account that a state knows differs from the exchange's books."""
    elements = state["automation"]["exchange_account_elements"]
    books: dict[str, tuple[object, object]] = {
        "balances": (_holdings(elements), _balances(account)),
        "open orders": (
            {order["id"] for order in elements.get("orders", {}).get("open_orders", [])},
            {str(order.id) for order in account.open_orders},
        ),
        "trades": (
            Counter(trade["id"] for trade in elements.get("trades", [])),
            Counter(str(fill.id) for fill in account.fills),
        ),
    }
    return [
        f"{name} differ: the state has {kept}, the exchange {real}"
        for name, (kept, real) in books.items()
        if kept != real
    ]


def _holdings(elements: Mapping[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    content = elements.get("portfolio", {}).get("content", {})
    held = {
        asset: (Decimal(one.get("available", "0")), Decimal(one.get("total", "0")))
        for asset, one in content.items()
    }
    return {asset: amounts for asset, amounts in held.items() if amounts[1]}


def _balances(account: Account) -> dict[str, tuple[Decimal, Decimal]]:
    held = {asset: (one.free, one.free + one.locked) for asset, one in account.balances.items()}
    return {asset: amounts for asset, amounts in held.items() if amounts[1] != ZERO}


def _actions(state: Json) -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = state["automation"]["actions_dag"]["actions"]
    return actions
