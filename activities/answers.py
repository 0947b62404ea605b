"""What the senders of priority actions are told after an invocation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.job import InvocationOutcome
from workflows.messages import ActionAnswer, Json


def priority_answers(
    before: Json, after: Json, outcome: InvocationOutcome, now: float
) -> dict[str, ActionAnswer]:
    """Return how the priority actions of an invocation stand, by action id.

    Those that ended in it are answered with their value or error, those that wait with the time at which
    they go on. One that can go on at once has no answer yet.

    Args:
        before: the state in its JSON form before the invocation.
        after: the same after it.
        outcome: what the invocation did.
        now: its time, UNIX seconds.
    """
    ended_before = {action["id"] for action in before.get("priority_actions", ()) if "executed_at" in action}
    answers = {
        action["id"]: _answer(action, outcome)
        for action in after.get("priority_actions", ())
        if action["id"] not in ended_before
    }
    return {
        action_id: answer
        for action_id, answer in answers.items()
        if answer.due_at is None or answer.due_at > now
    }


def _answer(action: Mapping[str, Any], outcome: InvocationOutcome) -> ActionAnswer:
    if "executed_at" not in action:
        return ActionAnswer(due_at=outcome.waiting.get(action["id"], outcome.next_due_at))
    if "error_status" in action:
        return ActionAnswer(error=action.get("error_message", ""), error_status=action["error_status"])
    return ActionAnswer(value=outcome.values.get(action["id"]))
