"""Messages that wait for the automation to act on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.messages import (
    ActionAnswer,
    Decisions,
    EditChanges,
    EditRequest,
    ExecuteAnswer,
    Json,
    WakeReason,
)


@dataclass
class Pending:
    """A message that was accepted and whose sender waits."""

    done: bool = False
    error: str | None = None

    def finish(self) -> None:
        """Let the sender go on."""
        self.done = True

    def fail(self, error: str) -> None:
        """Fail the sender's update, and nothing else."""
        self.done, self.error = True, error

    async def wait(self) -> None:
        """Wait until the automation has acted.

        Raises:
            ApplicationError: it could not; fails the update that waits.
        """
        await workflow.wait_condition(lambda: self.done)
        if self.error is not None:
            raise ApplicationError(self.error, type="MessageFailed", non_retryable=True)


@dataclass
class PendingStop(Pending):
    """A wish to end the automation."""

    cancel_open_orders: bool = False


@dataclass(kw_only=True)
class PendingEdit(Pending):
    """A change of the automation's actions.

    Attributes:
        request: what to change.
        changes: what it did; set when it is done.
    """

    request: EditRequest
    changes: EditChanges = field(default_factory=EditChanges)


@dataclass(kw_only=True)
class PendingDecision(Pending):
    """What a person decided about effects; each is given to an invocation of its own."""

    decisions: Decisions


@dataclass
class PendingExecution(Pending):
    """Priority actions, until each of them has ended or waits.

    Attributes:
        actions: in their JSON form.
        merged: whether an invocation has added them to the state.
        answers: how they stand, by action id.
    """

    actions: list[Json] = field(default_factory=list)
    merged: bool = False
    answers: dict[str, ActionAnswer] = field(default_factory=dict)

    def answer(self, answers: dict[str, ActionAnswer], *, otherwise: str | None) -> bool:
        """Note how actions ended; finish, and tell so, when all have an answer.

        Args:
            answers: of those that ended in an invocation or wait, by action id.
            otherwise: why the others will get no answer, if no invocation will follow for them.
        """
        ids = [action["id"] for action in self.actions]
        self.answers |= {action_id: answers[action_id] for action_id in ids if action_id in answers}
        if otherwise is not None:
            missing = ActionAnswer(error=otherwise)
            self.answers = {action_id: self.answers.get(action_id, missing) for action_id in ids}
        if len(self.answers) == len(ids):
            self.finish()
        return self.done

    @property
    def result(self) -> ExecuteAnswer:
        """What the sender gets."""
        return ExecuteAnswer(actions=self.answers)


@dataclass
class Meanwhile:
    """What came while an invocation is under way, as far as the end of that one must not undo it.

    Attributes:
        hurried: somebody waits for what follows, who waits for no delay after a failure.
        sent_on: a person has put right what this one may not have seen, so that another one follows anyway.
    """

    hurried: bool = False
    sent_on: bool = False


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Why one invocation runs: the messages that it has to answer.

    Attributes:
        execution: priority actions to add.
        decision: about effects.
        triggers: updates that asked for the invocation.
        signals: of leaders, oldest first.
        edited: whether it runs because a person edited the automation or sent it on.
        forced: whether it was asked for in a pause that is over.
        ahead: whether it runs before it is due, so that its time is not the due time.
        paused: whether it runs nothing but priority actions.
    """

    execution: PendingExecution | None = None
    decision: PendingDecision | None = None
    triggers: list[Pending] = field(default_factory=list)
    signals: list[Json] = field(default_factory=list)
    edited: bool = False
    forced: bool = False
    ahead: bool = False
    paused: bool = False

    @property
    def trigger(self) -> WakeReason:
        """What woke the automation."""
        if self.triggers or self.forced:
            return "forced"
        if self.execution or self.decision or (self.ahead and not self.signals):
            return "message"
        return "signal" if self.signals else "scheduled"

    @property
    def actions(self) -> list[Json]:
        """The priority actions to add."""
        return self.execution.actions if self.execution else []

    @property
    def decisions(self) -> Decisions:
        """What a person decided."""
        return self.decision.decisions if self.decision else Decisions()
