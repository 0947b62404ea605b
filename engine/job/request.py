"""What goes into one invocation, and the small account of it that comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, Field

from engine.state import AutomationState, TriggerReason
from engine.types import ActionId, Timestamp
from engine.values import JsonValue, json_size

MAX_EXECUTED_ENTRIES: Final = 50
MAX_PENDING_ENTRIES: Final = 50
MAX_OUTCOME_BYTES: Final = 30_000
"""Of everything of variable length; the rest of the 32 KB is for names of fields, and for a last note."""

MAX_NOTES: Final = 20
MAX_TEXT: Final = 300
_ENTRY_BYTES: Final = 150
"""Bytes of an executed entry besides its id and its error."""

_PENDING_BYTES: Final = 120
"""Bytes of a pending effect besides its action's id and what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRequest:
    """Everything that one invocation depends on, besides public market data.

    Attributes:
        state: an `AutomationState` or its JSON form; not changed, unless it is handed over.
        now: market time in UNIX seconds; the engine knows no other clock.
        trigger: why the invocation runs; `forced` calls waiting operators before they are due.
        scheduled_to: when a scheduled invocation was due, UNIX seconds.
        priority_actions: actions in their JSON form, to run before the DAG's normal cycle.
        signals: snapshots of leaders, for copying automations.
        approved: keys of intents that a person allowed to be sent.
        rejected: keys of intents that a person refused, with the reason.
        resolved: keys of unresolved intents, and whether a person found them on the exchange.
        paused: run nothing but priority actions; planned effects are held, those under way looked up.
        stopping: run nothing any more; settle the effects that are under way.
        cancel_open_orders: while stopping, cancel the automation's open orders.
        hands_state_over: whether an `AutomationState` is the job's to change, which saves a copy of it.
    """

    state: AutomationState | Mapping[str, Any]
    now: Timestamp
    trigger: TriggerReason = TriggerReason.SCHEDULED
    scheduled_to: Timestamp = 0
    priority_actions: Sequence[Mapping[str, Any]] = ()
    signals: Sequence[Mapping[str, Any]] = ()
    approved: Sequence[str] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, bool] = field(default_factory=dict)
    paused: bool = False
    stopping: bool = False
    cancel_open_orders: bool = False
    hands_state_over: bool = False


class InvocationStatus(StrEnum):
    """What the automation is after an invocation."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    AWAITING_APPROVAL = "awaiting_approval"
    POSTPONED = "postponed"


class ExecutedAction(BaseModel):
    """One action that an invocation called; `status` is ok, waiting, or the error's status."""

    id: ActionId
    operator: str | None = None
    status: str
    error: str | None = None
    duration: float = 0
    effects: int = 0


class PendingEffect(BaseModel):
    """One effect on a live account that is not settled yet.

    Attributes:
        key: its identity, by which it is approved, rejected or resolved.
        action_id: the action that planned it.
        what: what it does, such as `limit buy 0.1 BTC/USDT at 49000`.
        status: planned, awaiting_approval, tried (it was sent, and its fate is not known yet) or unresolved
            (no look-up settles it).
    """

    key: str
    action_id: ActionId
    what: str
    status: str


class InvocationOutcome(BaseModel):
    """What an invocation did, for people and for the loop that drives it: at most 32 KB, no secret.

    Attributes:
        at: market time of the invocation, UNIX seconds.
        next_due_at: UNIX seconds (market time) of the next invocation, None when nothing is due.
        priority_due: whether it is priority actions that are due then.
        executed: the first actions called, at most 50; `executed_count` and `error_count` count all.
            `duration` of an entry is in seconds of processor time, `effects` counts what it did: orders
            placed or cancelled, on a live account as far as the exchange has confirmed them to it.
        values: results of priority actions as plain JSON.
        waiting: due times of priority actions that are not done.
        changed_elements: names of the account elements that differ from the start.
        cut_off: how many entries of each bounded list were dropped.
        pending_count: how many effects on the live account are planned or under way.
        pending_effects: the first of them, as far as there is room.
        notes: what happened besides, in words; texts of `notify` among them. The last one of a postponed
            automation is `reason: message`.
    """

    status: InvocationStatus
    iteration: int
    at: Timestamp = 0
    next_due_at: Timestamp | None = None
    priority_due: bool = False
    executed: list[ExecutedAction] = Field(default_factory=list)
    executed_count: int = 0
    error_count: int = 0
    values: dict[ActionId, JsonValue] = Field(default_factory=dict)
    waiting: dict[ActionId, Timestamp] = Field(default_factory=dict)
    changed_elements: list[str] = Field(default_factory=list)
    cut_off: dict[str, int] = Field(default_factory=dict)
    pending_count: int = 0
    pending_effects: list[PendingEffect] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class Journal:
    """Collects what becomes the outcome, within its bounds."""

    def __init__(self) -> None:
        self.executed: list[ExecutedAction] = []
        self.executed_count = 0
        self.error_count = 0
        self.values: dict[ActionId, JsonValue] = {}
        self.waiting: dict[ActionId, Timestamp] = {}
        self.cut_off: dict[str, int] = {}
        self.pending_effects: list[PendingEffect] = []
        self.pending_count = 0
        self.notes: list[str] = []
        self._room = MAX_OUTCOME_BYTES

    def keeps_entry_of(self, action_id: ActionId, error: str | None) -> bool:
        """Whether there is room for the entry of one more action; if so, it is taken."""
        size = _ENTRY_BYTES + json_size([action_id, error])
        return len(self.executed) < MAX_EXECUTED_ENTRIES and self._takes(size)

    def record(self, entry: ExecutedAction, *, failed: bool) -> None:
        """Count an executed action and keep its entry."""
        self.count(failed=failed)
        self.executed.append(entry)

    def count(self, *, failed: bool) -> None:
        """Count an executed action whose entry there is no room for."""
        self.executed_count += 1
        self.error_count += failed

    def publish(self, action_id: ActionId, value: JsonValue) -> None:
        """Keep the plain result of a priority action, or say that it is too long to show."""
        size = json_size({action_id: value})
        if self._takes(size):
            self.values[action_id] = value
        else:
            self.note(f"the result of '{action_id}' ({size} bytes) is not shown here; it is in the state")

    def note(self, text: str) -> None:
        """Keep a sentence for people."""
        shown = shorten(text)
        if len(self.notes) < MAX_NOTES and self._takes(json_size(shown)):
            self.notes.append(shown)

    def show_pending(self, effects: Sequence[PendingEffect]) -> None:
        """Keep the effects under way, as many as there is room for."""
        self.pending_count = len(effects)
        for effect in effects[:MAX_PENDING_ENTRIES]:
            if self._takes(_PENDING_BYTES + json_size([effect.action_id, effect.what])):
                self.pending_effects.append(effect)

    def outcome(
        self,
        *,
        status: InvocationStatus,
        iteration: int,
        at: Timestamp,
        next_due_at: Timestamp | None,
        priority_due: bool,
        changed_elements: list[str],
        setback: str | None = None,
    ) -> InvocationOutcome:
        """Return everything collected, with how the invocation ended and what kept it from its work."""
        return InvocationOutcome(
            status=status,
            iteration=iteration,
            at=at,
            next_due_at=next_due_at,
            priority_due=priority_due,
            executed=self.executed,
            executed_count=self.executed_count,
            error_count=self.error_count,
            values=self.values,
            waiting=self.waiting,
            changed_elements=changed_elements,
            cut_off=self.cut_off,
            pending_count=self.pending_count,
            pending_effects=self.pending_effects,
            notes=self.notes if setback is None else [*self.notes[: MAX_NOTES - 1], shorten(setback)],
        )

    def _takes(self, size: int) -> bool:
        fits = size <= self._room
        self._room -= size if fits else 0
        return fits

    def cut(self, counts: Mapping[str, int]) -> None:
        """Remember what was dropped from a bounded list."""
        for name, count in counts.items():
            self.cut_off[name] = self.cut_off.get(name, 0) + count


def shorten(text: str) -> str:
    """Cut a text to the length that an outcome shows."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
