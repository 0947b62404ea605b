"""Formulas: arithmetic on variables and newest values of indicators as one Python function.

A formula is fast because it leaves all care to the general form of the expression, a nest of closures. Every
variable in it is an ordinary float or a small enough integer, so no result comes near the limit on integers;
every series is market data or made of it, so none is large. Where that does not hold, or anything is raised,
the general form evaluates the expression from the start. Nothing is done twice by that: a formula only reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.dsl.context import OperatorContext
from engine.types import CallSite

if TYPE_CHECKING:
    from engine.dsl.code import Run

_VARIABLE_BITS: Final = 60
"""Variables that are larger integers take the general form."""

_ITEM_BITS: Final = 64
"""Size of an item of any array."""

_SAFE_BITS: Final = 250
"""A little below the limit on integers."""

_MAX_PARTS: Final = 200
"""Longer formulas are worth neither the time nor the stack of Python's compiler."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A number in a frame: `Variable("context.references", "action")`."""

    place: str
    key: str | int


@dataclass(frozen=True, slots=True)
class Reading:
    """A call that reads the market; one is made for all with the same key.

    Attributes:
        parts: the call, as in `Formula`.
    """

    key: Hashable
    parts: tuple[str | Bound, ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """A function, or the constant argument of one."""

    value: Any


Given = Bound | Literal["symbol", "time_frame"]
"""An argument that is known, or the automation's own symbol or time frame."""

Part = str | Variable | Reading | Bound
Kind = Literal["number", "boolean", "series"]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression in Python.

    Attributes:
        parts: its text, made of numbers and of the words of this module, with everything else in between.
        kind: what its value is.
        bits: size that an integer result can have.
    """

    parts: tuple[Part, ...]
    kind: Kind
    bits: int = 0

    @property
    def computes(self) -> bool:
        """Whether it is worth a function of its own: it does something, and gives no series."""
        return (
            self.kind != "series"
            and len(self.parts) > 1
            and not all(isinstance(part, str) for part in self.parts)
        )


def number(value: Any) -> Formula | None:
    """Return the formula of a constant, or None if it is no ordinary number."""
    if type(value) is bool:
        return Formula((repr(value),), "boolean", bits=1)
    if type(value) is int:
        return Formula((f"({value})",), "number", bits=value.bit_length())
    return Formula((f"({value!r})",), "number") if type(value) is float and math.isfinite(value) else None


def variable(place: str, key: str | int) -> Formula:
    """Return the formula of a reference or local."""
    return Formula((Variable(place, key),), "number", _VARIABLE_BITS)


def reading(
    operator: str, function: Callable[..., Any], call_site: CallSite, arguments: Sequence[Given]
) -> Formula:
    """Return the formula of a call that reads a series of market data, which stands still meanwhile.

    Args:
        operator: name of the operator.
        function: what computes it.
        call_site: the call's place in the script.
        arguments: values that are known; a text names a field of the automation's defaults.
    """
    parts: list[str | Bound] = [
        Bound(function),
        "(",
        Bound(OperatorContext),
        "(frame, ",
        Bound(operator),
        ", ",
        Bound(call_site),
        ")",
    ]
    for argument in arguments:
        parts += [", ", f"frame.context.defaults.{argument}" if isinstance(argument, str) else argument]
    return Formula((Reading((operator, *map(repr, arguments)), (*parts, ")")),), "series")


def call(function: Callable[..., Any], arguments: Sequence[Formula | Bound]) -> Formula | None:
    """Return the formula of a pure function from series to a series, or None if it would be too long."""
    parts: list[Part] = [Bound(function), "("]
    for argument in arguments:
        parts += argument.parts if isinstance(argument, Formula) else [argument]
        parts.append(", ")
    return Formula((*parts, ")"), "series") if len(parts) < _MAX_PARTS else None


def item(value: Formula | None, index: Any) -> Formula | None:
    """Return the formula of one item of a series, or None if it cannot be one."""
    if value is None or value.kind != "series" or type(index) is not int:
        return None
    return Formula((*value.parts, f".item({index})"), "number", _ITEM_BITS)


def _grown(left: int, right: int) -> int:
    return max(left, right) + 1


_BITS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": _grown,
    "-": _grown,
    "*": lambda left, right: left + right,
    "/": lambda _, __: 0,
    "//": lambda left, _: left + 1,
    "%": lambda _, right: right,
}
"""Size of the integer that an operator gives, by the sizes of its operands."""

_COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})


def arithmetic(operands: Sequence[Formula | None], signs: Sequence[str]) -> Formula | None:
    """Return the formula of `a + b - c`, or None if it cannot be one."""
    formula = operands[0]
    for sign, operand in zip(signs, operands[1:], strict=True):
        if formula is None or operand is None:
            return None
        bits = _BITS[sign](formula.bits, operand.bits)
        formula = _formula(["(", formula, f" {sign} ", operand, ")"], "number", bits)
    return formula


def comparison(operands: Sequence[Formula | None], signs: Sequence[str]) -> Formula | None:
    """Return the formula of `a < b <= c`, or None if it cannot be one."""
    if not _COMPARISONS.issuperset(signs):
        return None
    pieces: list[str | Formula | None] = ["(", operands[0]]
    for sign, operand in zip(signs, operands[1:], strict=True):
        pieces += [f" {sign} ", operand]
    return _formula([*pieces, ")"], "boolean", 1)


def logical(word: str, operands: Sequence[Formula | None]) -> Formula | None:
    """Return the formula of `a and b and c` or `a or b or c`, or None if it cannot be one."""
    pieces: list[str | Formula | None] = ["(", truth(operands[0])]
    for operand in operands[1:]:
        pieces += [f" {word} ", truth(operand)]
    return _formula([*pieces, ")"], "boolean", 1)


def truth(operand: Formula | None) -> Formula | None:
    """Return the formula that tells whether a value counts as true, or None if it cannot be one."""
    if operand is None or operand.kind == "boolean":
        return operand
    return _formula(["(", operand, " != 0)"], "boolean", 1)


def negation(operand: Formula | None) -> Formula | None:
    """Return the formula of `not operand`, or None if it cannot be one."""
    return _formula(["(not ", operand, ")"], "boolean", 1)


def signed(signs: Sequence[str], operand: Formula | None) -> Formula | None:
    """Return the formula of `- operand`, or None if it cannot be one."""
    return operand and _formula(["(", *signs, operand, ")"], "number", operand.bits)


def conditional(test: Formula | None, then: Formula | None, otherwise: Formula | None) -> Formula | None:
    """Return the formula of `then if test else otherwise`, or None if it cannot be one."""
    if then is None or otherwise is None:
        return None
    kind: Kind = "boolean" if then.kind == otherwise.kind == "boolean" else "number"
    pieces: list[str | Formula | None] = ["(", then, " if ", test, " else ", otherwise, ")"]
    return _formula(pieces, kind, max(then.bits, otherwise.bits))


def _formula(pieces: Sequence[str | Formula | None], kind: Kind, bits: int) -> Formula | None:
    parts: list[Part] = []
    for piece in pieces:
        if piece is None or (isinstance(piece, Formula) and piece.kind == "series"):
            return None
        parts += piece.parts if isinstance(piece, Formula) else [piece]
    return Formula(tuple(parts), kind, bits) if len(parts) <= _MAX_PARTS and bits <= _SAFE_BITS else None


def compiled(formula: Formula, general: Run) -> Run:
    """Return the function that computes a formula, or calls the general form where that is not possible."""
    writer = _Writer()
    value = writer.text(formula.parts)
    source = _FUNCTION.format(first="; ".join(writer.first), test=" and ".join(writer.tests), value=value)
    limit = 2**_VARIABLE_BITS
    namespace = {**writer.bound, "general": general, "LOW": -limit, "HIGH": limit}
    exec(source, namespace)
    run: Run = namespace["run"]
    return run


class _Writer:
    """Writes formulas as Python.

    Attributes:
        bound: the values of the names in the text.
        first: statements that are executed before it.
        tests: what has to hold.
    """

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}
        self.first = ["pass"]
        self.tests = ["True"]
        self._names: dict[Part, str] = {}

    def text(self, parts: Sequence[Part]) -> str:
        """Return the text of some parts."""
        return "".join(part if isinstance(part, str) else self._text_of(part) for part in parts)

    def _text_of(self, part: Variable | Reading | Bound) -> str:
        if isinstance(part, Bound):
            name = f"bound_{len(self.bound)}"
            self.bound[name] = part.value
            return name
        known = self._names.get(part)
        name = self._names.setdefault(part, f"name_{len(self._names)}")
        if isinstance(part, Variable):
            if known is None:
                self.first.append(f"{name} = frame.{part.place}[{part.key!r}]")
                self.tests.append(_ORDINARY.format(name=name))
            return name
        if known is None:
            self.first.append(f"{name} = None")
        return f"({name} if {name} is not None else ({name} := {self.text(part.parts)}))"


_ORDINARY: Final = "(type({name}) is float or type({name}) is int and LOW < {name} < HIGH)"
_FUNCTION: Final = """\
def run(frame):
    try:
        {first}
        if {test}:
            return {value}
    except Exception:
        pass
    return general(frame)
"""
