"""What the compiler knows of a compiled expression."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from engine.dsl.running.formulas import Formula, number
from engine.dsl.running.frame import Frame, Run

Stepwise = Callable[[Frame], Coroutine[Any, Any, Any]]
"""A stepwise form: may wait for I/O, or suspend the script and go on in a later evaluation."""

Combine = Callable[[Frame, list[Any]], Any]
"""Makes the value of a node out of the values of its operands."""

UNKNOWN: Final = object()
"""Constant of an expression that has none, and content of a slot whose value is not known."""

OUTSIDE: Final = -1
"""Stands among the slots that an expression needs for values that come from other actions."""


@dataclass(frozen=True, slots=True)
class Code:
    """One compiled expression; it has a plain form or a stepwise form.

    Attributes:
        at: offset in the script.
        run: the plain form, if nothing inside may wait or suspend.
        step: the stepwise form, if something may.
        constant: its value, if it is known already and has no items.
        needs: the slots it reads, if it depends on nothing else; None when it looks at the invocation.
        boolean: its value is always True or False.
        alternatives: the expressions that it takes its value from, if it only chooses between them.
        formula: a faster form that a larger formula can take in, if there is one.
    """

    at: int
    run: Run | None = None
    step: Stepwise | None = None
    constant: Any = UNKNOWN
    needs: frozenset[int] | None = None
    boolean: bool = False
    alternatives: tuple[Code, ...] = ()
    formula: Formula | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the value is known."""
        return self.constant is not UNKNOWN

    @property
    def is_static(self) -> bool:
        """Whether the value depends on nothing but the text."""
        return self.needs is not None and not self.needs


def constant_code(at: int, value: Any) -> Code:
    """Return the code of a value that is known."""
    return Code(
        at,
        run=lambda _: value,
        constant=value,
        needs=frozenset(),
        boolean=isinstance(value, bool),
        formula=number(value),
    )


def all_needs(codes: list[Code]) -> frozenset[int] | None:
    """Return the slots that some expressions read together, or None if one looks at the invocation."""
    needs: set[int] = set()
    for code in codes:
        if code.needs is None:
            return None
        needs |= code.needs
    return frozenset(needs)
