"""The automation made ready for people: Markdown for Temporal's UI, one line, search attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from activities.effects import degraded_reason, pending_effects
from engine.effects import effect_in_words
from engine.job import InvocationOutcome
from workflows.messages import View
from workflows.search_attributes import EXCHANGE, SYMBOLS

MAX_DETAILS_BYTES: Final = 8_000
MAX_ROWS: Final = 40
MAX_CELL: Final = 80
MAX_SYMBOLS: Final = 10
MAX_NEXT_ACTIONS: Final = 5

Json = Mapping[str, Any]


def build_view(state: Json, outcome: InvocationOutcome, *, with_attributes: bool) -> View:
    """Render a state in its JSON form and what the last invocation did.

    Args:
        state: the new state.
        outcome: of the invocation that made it.
        with_attributes: whether the server knows Octoflow's search attributes.
    """
    return View(
        details=details(state, outcome),
        next_actions=next_actions(state, outcome.next_due_at),
        attributes=attributes(state) if with_attributes else None,
    )


def details(state: Json, outcome: InvocationOutcome) -> str:
    """Return actions, portfolio, open orders and notes as Markdown of at most 8 KB."""
    sections = (
        _degraded(state),
        _effects(state),
        _actions(state),
        _portfolio(state),
        _open_orders(state),
        _notes(outcome),
    )
    return _cut("\n\n".join(section for section in sections if section))


def next_actions(state: Json, due_at: float | None) -> str:
    """Return the ids of the first actions that are due at a moment, as one line."""
    pending = _all_actions(state) if due_at is not None else ()
    due = (
        action["id"]
        for action in pending
        if "executed_at" not in action and action.get("not_before", 0) <= (due_at or 0)
    )
    return ", ".join(islice(due, MAX_NEXT_ACTIONS))


def attributes(state: Json) -> dict[str, Any]:
    """Return the values of the search attributes that the state decides."""
    symbols = set(islice(_symbols(state), 10 * MAX_SYMBOLS))
    return {
        EXCHANGE.name: _exchange(state).get("internal_name"),
        SYMBOLS.name: sorted(symbols)[:MAX_SYMBOLS] or None,
    }


def _degraded(state: Json) -> str:
    reason = degraded_reason(state)
    return f"Cannot do its work: {_cell(reason)}" if reason else ""


def _effects(state: Json) -> str:
    intents = pending_effects(state)
    rows = (
        f"| {intent['key']} | {_cell(effect_in_words(intent['kind'], intent['params']))} "
        f"| {intent.get('status', 'planned').replace('_', ' ')} |"
        for intent in intents[:MAX_ROWS]
    )
    return _table("| effect | what | status |\n|---|---|---|", rows, len(intents) - MAX_ROWS)


def _actions(state: Json) -> str:
    actions = [
        *state.get("priority_actions", ()),
        *state["automation"].get("actions_dag", {}).get("actions", ()),
    ]
    rows = (f"| {_cell(action['id'])} | {_cell(_standing(action))} |" for action in actions[:MAX_ROWS])
    return _table("| action | result |\n|---|---|", rows, len(actions) - MAX_ROWS)


def _standing(action: Json) -> str:
    if "error_status" in action:
        return f"{action['error_status']}: {action.get('error_message', '')}"
    if "executed_at" in action:
        return str(action.get("result", "done"))
    return "waits" if "suspension" in action else "pending"


def _portfolio(state: Json) -> str:
    content = _elements(state).get("portfolio", {}).get("content", {})
    rows = (
        f"| {asset} | {balance.get('available', 0)} | {balance.get('total', 0)} |"
        for asset, balance in islice(content.items(), MAX_ROWS)
    )
    return _table("| asset | available | total |\n|---|---|---|", rows, len(content) - MAX_ROWS)


def _open_orders(state: Json) -> str:
    orders = _elements(state).get("orders", {}).get("open_orders", [])
    fields = ("side", "amount", "symbol", "type", "price")
    rows = (f"| {' | '.join(str(order.get(field, '')) for field in fields)} |" for order in orders[:MAX_ROWS])
    return _table(
        "| order | amount | symbol | type | price |\n|---|---|---|---|---|", rows, len(orders) - MAX_ROWS
    )


def _notes(outcome: InvocationOutcome) -> str:
    return "\n".join(f"- {note}" for note in outcome.notes)


def _table(head: str, rows: Iterable[str], omitted: int) -> str:
    body = "\n".join(rows)
    if not body:
        return ""
    return f"{head}\n{body}" + (f"\n\nand {omitted} more" if omitted > 0 else "")


def _cell(text: str) -> str:
    short = text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"
    return short.replace("|", "\\|").replace("\n", " ")


def _cut(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= MAX_DETAILS_BYTES:
        return text
    kept = encoded[: MAX_DETAILS_BYTES - 4].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + "\n…"


def _all_actions(state: Json) -> Iterator[Json]:
    pending = [action for action in state.get("priority_actions", ()) if "executed_at" not in action]
    yield from pending or state["automation"].get("actions_dag", {}).get("actions", ())


def _symbols(state: Json) -> Iterator[str]:
    if symbol := state["automation"].get("defaults", {}).get("symbol"):
        yield symbol
    elements = _elements(state)
    for order in elements.get("orders", {}).get("open_orders", ()):
        yield order["symbol"]
    for trade in reversed(elements.get("trades", ())):
        yield trade["symbol"]


def _elements(state: Json) -> Json:
    elements: Json = state["automation"].get("exchange_account_elements", {})
    return elements


def _exchange(state: Json) -> Json:
    exchange: Json = state.get("exchange_account_details", {}).get("exchange_details", {})
    return exchange
