"""What decides whether, when and how often something is evaluated."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

from engine.dsl import (
    ExpressionText,
    Kind,
    Lazy,
    LazyValue,
    Notify,
    Number,
    OperatorContext,
    OperatorSet,
    Range,
    ReCallingOperatorResult,
    Unit,
    operator,
    truth,
)
from engine.errors import ActionStatus, DslError, OperatorError, invalid_parameters
from engine.operators.text import str_
from engine.timing import LONGEST
from engine.types import Seconds, Timestamp

SET: Final = OperatorSet("control", "Whether, when and how often something is evaluated.")

_TOLERANCE: Final[Seconds] = 0.001
"""A call this little before it is due counts as due: times are sums of floats."""

_STATUSES: Final = {status.value: status for status in ActionStatus}

_Delay = Annotated[Number, Range(ge=0, le=LONGEST), Unit("seconds")]
_OptionalDelay = Annotated[Number | None, Range(ge=0, le=LONGEST), Unit("seconds")]


class ErrorStatement(DslError):
    """An error that a script asked for with `error(…)`.

    Attributes:
        arguments: the texts that it was given.
    """

    def __init__(self, arguments: tuple[str, ...]) -> None:
        status = _STATUSES.get(arguments[0])
        details = arguments[1:] if status else arguments
        message = ", ".join(details) or (status.sentence if status else "error")
        super().__init__(message, code="error_statement", status=status)
        self.arguments = arguments


@operator(SET, kind=Kind.PURE, example="error('not_enough_funds', 'Add more funds')")
def error(status_or_text: Any, *details: Any) -> None:
    """End the action with an error.

    Args:
        status_or_text: a status such as `not_enough_funds`, or the message itself.
        details: further parts of the message.
    """
    raise ErrorStatement(tuple(str_(part) for part in (status_or_text, *details)))


@operator(SET, kind=Kind.PURE, example="if_error(1 / 0, 0)")
async def if_error(value: LazyValue, on_error: Annotated[LazyValue, ExpressionText()]) -> Any:
    """Return a value, or another one if its evaluation fails.

    Args:
        value: the expression that may fail.
        on_error: evaluated instead when it does; an expression, or the text of one.
    """
    try:
        return await value
    except DslError as error:
        if error.code == "limit_exceeded":
            raise
    return await on_error


@operator(SET, kind=Kind.PURE, example="value_if(close[-1], ' > 12')")
async def value_if(value: Any, condition: Annotated[LazyValue, ExpressionText(with_placeholder=True)]) -> Any:
    """Return a value if a condition holds for it, else False.

    Args:
        value: the value.
        condition: an expression, or the text of one, in which `LOCAL_VALUE_PLACEHOLDER` is the value; a text
            that starts with an operator is applied to the value.
    """
    return value if truth(await condition.using(value)) else False


@operator(SET, kind=Kind.READ, suspends=True, example="wait(60)")
def wait(
    context: OperatorContext,
    min_seconds: _Delay,
    max_seconds: _OptionalDelay = None,
    return_remaining_time: bool = False,
) -> ReCallingOperatorResult | None:
    """Let the action go on after a delay, which is drawn once when this call is first evaluated.

    Nothing sleeps: the automation remembers where the script stands, and goes on there after the delay.

    Args:
        min_seconds: the shortest delay.
        max_seconds: the longest delay; left out, the shortest one is taken.
        return_remaining_time: has no effect.
    """
    del return_remaining_time
    last = context.last_execution_result
    due = last["due"] if last is not None else context.now + _delay(context, min_seconds, max_seconds)
    remaining = due - context.now
    if remaining <= _TOLERANCE:
        return None
    return ReCallingOperatorResult("wait", remaining, {"due": due})


def _delay(context: OperatorContext, shortest: Number, longest: Number | None) -> Seconds:
    if longest is None or longest == shortest:
        return float(shortest)
    if longest < shortest:
        raise invalid_parameters(f"max_seconds is {longest}, below min_seconds, which is {shortest}")
    return context.random.uniform(float(shortest), float(longest))


@operator(
    SET, kind=Kind.READ, suspends=True, example="loop_until(price('BTC/USDT') > 50000, 60, timeout=3600)"
)
async def loop_until(
    context: OperatorContext,
    condition: Annotated[LazyValue, Lazy(reads_only=True, replayed=False)],
    retry_interval: _Delay,
    timeout: _OptionalDelay = None,  # noqa: ASYNC109 - market time, checked when the action is called again
    max_attempts: Annotated[int | None, Range(ge=1)] = None,
    return_remaining_time: bool = False,
) -> Any:
    """Check a condition at regular intervals until it holds; its value is the result.

    Args:
        condition: evaluated afresh on every check; it may read, but have no effect.
        retry_interval: time between two checks; delays do not add up.
        timeout: gives up this long after the first check.
        max_attempts: gives up after this many checks.
        return_remaining_time: has no effect.
    """
    del return_remaining_time
    value = await condition
    if truth(value):
        return value
    last = context.last_execution_result or {"started": context.now, "due": context.now, "attempts": 0}
    started, due, attempts = last["started"], last["due"], last["attempts"]
    if context.now >= due - _TOLERANCE:
        attempts += 1
        deadline = math.inf if timeout is None else started + float(timeout)
        if context.now >= deadline - _TOLERANCE or (max_attempts is not None and attempts >= max_attempts):
            raise OperatorError(
                ActionStatus.MAX_ATTEMPTS_EXCEEDED, f"the condition did not hold in {attempts} checks"
            )
        due = min(_next_check(started, float(retry_interval), context.now), deadline)
    state = {"started": started, "due": due, "attempts": attempts}
    return ReCallingOperatorResult("loop_until", max(due - context.now, 0.0), state)


def _next_check(started: Timestamp, interval: Seconds, now: Timestamp) -> Timestamp:
    """Return the first instant after now on the grid of checks: late ones do not delay later ones."""
    if interval == 0:
        return now
    checks = math.floor((now - started + _TOLERANCE) / interval) + 1
    return started + checks * interval


@operator(SET, kind=Kind.EFFECT, example="restart('buy', 3600)")
def restart(context: OperatorContext, action_id: str, after_seconds: _Delay = 0) -> ReCallingOperatorResult:
    """Make an action, and everything that depends on it, run again.

    Args:
        action_id: the action.
        after_seconds: how long from now it becomes due.
    """
    del context
    return ReCallingOperatorResult("restart", float(after_seconds), reset_to_id=action_id)


@operator(SET, kind=Kind.EFFECT, suspends=False, example="notify('bought at ' + str(price()))")
def notify(context: OperatorContext, text: str) -> None:
    """Show the user a text with the outcome of this invocation.

    Args:
        text: the text.
    """
    context.direct(Notify(text))
