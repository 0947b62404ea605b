"""Messages that wait for the automation to act on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.messages import ActionAnswer, EditChanges, EditRequest, ExecuteAnswer, Json


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
