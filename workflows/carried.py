"""What a run of the workflow starts with, and what it hands to the next one at continue-as-new."""

from __future__ import annotations

from collections import deque
from typing import Final, Self

from pydantic import BaseModel, Field

from workflows.messages import Clock, ExecuteAnswer, Json, Status, StatusReport, WorkflowSettings

MAX_CARRIED_ANSWERS: Final = 100
MAX_CARRIED_ANSWER: Final = 2_000
MAX_CARRIED_HISTORY: Final = 128_000
"""Bounds of what continue-as-new carries: number of answers, bytes of each, bytes of the history."""

MAX_SIGNALS: Final = 20
"""Signals that wait. Each is a whole snapshot of its leader, so that the newest ones tell everything."""


class Carried(BaseModel):
    """What a run hands to the next one at continue-as-new, besides the state.

    Attributes:
        report: how the automation stands.
        woken_at: workflow time of the last invocation, as its result says it.
        clock: last invocation on both clocks.
        next_actions: what the next invocation will run.
        failing_since: workflow time of the first failure in a row.
        retry_at: workflow time of the next attempt after a failure.
        held: while paused, the status that it has besides.
        priority_due: whether it is priority actions that are due next.
        edited: whether a person edited it, or sent it on, and no invocation has begun for that yet.
        forced: whether somebody asked in a pause for an invocation that is still to come.
        pending_effects: effects that are planned or under way.
        look_at: workflow time at which effects under way are looked up in a pause; None when there are none.
        signals: those that no invocation has had yet, oldest first.
        attributes: search attributes as last set, by name.
        account_attributes: those of them that the activity knows; None when the server knows none.
        answers: results of the newest `execute` updates by update id, so that they stay idempotent.
        history: newest outcomes, oldest first, each with its size in bytes.
    """

    report: StatusReport
    woken_at: float = 0
    clock: Clock | None = None
    next_actions: str = ""
    failing_since: float | None = None
    retry_at: float | None = None
    held: Status | None = None
    priority_due: bool = False
    edited: bool = False
    forced: bool = False
    pending_effects: int = 0
    look_at: float | None = None
    signals: list[Json] = []
    attributes: Json = {}
    account_attributes: Json | None = None
    answers: dict[str, ExecuteAnswer] = {}
    history: deque[tuple[int, Json]] = Field(default_factory=deque)
    history_size: int = 0

    @classmethod
    def at_start(cls, start: AutomationInput, now: float) -> Self:
        """Return how an automation stands that has not run here yet.

        Args:
            start: what it starts with.
            now: workflow time.
        """
        pending = start.pending_effects
        return cls(
            report=StatusReport(status="starting", wake_at=now),
            woken_at=now,
            pending_effects=_pending_effects_in(start.state) if pending is None else pending,
            account_attributes={} if start.settings.search_attributes else None,
        )

    def remember_answer(self, update_id: str, answer: ExecuteAnswer) -> None:
        """Keep the answer to an update for as long as it is one of the newest."""
        small = len(answer.model_dump_json()) <= MAX_CARRIED_ANSWER
        self.answers[update_id] = answer if small else ExecuteAnswer(omitted=True)
        while len(self.answers) > MAX_CARRIED_ANSWERS:
            del self.answers[next(iter(self.answers))]

    def remember_outcome(self, outcome: Json, size: int) -> None:
        """Add what an invocation did to the history, which keeps the newest within its bound."""
        self.history.append((size, outcome))
        self.history_size += size
        while self.history_size > MAX_CARRIED_HISTORY:
            self.history_size -= self.history.popleft()[0]

    def queue_signals(self, older: list[Json], newer: list[Json]) -> None:
        """Keep signals for a later invocation, in order; too many drop the oldest."""
        self.signals = [*older, *newer][-MAX_SIGNALS:]


class AutomationInput(BaseModel):
    """Input of the workflow `Automation`.

    Attributes:
        state: the automation's state, as the engine dumps it.
        settings: how it is run.
        pending_effects: how many effects of it are planned or under way: it may have been run elsewhere
            before. None in the inputs of older releases.
        carried: only set at continue-as-new.
    """

    state: Json
    settings: WorkflowSettings = WorkflowSettings()
    pending_effects: int | None = None
    carried: Carried | None = None


def _pending_effects_in(state: Json) -> int:
    """Count the effects in the state of a run whose input does not: its history has to replay as it was."""
    execution = state.get("automation", {}).get("execution", {})
    return len(execution.get("pending_effects", ()))
