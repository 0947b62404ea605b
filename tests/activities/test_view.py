"""What people see of an automation: Markdown that stays small whatever the state holds."""

from __future__ import annotations

from typing import Any

from activities.view import MAX_DETAILS_BYTES, details, next_actions
from engine.job.outcome import InvocationOutcome, InvocationStatus
from engine.state import AutomationState, load_state
from tests.support.builders import action, automation

OUTCOME = InvocationOutcome(status=InvocationStatus.RUNNING, iteration=1)


def loaded(*actions: dict[str, Any], **sections: Any) -> AutomationState:
    """A state of these actions, as the engine reads it."""
    return load_state(automation(*actions, **sections))


def test_details_show_actions_portfolio_orders_and_notes() -> None:
    order = {
        "id": "1",
        "side": "buy",
        "amount": "0.50",
        "symbol": "BTC/USDT",
        "type": "limit",
        "price": "4E4",
    }
    state = loaded(
        action("buy", "1", executed_at=1.0, result={"id": 7}),
        action("sell", "2", executed_at=1.0, error_status="not_enough_funds", error_message="a|b"),
        action("later", "wait(60)", suspension={}),
        exchange_account_elements={
            "portfolio": {"content": {"USDT": {"available": "1", "total": "2"}}},
            "orders": {"open_orders": [order]},
        },
    )
    shown = details(state, OUTCOME.model_copy(update={"notes": ["sold at a loss"]}))

    assert "| buy | {'id': 7} |" in shown
    assert "| sell | not_enough_funds: a\\|b |" in shown
    assert "| later | waits |" in shown
    assert "| USDT | 1 | 2 |" in shown
    assert "| buy | 0.5 | BTC/USDT | limit | 40000 |" in shown
    assert "- sold at a loss" in shown


def test_details_are_bounded() -> None:
    actions = [
        action(f"{'é' * 60}-{number}", "1", executed_at=1.0, result="é" * 500) for number in range(500)
    ]
    shown = details(loaded(*actions), OUTCOME)

    assert len(shown.encode()) <= MAX_DETAILS_BYTES
    assert shown.endswith("…")


def test_next_actions_are_those_due_at_the_next_invocation() -> None:
    state = loaded(
        action("done", "1", executed_at=1.0),
        action("soon", "1", not_before=60.0),
        action("late", "1", not_before=90.0),
    )

    assert next_actions(state, due_at=60) == "soon"
    assert next_actions(state, due_at=None) == ""


def test_details_show_effects_that_are_pending_and_why_nothing_can_be_done() -> None:
    order = {"type": "limit", "side": "buy", "amount": "0.5", "symbol": "BTC/USDT", "price": "40000"}
    intent = {
        "key": "k1",
        "action_id": "buy",
        "call_site": "1",
        "leg": "0",
        "kind": "create_order",
        "params": order,
        "planned_at": 1.0,
        "status": "awaiting_approval",
    }
    execution = {
        "pending_effects": [intent],
        "degraded_state": {"reason": "authentication", "error": "the key was refused"},
    }
    shown = details(loaded(execution=execution), OUTCOME)

    assert "| k1 | limit buy 0.5 BTC/USDT at 40000 | awaiting approval |" in shown
    assert "Cannot do its work: authentication: the key was refused" in shown
