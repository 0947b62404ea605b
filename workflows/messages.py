"""What crosses the border of the automation workflow: its input, messages, results and queries."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Json: TypeAlias = dict[str, Any]
"""A JSON object that the workflow carries but does not look into."""

Status = Literal[
    "starting",
    "running",
    "postponed",
    "awaiting_approval",
    "retrying",
    "paused",
    "needs_attention",
    "finished",
    "stopped",
]
"""What an automation does: `retrying` waits after failed attempts, `paused` until it is resumed,
`needs_attention` for a person to put something right."""

WakeReason = Literal["scheduled", "forced", "message", "signal"]

MAX_EDITED: Final = 10_000
"""Actions that one edit may name in each of its lists."""

MAX_DECIDED: Final = 1_000
"""Effects that one message may decide about."""

MAX_REASON: Final = 300


class Message(BaseModel):
    """Base of what people send: a typing error in a field's name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Lenient(BaseModel):
    """Base of what must always be read: `null`, as which JSON writes a number that is none, is no value."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class ExecuteRequest(Message):
    """Update `execute`: priority actions, in the form of an automation's actions."""

    actions: Annotated[list[Json], Field(min_length=1, max_length=100)]

    @field_validator("actions")
    @classmethod
    def _identified(cls, actions: list[Json]) -> list[Json]:
        ids = [action.get("id") for action in actions]
        if not all(isinstance(action_id, str) and action_id for action_id in ids):
            raise ValueError("every action needs an id")
        if len(set(ids)) < len(ids):
            raise ValueError("two actions have the same id")
        return actions


class StopRequest(Message):
    """Update `stop`."""

    cancel_open_orders: bool = False


class ApproveRequest(Message):
    """Update `approve`: effects that may be sent, by key."""

    keys: Annotated[list[str], Field(min_length=1, max_length=MAX_DECIDED)]


class RejectRequest(Message):
    """Update `reject`: effects that must not be sent, by key, and why."""

    keys: Annotated[list[str], Field(min_length=1, max_length=MAX_DECIDED)]
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class ResolveRequest(Message):
    """Update `resolve`: what a person found out about an effect that no look-up settles.

    Attributes:
        key: of the effect.
        placed: whether the exchange has it.
    """

    key: Annotated[str, Field(min_length=1)]
    placed: bool


class Decisions(BaseModel):
    """What a person decided about effects, by key.

    Attributes:
        approved: those that may be sent.
        rejected: those that must not be sent, with the reason.
        resolved: those that nobody could settle, and whether the exchange has them.
    """

    approved: list[str] = []
    rejected: dict[str, str] = {}
    resolved: dict[str, bool] = {}


class EditRequest(Message):
    """Update `edit`.

    Attributes:
        upsert: definitions of actions, new ones and those to change.
        remove: ids of actions to remove.
        restart: ids of actions to run again, with all that depend on them.
    """

    upsert: Annotated[list[Json], Field(max_length=MAX_EDITED)] = []
    remove: Annotated[list[str], Field(max_length=MAX_EDITED)] = []
    restart: Annotated[list[str], Field(max_length=MAX_EDITED)] = []

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.upsert or self.remove or self.restart):
            raise ValueError("the edit changes nothing")
        return self


class EditChanges(BaseModel):
    """What an edit did, as ids of actions.

    Attributes:
        added: new ones.
        changed: those with another definition than before.
        removed: those that are gone.
        restarted: those that will run again from their start.
        kept: changed ones that have run already, and keep their result.
    """

    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    restarted: list[str] = []
    kept: list[str] = []


class ActionAnswer(BaseModel):
    """How a priority action stands when its update returns.

    Attributes:
        value: what the action returned, as plain JSON.
        error: why it failed, if it did.
        error_status: the kind of failure.
        due_at: when it goes on, in the automation's time, if it waits.
    """

    value: Any = None
    error: str | None = None
    error_status: str | None = None
    due_at: float | None = None


class ExecuteAnswer(BaseModel):
    """Result of update `execute`.

    Attributes:
        actions: an answer for each action of the request, by id.
        omitted: the answers were too large to keep; only the first call with this update id got them.
    """

    actions: dict[str, ActionAnswer] = {}
    omitted: bool = False


class StatusReport(BaseModel):
    """How the automation stands: result of query `status` and of most updates.

    Attributes:
        status: what it does now.
        reason: why, when a person should know.
        iteration: invocations completed.
        failures: failed attempts in a row.
        due_at: next run in the automation's time (UNIX seconds), None when nothing is scheduled.
        wake_at: the same moment on the workflow's clock; differs for recorded markets.
        updated_at: workflow time of the last change (UNIX seconds).
        outcome: what the last invocation did.
        details: the automation as Markdown.
        dropped_signals: how many messages of leaders were none, or were too many.
        dropped_why: why the last of them was dropped.
    """

    status: Status
    reason: str | None = None
    iteration: int = 0
    failures: int = 0
    due_at: float | None = None
    wake_at: float | None = None
    updated_at: float = 0
    outcome: Json = {}
    details: str = ""
    dropped_signals: int = 0
    dropped_why: str | None = None


class EditAnswer(BaseModel):
    """Result of update `edit`.

    Attributes:
        changes: what it did.
        report: how the automation stands after it.
    """

    changes: EditChanges
    report: StatusReport


class AutomationResult(BaseModel):
    """What the workflow returns when the automation has ended.

    Attributes:
        summary: how it ended.
        state: the final state.
    """

    summary: StatusReport
    state: Json


class WorkflowSettings(Lenient):
    """How one automation is run; times in seconds.

    Attributes:
        invocation_timeout: longest time of one attempt.
        heartbeat_timeout: silence after which an attempt counts as dead; it beats four times as often.
        attempts: attempts of one activity, before the workflow takes over with its own delays.
        attempts_timeout: longest time of all those attempts together.
        first_delay, longest_delay: the workflow's delays after an activity gave up, doubling.
        give_up_after: failures in a row for this long ask for a person.
        wind_down_timeout: longest time that a stop waits for effects under way to be settled.
        continue_as_new_after: history events after which to continue as new, at the latest when
            Temporal suggests it.
        search_attributes: whether the server knows Octoflow's search attributes.
    """

    invocation_timeout: float = 300
    heartbeat_timeout: float = 20
    attempts: int = 5
    attempts_timeout: float = 600
    first_delay: float = 60
    longest_delay: float = 3600
    give_up_after: float = 86_400
    wind_down_timeout: float = 900
    continue_as_new_after: int | None = None
    search_attributes: bool = False


class Clock(BaseModel):
    """One moment on both clocks, from which market time is counted (UNIX seconds).

    Attributes:
        real: workflow time.
        market: market time of the recorded market.
    """

    real: float
    market: float


class View(BaseModel):
    """The automation made ready for people by the activity.

    Attributes:
        details: Markdown of at most 8 KB.
        next_actions: what the next invocation will run, as a short line.
        attributes: search attribute values by name; None when the server does not know them.
    """

    details: str = ""
    next_actions: str = ""
    attributes: Json | None = None


class RunInvocation(BaseModel):
    """Input of the activity `run_invocation`.

    Attributes:
        state: the automation's state.
        run_key: put into the state when it has none: names this automation for ever.
        trigger: what woke the automation.
        woken_at: workflow time (UNIX seconds).
        due_at: when the invocation was due, in the automation's time.
        clock: the last invocation on both clocks.
        priority_actions: from an `execute` update.
        signals: of leaders, oldest first.
        decisions: about effects, from an `approve`, `reject` or `resolve` update.
        paused: run nothing but priority actions.
        stopping: run nothing any more, and settle the effects under way.
        cancel_open_orders: while stopping, cancel the automation's open orders.
    """

    state: Json
    run_key: str
    trigger: WakeReason = "scheduled"
    woken_at: float
    due_at: float | None = None
    clock: Clock | None = None
    priority_actions: list[Json] = []
    signals: list[Json] = []
    decisions: Decisions = Decisions()
    paused: bool = False
    stopping: bool = False
    cancel_open_orders: bool = False


class InvocationResult(Lenient):
    """Result of the activity `run_invocation`.

    Attributes:
        state: the new state.
        status: how the automation goes on.
        reason: why, when it is postponed.
        outcome: what the invocation did, for people.
        outcome_size: its size in bytes.
        iteration: invocations completed.
        woken_at: workflow time (UNIX seconds) as the request said it.
        due_at: next run in the automation's time; None when nothing is scheduled.
        wake_at: the same moment on the workflow's clock.
        priority_due: whether it is priority actions that are due then.
        pending_effects: effects that are planned or under way.
        sent_effects: those of them that were sent and whose fate is not known yet.
        open_orders: orders that are open on the account.
        clock: this invocation on both clocks, for recorded markets.
        answers: how priority actions ended, or until when they wait, by action id.
        view: the automation for people.
    """

    state: Json
    status: Status
    reason: str | None = None
    outcome: Json = {}
    outcome_size: int = 0
    iteration: int = 0
    woken_at: float = 0
    due_at: float | None = None
    wake_at: float | None = None
    priority_due: bool = False
    pending_effects: int = 0
    sent_effects: int = 0
    open_orders: int = 0
    clock: Clock | None = None
    answers: dict[str, ActionAnswer] = {}
    view: View = View()


class ApplyEdit(BaseModel):
    """Input of the activity `apply_edit`.

    Attributes:
        state: the automation's state.
        edit: what to change in it.
    """

    state: Json
    edit: EditRequest


class EditResult(BaseModel):
    """Result of the activity `apply_edit`.

    Attributes:
        state: the new state.
        changes: what is different.
        view: the automation for people.
    """

    state: Json
    changes: EditChanges
    view: View
