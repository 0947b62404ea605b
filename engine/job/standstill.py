"""An automation that is due at once, again and again, while nothing changes: a person must look at it."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from engine.errors import ConfigurationError
from engine.state import AutomationState, Standstill
from engine.types import Seconds, Timestamp

MOST: Final = 100
"""Invocations in a row that may change nothing."""

AT_ONCE: Final[Seconds] = 0.1
"""What is due within this time is due at once."""

FORGOTTEN_AFTER: Final[Seconds] = 1
"""Behind a longer pause, such as that of a person who looked at it, counting starts anew."""


def refuse_spinning(state: AutomationState, now: Timestamp) -> None:
    """Refuse an invocation that can only be like the hundred before it.

    Raises:
        ConfigurationError: `spinning`.
    """
    found = state.automation.execution.standstill
    if found is None or found.count < MOST or now - found.at > FORGOTTEN_AFTER:
        return
    if found.digest == _digest(state):
        pending = [action.id for action in state.actions if not action.is_completed]
        raise ConfigurationError(
            f"it was due at once {found.count} times in a row, and nothing has changed: {', '.join(pending)}"
            " would be called for ever. Give the loop an interval, such as loop_until(…, 60), wait(60) or"
            " restart('…', 60)",
            code="spinning",
        )


def note_standstill(state: AutomationState, next_due_at: Timestamp | None, now: Timestamp) -> None:
    """Count an invocation behind which the next one is due at once although nothing has changed."""
    execution = state.automation.execution
    before, execution.standstill = execution.standstill, None
    if next_due_at is None or next_due_at - now > AT_ONCE:
        return
    digest = _digest(state)
    count = 0
    if before is not None and before.digest == digest and now - before.at <= FORGOTTEN_AFTER:
        count = before.count
    execution.standstill = Standstill(digest=digest, count=count + 1, at=now)


def _digest(state: AutomationState) -> str:
    """Return what an invocation can change for good: not its count, nor times and values that come and go."""
    elements = state.automation.exchange_account_elements
    orders = elements.orders.open_orders if elements else ()
    actions = (*state.actions, *state.priority_actions)
    what = [
        [[one.id, one.dsl_script, one.config, one.is_completed, one.error_message] for one in actions],
        [[one.id, str(one.filled)] for one in orders],
        [trade.id for trade in elements.trades[-1:]] if elements else [],
        [[one.key, one.status] for one in state.automation.execution.pending_effects],
    ]
    return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:16]
