"""States as OctoBot writes them, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from engine.automation_file import Imported, import_octobot
from engine.state import Action, Order
from tests.conftest import REPOSITORY

SAMPLES = REPOSITORY / "tests" / "engine" / "automation_file" / "octobot_states"
NAMES = sorted(file.stem for file in SAMPLES.glob("*.json"))


def sample(name: str) -> dict[str, Any]:
    """A state as OctoBot would have written it."""
    state: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return state


def imported(name: str, change: Callable[[dict[str, Any]], object] | None = None, **options: Any) -> Imported:
    """What becomes of a sample, changed in place first."""
    raw = sample(name)
    if change is not None:
        change(raw)
    return import_octobot(raw, **options)


def said(found: Imported) -> str:
    return "\n".join(map(str, found.notes))


def action_of(found: Imported, action_id: str) -> Action:
    return next(action for action in found.state.actions if action.id == action_id)


def open_orders(found: Imported) -> list[Order]:
    elements = found.state.automation.exchange_account_elements
    assert elements is not None
    return elements.orders.open_orders
