"""How an effect operator waits for what it planned on a live account, and what it finds when called again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from engine.dsl import Notify, OperatorContext, ReCallingOperatorResult
from engine.effects import Applied, CallOutcomes, Cancelled, Outcome, Placed, Planned, Refusal, Sent
from engine.errors import OperatorError

Deed = TypeVar("Deed", Placed, Cancelled, Applied, Sent)

Answer = dict[str, Any] | ReCallingOperatorResult
"""What an effect operator gives: its result, or that it is called again when its effects were carried out."""


def later(context: OperatorContext, planned: Planned) -> ReCallingOperatorResult:
    """Suspend the script until what the call has planned was carried out."""
    return ReCallingOperatorResult(context.operator, 0.0, {"intents": list(planned.keys)})


def done(context: OperatorContext, kind: type[Deed]) -> Sequence[Deed] | None:
    """Return what was carried out of what this call has planned; None when it is to act, perhaps again.

    What was refused or came too late beside effects that succeeded is told to the user.

    Raises:
        OperatorError: nothing was carried out, and something of it was refused.
    """
    call = CallOutcomes.of(context.last_execution_result)
    if call is None or call.all_dropped:
        return None
    succeeded = [outcome for outcome in call.outcomes if isinstance(outcome, kind)]
    refusals = [outcome for outcome in call.outcomes if isinstance(outcome, Refusal)]
    if refusals and not succeeded:
        raise OperatorError(refusals[0].status, refusals[0].message)
    _tell_failures(context, call.outcomes, refusals)
    return succeeded


def _tell_failures(
    context: OperatorContext, outcomes: Sequence[Outcome], refusals: Iterable[Refusal]
) -> None:
    reasons = Counter(refusal.message for refusal in refusals)
    if dropped := sum(outcome.outcome == "dropped" for outcome in outcomes):
        reasons["too old to be sent"] += dropped
    for reason, count in reasons.items():
        context.direct(Notify(f"{context.operator}: {count} of {len(outcomes)} did not happen: {reason}"))
