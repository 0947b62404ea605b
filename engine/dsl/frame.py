"""The state of one evaluation: values of names, what it may still cost, and where a suspended one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engine.dsl.arithmetic import weigh
from engine.dsl.context import Directive, OperatorContext, ReCallingOperatorResult, ScriptContext
from engine.dsl.limits import Limits
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
        kept: progress by node id, as values; from the call outwards.
    """

    def __init__(self, recall: ReCallingOperatorResult, call_site: CallSite) -> None:
        super().__init__(call_site)
        self.recall = recall
        self.call_site = call_site
        self.kept: list[tuple[int, Any]] = []

    def keep(self, node_id: int, progress: Any) -> None:
        """Remember what a node needs to go on."""
        self.kept.append((node_id, progress))


class Frame:
    """One evaluation of one script.

    Attributes:
        slots: values of references, parameters, locals and placeholders.
        text: the script, for the positions of errors.
        context: what the job gave; None while constants are folded.
        work: items that lists and texts may still have.
        effects: effects performed so far.
        directives: what the script asked of the job.
    """

    __slots__ = ("_kept", "_operator_state", "_resumed_at", "context", "directives", "effects", "limits", "slots",
                 "text", "work")  # fmt: skip

    def __init__(self, slots: list[Any], text: str, limits: Limits, context: ScriptContext | None) -> None:
        self.slots = slots
        self.text = text
        self.limits = limits
        self.context = context
        self.work = limits.work
        self.effects = 0
        self.directives: list[Directive] = []
        self._kept: dict[int, Any] | None = None
        self._resumed_at: str | None = None
        self._operator_state: Mapping[str, Any] | None = None

    def resume(self, call_site: str, operator_state: Mapping[str, Any], kept: dict[int, Any]) -> None:
        """Make this evaluation go on where another one was suspended."""
        self._resumed_at = call_site
        self._operator_state = operator_state
        self._kept = kept

    def progress(self, node_id: int) -> Any:
        """Return once what a node kept when the script was suspended, or None."""
        return self._kept.pop(node_id, None) if self._kept else None

    def charge(self, value: Any) -> None:
        """Count the items of a list, dict, text or series against what the evaluation may touch."""
        if type(value) not in SCALARS:
            self._spend(len(value))

    def charge_deep(self, value: Any) -> Any:
        """Count a new value with everything inside it, and return it."""
        if type(value) not in SCALARS:
            self._spend(weigh(value, self.limits))
        return value

    def _spend(self, items: int) -> None:
        self.work -= items
        if self.work < 0:
            message = f"the script touches more than {self.limits.work:,} items of lists and texts"
            raise DslError(message, code="limit_exceeded")

    def count_effect(self, operator: str) -> None:
        """Count one effect against the limit of the invocation."""
        self.effects += 1
        if self.effects > self.limits.effects:
            message = f"{operator}() would be effect number {self.effects}; {self.limits.effects} are allowed"
            raise DslError(message, code="limit_exceeded")

    def context_for(self, operator: str, call_site: CallSite) -> OperatorContext:
        """Return what one call sees of the invocation."""
        if self.context is None:
            raise DslError(f"{operator}() cannot be evaluated before the script runs")
        state = None
        if self._resumed_at == call_site:
            state, self._resumed_at = self._operator_state, None
        return OperatorContext(self.context, operator, call_site, self.directives, state)

    def located(self, error: Exception, at: int, doing: str) -> OctoflowError:
        """Return an exception as a `DslError` that stands at an offset of the script.

        Errors that ask for another reaction, such as trying again, stay what they are.
        """
        if isinstance(error, OctoflowError) and not isinstance(error, DslError):
            return error
        if not isinstance(error, DslError):
            error = DslError(f"{doing}: {_reason(error)}")
        return error if error.position else error.at(position_of(self.text, at), self.text)


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, OverflowError):
        return "the result is too large"
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(error) or type(error).__name__
