"""The last invocation of an automation that is stopped together with its open orders."""

from __future__ import annotations

from engine.errors import ConfigurationError
from engine.invocation import InvocationOutcome
from workflows.messages import Json


def cancel_actions(state: Json) -> list[Json]:
    """Return priority actions that cancel the automation's open orders, one for each symbol."""
    iteration = state["automation"].get("execution", {}).get("iteration", 0)
    return [
        {"id": f"stop-{iteration}-{symbol}", "dsl_script": f"cancel_order('{symbol}')"}
        for symbol in sorted({order["symbol"] for order in _open_orders(state)})
    ]


def require_cancelled(state: Json, outcome: InvocationOutcome) -> None:
    """Check that no order is left.

    Raises:
        ConfigurationError: code `orders_left_open`.
    """
    if left := _open_orders(state):
        reasons = "; ".join(entry.error for entry in outcome.executed if entry.error)
        raise ConfigurationError(
            f"{len(left)} open orders are left ({reasons or 'they were opened meanwhile'})",
            code="orders_left_open",
        )


def _open_orders(state: Json) -> list[Json]:
    elements = state["automation"].get("exchange_account_elements", {})
    orders: list[Json] = elements.get("orders", {}).get("open_orders", [])
    return orders
