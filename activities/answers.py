"""What the senders of priority actions are told after an invocation."""

from __future__ import annotations

from collections.abc import Collection

from engine.job import InvocationOutcome
from engine.state import Action, AutomationState
from engine.types import ActionId, Timestamp
from workflows.messages import ActionAnswer


def ended_priority_actions(state: AutomationState) -> Collection[ActionId]:
    """Return the ids of the priority actions that have ended."""
    return {action.id for action in state.priority_actions if action.is_completed}


def priority_answers(
    ended_before: Collection[ActionId], state: AutomationState, outcome: InvocationOutcome, now: Timestamp
) -> dict[str, ActionAnswer]:
    """Return how the priority actions of an invocation stand, by action id.

    Those that ended in it are answered with their value or error, those that wait with the time at which
    they go on. One that can go on at once has no answer yet.

    Args:
        ended_before: ids of those that had ended before the invocation.
        state: behind it.
        outcome: what the invocation did.
        now: its time, UNIX seconds.
    """
    answers = {
        action.id: _answer(action, outcome)
        for action in state.priority_actions
        if action.id not in ended_before
    }
    return {
        action_id: answer
        for action_id, answer in answers.items()
        if answer.due_at is None or answer.due_at > now
    }


def _answer(action: Action, outcome: InvocationOutcome) -> ActionAnswer:
    if not action.is_completed:
        return ActionAnswer(due_at=outcome.waiting.get(action.id, outcome.next_due_at))
    if action.failed:
        return ActionAnswer(error=action.error_message or "", error_status=action.error_status)
    return ActionAnswer(value=outcome.values.get(action.id))
