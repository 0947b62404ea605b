"""The state of one evaluation: values of names, what it may still cost, and where a suspended one goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from engine.dsl.limits import Limits
from engine.dsl.registry import Directive, OperatorContext, ReCallingOperatorResult, ScriptContext
from engine.dsl.running.arithmetic import check_items, weigh
from engine.dsl.source import position_of
from engine.errors import DslError, OctoflowError
from engine.types import CallSite

SCALARS: Final = frozenset({int, float, bool, Decimal, type(None)})
"""Types of values that have no items."""


class Suspended(Exception):
    """An operator is not done: unwinds the script while every node on the way keeps what it has evaluated.

    Attributes:
        recall: what the operator returned.
        call_site: its call.
        at: offset of the call in the script.
        kept: progress by node id, as values; from the call outwards.
    """

    def __init__(self, recall: ReCallingOperatorResult, call_site: CallSite, at: int) -> None:
        super().__init__(call_site)
        self.recall = recall
        self.call_site = call_site
        self.at = at
        self.kept: list[tuple[int, Any]] = []

    def keep(self, node_id: int, progress: Any) -> None:
        """Remember what a node needs to go on."""
        self.kept.append((node_id, progress))


class Frame:
    """One evaluation of one script.

    Attributes:
        context: what the job gave.
        text: the script, for the positions of errors.
        slots: values of locals and placeholders.
        ahead_of_time: constants are folded or dependencies extracted; nothing of the invocation is known.
        effects: effects performed so far.
        directives: what the script asked of the job.
    """

    # Defaults stand in the class, because most evaluations are over before they would need them.
    ahead_of_time = False
    effects = 0
    directives: tuple[Directive, ...] = ()
    _work = 0
    _kept: dict[int, Any] | None = None
    _resumed_at: str | None = None
    _operator_state: Mapping[str, Any] | None = None

    def __init__(self, context: ScriptContext, text: str, slots: list[Any]) -> None:
        self.context = context
        self.text = text
        self.slots = slots

    @property
    def limits(self) -> Limits:
        """What the script may cost."""
        return self.context.limits

    def resume(self, call_site: str, operator_state: Mapping[str, Any], kept: dict[int, Any]) -> None:
        """Make this evaluation go on where another one was suspended."""
        self._resumed_at = call_site
        self._operator_state = operator_state
        self._kept = kept

    def progress(self, node_id: int) -> Any:
        """Return once what a node kept when the script was suspended, or None."""
        return self._kept.pop(node_id, None) if self._kept else None

    def charge(self, value: Any, *, times: int = 1) -> None:
        """Count a value, with everything inside it, against what the evaluation may touch.

        Raises:
            DslError: `limit_exceeded`.
        """
        if type(value) in SCALARS:
            return
        limits = self.context.limits
        try:
            check_items(len(value), limits)
            self._work += times * weigh(value, limits)
        except DslError:
            self._work = limits.work + 1
            raise
        if self._work > limits.work:
            message = f"the script touches more than {limits.work:,} items of lists and texts"
            raise DslError(message, code="limit_exceeded")

    @property
    def is_spent(self) -> bool:
        """Whether the evaluation has touched all the items it may."""
        return self._work > self.context.limits.work

    def count_effect(self, operator: str) -> None:
        """Count one effect against the limit of the invocation."""
        shared, most = self.context.effects, self.limits.effects
        if shared.performed >= most:
            message = f"{operator}() would be effect number {shared.performed + 1}; {most} are allowed"
            raise DslError(message, code="limit_exceeded")
        shared.performed += 1
        self.effects += 1

    def context_for(self, operator: str, call_site: CallSite) -> OperatorContext:
        """Return what one call sees of the invocation."""
        state = None
        if self._resumed_at == call_site:
            state, self._resumed_at = self._operator_state, None
        return OperatorContext(self, operator, call_site, state)

    def direct(self, directive: Directive) -> None:
        """Keep what the script asks of the job."""
        self.directives = (*self.directives, directive)

    def located(self, error: Exception, at: int, doing: str) -> OctoflowError:
        """Return an exception as a `DslError` that stands at an offset of the script.

        Errors that ask for another reaction, such as trying again, stay what they are.
        """
        if isinstance(error, OctoflowError) and not isinstance(error, DslError):
            return error
        if self.ahead_of_time:
            return DslError(doing)  # nobody sees the errors of folding
        if not isinstance(error, DslError):
            error = DslError(f"{doing}: {_reason(error)}")
        return error if error.position else error.at(position_of(self.text, at), self.text)


Run: TypeAlias = Callable[[Frame], Any]
"""A plain form of an expression: computes the value at once."""


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, OverflowError):
        return "the result is too large"
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(error) or type(error).__name__
