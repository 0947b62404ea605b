"""What is right for every message at every moment, as tables: the rows are the workflow's handlers."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from workflows.messages import (
    ApproveRequest,
    EditRequest,
    ExecuteRequest,
    RejectRequest,
    ResolveRequest,
    RunInvocation,
    StopRequest,
)

LATER_ON: Final = 86_400.0
"""Seconds until the next invocation is due, where one is."""

MESSAGES: Final[dict[str, Any]] = {
    "execute": ExecuteRequest(actions=[{"id": "asked", "dsl_script": "1"}]),
    "trigger": None,
    "approve": ApproveRequest(keys=["asked"]),
    "reject": RejectRequest(keys=["asked"], reason="too large"),
    "resolve": ResolveRequest(key="asked", placed=True),
    "trading_signal": {"asked": True},
    "edit": EditRequest(upsert=[{"id": "asked", "dsl_script": "1"}]),
    "retry": None,
    "pause": None,
    "resume": None,
    "stop": StopRequest(),
}
"""What is sent to each handler."""

CARRIES: Final[dict[str, Callable[[RunInvocation], bool]]] = {
    "execute": lambda request: any(action["id"] == "asked" for action in request.priority_actions),
    "trigger": lambda request: request.trigger == "forced",
    "approve": lambda request: request.decisions.approved == ["asked"],
    "reject": lambda request: request.decisions.rejected == {"asked": "too large"},
    "resolve": lambda request: request.decisions.resolved == {"asked": True},
    "trading_signal": lambda request: request.signals == [{"asked": True}],
}
"""Whether an invocation is one that a message asked for: of those that an invocation is told of."""


class Served(Enum):
    """What is right for a message."""

    ONCE = "one invocation runs at once, and serves it"
    LATER = "the next invocation serves it, which the message does not hurry"
    NOTHING = "it is answered, and no invocation runs for it"
    APPLIED = "it is answered, and what it changed is in the invocation that runs when the pause ends"
    PAUSED = "nothing runs until it is resumed"
    WAITS = "it is answered, and one invocation serves it when the pause ends"
    ENDS = "the automation ends"
    REFUSED = "it is refused"
    TOO_LATE = "it fails, since the automation has ended"
    ATTENTION = "it fails, since a person has to look first"


ONCE, LATER, NOTHING, APPLIED, PAUSED, WAITS, ENDS, REFUSED, TOO_LATE, ATTENTION = Served

# --- while an invocation is under way: by how it ends -------------------------------------------------------

ENDINGS: Final[dict[str, dict[str, Any] | ApplicationError]] = {
    "running": {"due": True},
    "holding": {"due": True, "pending_effects": 1},
    "postponed": {"due": True, "status": "postponed"},
    "awaiting": {"status": "awaiting_approval", "pending_effects": 1},
    "finished": {"status": "finished"},
    "permanent": ApplicationError("the key is wrong", type="ConfigurationError", non_retryable=True),
    "retryable": ApplicationError("no answer", type="RetryableError"),
    "blocked": {},
}
"""How an invocation ends. `holding` has planned effects, `blocked` leaves nothing that is ever due."""

DURING: Final[dict[str, tuple[Served, ...]]] = {
    # running, holding, postponed, awaiting, finished, permanent, retryable, blocked
    "execute": (ONCE, ONCE, ONCE, ONCE, ONCE, ATTENTION, ONCE, ONCE),
    "trigger": (ONCE, ONCE, ONCE, ONCE, TOO_LATE, ATTENTION, ONCE, ONCE),
    "approve": (ONCE, ONCE, ONCE, ONCE, ONCE, ATTENTION, ONCE, ONCE),
    "reject": (ONCE, ONCE, ONCE, ONCE, ONCE, ATTENTION, ONCE, ONCE),
    "resolve": (ONCE, ONCE, ONCE, ONCE, ONCE, ATTENTION, ONCE, ONCE),
    "trading_signal": (ONCE, ONCE, LATER, ONCE, ENDS, LATER, LATER, ONCE),
    "edit": (ONCE, ONCE, ONCE, ONCE, TOO_LATE, ONCE, ONCE, ONCE),
    "retry": (ONCE, ONCE, ONCE, ONCE, ENDS, ONCE, ONCE, ONCE),
    "pause": (PAUSED, PAUSED, PAUSED, PAUSED, ENDS, PAUSED, PAUSED, PAUSED),
    "resume": (REFUSED,) * 8,
    "stop": (ENDS,) * 8,
}
"""What is right for a message that comes while an invocation is under way, by how that one ends.

`retry` is answered at once, and promises an invocation: also when the one under way fails for good, since
whoever sent it has put right what that one did not see. Whoever waits for an answer is told when a person
is needed first."""

DURING_A_PAUSE: Final[dict[str, tuple[Served, ...]]] = DURING | {
    "trigger": (WAITS, WAITS, WAITS, WAITS, ENDS, WAITS, WAITS, WAITS),
    "execute": (ONCE,) * 8,
    "approve": (ONCE,) * 8,
    "reject": (ONCE,) * 8,
    "resolve": (ONCE,) * 8,
    "trading_signal": (LATER, LATER, LATER, LATER, ENDS, LATER, LATER, LATER),
    "edit": (APPLIED, APPLIED, APPLIED, APPLIED, TOO_LATE, APPLIED, APPLIED, APPLIED),
    "retry": (REFUSED,) * 8,
    "resume": (NOTHING, ONCE, NOTHING, ONCE, ENDS, ONCE, ONCE, NOTHING),
}
"""The same for an invocation that runs in a pause, for a message that a permanent failure is blamed on."""

STANDINGS: Final = {
    "running": ("scheduled", "edit", "trigger", "approve", "execute"),
    "postponed": ("scheduled", "edit", "trigger", "approve", "execute"),
    "awaiting": ("edit", "trigger", "approve", "execute"),
    "retryable": ("scheduled", "edit", "trigger", "approve", "execute"),
    "paused": ("approve", "execute"),
}
"""How an automation stands when the invocation begins, and what that one may be for."""

OCCASIONS: Final = [
    ("starting", "scheduled"),
    *((standing, cause) for standing, causes in STANDINGS.items() for cause in causes),
]

SAME_INSTANT: Final = [
    ("starting", "scheduled"),
    ("running", "trigger"),
    ("postponed", "execute"),
    ("awaiting", "edit"),
    ("retryable", "scheduled"),
    ("paused", "approve"),
]
"""Those in which a message also comes at the very instant of the invocation's end."""

RETRYABLE: Final = {"postponed", "awaiting", "retryable"}


def expected_during(message: str, standing: str, cause: str, ending: str) -> Served:
    """Return what is right, from the tables."""
    table = DURING_A_PAUSE if standing == "paused" else DURING
    if message == "retry" and standing not in RETRYABLE:
        return REFUSED
    if ending == "permanent" and cause in {"approve", "execute"} and standing != "paused":
        ending = "running"  # that message is to blame, and nothing else changes
        if message == "trading_signal" and standing in {"postponed", "retryable"}:
            return LATER
    return table[message][list(ENDINGS).index(ending)]


# --- between two invocations: by how the automation stands --------------------------------------------------

BETWEEN: Final[dict[str, tuple[Served, ...]]] = {
    # starting, running, postponed, awaiting, retryable, paused, permanent, stopping
    "execute": (ONCE, ONCE, ONCE, ONCE, ONCE, ONCE, REFUSED, TOO_LATE),
    "trigger": (ONCE, ONCE, ONCE, ONCE, ONCE, WAITS, REFUSED, TOO_LATE),
    "approve": (ONCE, ONCE, ONCE, ONCE, ONCE, ONCE, REFUSED, TOO_LATE),
    "reject": (ONCE, ONCE, ONCE, ONCE, ONCE, ONCE, REFUSED, TOO_LATE),
    "resolve": (ONCE, ONCE, ONCE, ONCE, ONCE, ONCE, REFUSED, TOO_LATE),
    "trading_signal": (ONCE, ONCE, LATER, ONCE, LATER, LATER, LATER, ENDS),
    "edit": (ONCE, ONCE, ONCE, ONCE, ONCE, APPLIED, ONCE, TOO_LATE),
    "retry": (REFUSED, REFUSED, ONCE, ONCE, ONCE, REFUSED, ONCE, REFUSED),
    "pause": (PAUSED, PAUSED, PAUSED, PAUSED, PAUSED, PAUSED, PAUSED, ENDS),
    "resume": (REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, ONCE, REFUSED, REFUSED),
    "stop": (ENDS,) * 8,
}
"""What is right for a message that comes while nothing is under way. `paused` holds planned effects,
`stopping` waits between two of its rounds."""

WAITING: Final = [
    "starting",
    "running",
    "postponed",
    "awaiting",
    "retryable",
    "paused",
    "permanent",
    "stopping",
]
