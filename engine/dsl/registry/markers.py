"""What an operator's author writes inside `Annotated[...]` to say more about a parameter than its type does.

::

    def wait(context: OperatorContext, seconds: Annotated[Number, Range(ge=0), Unit("seconds")]) -> None: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

Number = int | float | Decimal
"""Any number of the language; bools count as 0 and 1."""


class Series(Protocol):
    """A list of numbers or a numpy float64 array, oldest value first."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number: inclusive `ge`, `le`, exclusive `gt`, `lt`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def describe(self) -> str:
        """Return the bounds in words: `at least 0, below 10`."""
        words = (("at least", self.ge), ("above", self.gt), ("at most", self.le), ("below", self.lt))
        return ", ".join(f"{word} {bound:g}" for word, bound in words if bound is not None)

    def holds(self, value: Number) -> bool:
        """Tell whether a number is inside the bounds; NaN never is."""
        return (
            value == value
            and (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a number, for the reference: `seconds`, `percent`."""

    name: str


class Choice:
    """The only values that a parameter accepts."""

    __slots__ = ("options",)

    def __init__(self, *options: str | int) -> None:
        self.options = options


@dataclass(frozen=True, slots=True)
class SymbolParam:
    """A market's symbol; the automation's own one when left out or None."""


@dataclass(frozen=True, slots=True)
class TimeFrameParam:
    """A time frame such as `1h`; the automation's own one when left out or None."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """The operator receives a `LazyValue` and decides whether the argument is evaluated.

    Attributes:
        reads_only: refuse arguments that hold effects or calls that may have to wait.
        replayed: remember the outcome when the operator suspends, instead of evaluating it again.
    """

    reads_only: bool = False
    replayed: bool = True


@dataclass(frozen=True, slots=True)
class ExpressionText:
    """A constant text given for this parameter is read as an expression.

    Attributes:
        with_placeholder: the expression may use `LOCAL_VALUE_PLACEHOLDER`, which the operator gives to
            `LazyValue.using`; a text that starts with an operator is applied to it, an empty one is true.
    """

    with_placeholder: bool = False


class LazyValue(Protocol):
    """An argument that has not been evaluated; `await` it to get its value."""

    def __await__(self) -> Generator[Any, Any, Any]: ...

    def using(self, placeholder: Any) -> Awaitable[Any]:
        """Evaluate with `LOCAL_VALUE_PLACEHOLDER` bound to a value."""
        ...
