"""Formulas: arithmetic on variables and newest values of indicators, without the care of the general form.

A formula is fast because it leaves all care to the general form of the expression. Every variable in it is
an ordinary float or a small enough integer, so no result comes near the limit on integers; every series is
market data or made of it, so none is large. Its closures therefore check nothing. Where that does not hold,
or anything is raised, the general form evaluates the expression from the start. Nothing is done twice by
that: a formula only reads.
"""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.dsl.registry import OperatorContext
from engine.dsl.running.formula_operators import (
    ARITHMETIC,
    COMPARISONS,
    LOGICAL,
    SIGNED,
    FormulaPart,
    Sign,
    Values,
    itself,
)
from engine.dsl.running.frame import Run
from engine.types import CallSite

_LARGEST_VARIABLE: Final = 2**60
"""Variables that are larger integers take the general form."""

_VARIABLE_BITS: Final = 60
_ITEM_BITS: Final = 64
"""Size of an item of any array."""

_SAFE_BITS: Final = 250
"""A little below the limit on integers."""

_MAX_SIZE: Final = 100
"""Nodes of a formula; longer ones are worth neither the time nor the stack."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A number in a frame; one is loaded for all with the same place."""

    place: Hashable
    load: Callable[[Any], Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """A call that reads the market; one is made for all with the same key."""

    key: Hashable


Slots = Mapping[Variable | Reading, int]
"""Where the values of a formula's leaves are; empty when its only variable takes the place of all values."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The constant argument of a call."""

    value: Any


Given = Bound | Literal["symbol", "time_frame"]
"""An argument that is known, or the automation's own symbol or time frame."""

ValueKind = Literal["number", "boolean", "series"]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression that can be computed without checks.

    Attributes:
        make: gives the closure that computes it, when it is known where its leaves are.
        kind: what its value is.
        bits: size that an integer result can have.
        leaves: the variables and readings in it.
        size: how many nodes it has.
        constant: its value, if `leaves` is empty.
    """

    make: Callable[[Slots], FormulaPart]
    kind: ValueKind
    bits: int = 0
    leaves: tuple[Variable | Reading, ...] = ()
    size: int = 1
    constant: Any = None

    @property
    def computes(self) -> bool:
        """Whether it is worth a function of its own: it does something, and gives no series."""
        return self.kind != "series" and self.size > 1 and bool(self.leaves)


def number(value: Any) -> Formula | None:
    """Return the formula of a constant, or None if it is no ordinary number."""
    kind = type(value)
    if kind is bool or kind is int or (kind is float and math.isfinite(value)):
        bits = 0 if kind is float else value.bit_length()
        return Formula(
            lambda _: lambda _: value, "boolean" if kind is bool else "number", bits, constant=value
        )
    return None


def variable(place: Hashable, load: Callable[[Any], Any]) -> Formula:
    """Return the formula of a reference or local, which `load` takes out of a frame."""
    leaf = Variable(place, load)

    def make(slots: Slots) -> FormulaPart:
        return python.itemgetter(slots[leaf]) if slots else itself

    return Formula(make, "number", _VARIABLE_BITS, (leaf,))


def reading(
    name: str, function: Callable[..., Any], call_site: CallSite, arguments: Sequence[Given]
) -> Formula:
    """Return the formula of a call that reads a series of market data, which stands still meanwhile.

    Args:
        name: of the operator.
        function: what computes it.
        call_site: the call's place in the script.
        arguments: values that are known; a text names a field of the automation's defaults.
    """
    leaf = Reading((name, *map(repr, arguments)))

    def of_defaults(frame: Any) -> Any:
        defaults = frame.context.defaults
        return function(OperatorContext(frame, name, call_site), defaults.symbol, defaults.time_frame)

    def of_given(frame: Any) -> Any:
        defaults = frame.context.defaults
        given = [getattr(defaults, one) if isinstance(one, str) else one.value for one in arguments]
        return function(OperatorContext(frame, name, call_site), *given)

    read = of_defaults if tuple(arguments) == ("symbol", "time_frame") else of_given

    def make(slots: Slots) -> FormulaPart:
        slot = slots[leaf]

        def run(values: Values) -> Any:
            known = values[slot]
            if known is None:
                known = values[slot] = read(values[0])
            return known

        return run

    return Formula(make, "series", leaves=(leaf,))


def call(function: Callable[..., Any], arguments: Sequence[Formula | Bound]) -> Formula | None:
    """Return the formula of a pure function from series to a series, or None if it would be too long."""

    def make(slots: Slots) -> FormulaPart:
        steps = [one.make(slots) for one in arguments if isinstance(one, Formula)]
        known = [one.value for one in arguments if isinstance(one, Bound)]
        if len(steps) == len(known) == 1 and isinstance(arguments[0], Formula):
            series, period = steps[0], known[0]  # the form of most indicators
            return lambda values: function(series(values), period)
        getters = [_known(one.value) if isinstance(one, Bound) else one.make(slots) for one in arguments]
        return lambda values: function(*[get(values) for get in getters])

    return _formula(make, [one for one in arguments if isinstance(one, Formula)], "series", 0)


def item(value: Formula | None, index: Any) -> Formula | None:
    """Return the formula of one item of a series, or None if it cannot be one."""
    if value is None or value.kind != "series" or type(index) is not int:
        return None

    def make(slots: Slots) -> FormulaPart:
        series = value.make(slots)
        return lambda values: series(values).item(index)

    return _formula(make, [value], "number", _ITEM_BITS)


def arithmetic(operands: Sequence[Formula | None], signs: Sequence[str]) -> Formula | None:
    """Return the formula of `a + b - c`, or None if it cannot be one."""
    formula = operands[0]
    for sign, operand in zip(signs, operands[1:], strict=True):
        formula = _binary(ARITHMETIC[sign], formula, operand, "number")
    return formula


def comparison(operands: Sequence[Formula | None], signs: Sequence[str]) -> Formula | None:
    """Return the formula of `a < b <= c`, or None if it cannot be one."""
    found = [COMPARISONS.get(sign) for sign in signs]
    if len(found) == 1 and found[0] is not None:
        return _binary(found[0], operands[0], operands[1], "boolean")
    tests = [sign.test for sign in found if sign is not None and sign.test is not None]
    known = _all_numbers(operands)
    if len(tests) < len(signs) or known is None:
        return None

    def make(slots: Slots) -> FormulaPart:
        first, *steps = [operand.make(slots) for operand in known]
        links = list(zip(tests, steps, strict=True))

        def run(values: Values) -> bool:
            left = first(values)
            for test, step in links:
                right = step(values)
                if not test(left, right):
                    return False
                left = right
            return True

        return run

    return _formula(make, known, "boolean", 1)


def logical(word: str, operands: Sequence[Formula | None]) -> Formula | None:
    """Return the formula of `a and b and c` or `a or b or c`, or None if it cannot be one."""
    known = _all_numbers([truth(operand) for operand in operands])
    if known is None:
        return None

    def make(slots: Slots) -> FormulaPart:
        *steps, run = [operand.make(slots) for operand in known]
        for step in reversed(steps):
            run = LOGICAL[word](step, run)
        return run

    return _formula(make, known, "boolean", 1)


def truth(operand: Formula | None) -> Formula | None:
    """Return the formula that tells whether a value counts as true, or None if it cannot be one."""
    if operand is None or operand.kind == "boolean":
        return operand
    return _unary(lambda a: lambda v: _decided(a(v)), operand, "boolean", 1)


def _decided(value: Any) -> bool:
    """Tell whether a number is not 0; of NaN, the general form says that it decides nothing."""
    if value != value:
        raise ValueError
    return bool(value)


def negation(operand: Formula | None) -> Formula | None:
    """Return the formula of `not operand`, or None if it cannot be one."""
    return _unary(lambda a: lambda v: not a(v), operand, "boolean", 1)


def signed(signs: Sequence[str], operand: Formula | None) -> Formula | None:
    """Return the formula of `- operand`, or None if it cannot be one."""
    for sign in reversed(signs):
        operand = operand and _unary(SIGNED[sign], operand, "number", operand.bits)
    return operand


def conditional(test: Formula | None, then: Formula | None, otherwise: Formula | None) -> Formula | None:
    """Return the formula of `then if test else otherwise`, or None if it cannot be one."""
    known = _all_numbers([test, then, otherwise])
    if known is None:
        return None
    kind: ValueKind = "boolean" if known[1].kind == known[2].kind == "boolean" else "number"

    def make(slots: Slots) -> FormulaPart:
        decide, first, second = [operand.make(slots) for operand in known]
        return lambda values: first(values) if decide(values) else second(values)

    return _formula(make, known, kind, max(known[1].bits, known[2].bits))


def compiled(formula: Formula, general: Run) -> Run:
    """Return the function that computes a formula, or calls the general form where that is not possible."""
    variables = [leaf for leaf in formula.leaves if isinstance(leaf, Variable)]
    readings = [leaf for leaf in formula.leaves if isinstance(leaf, Reading)]
    if len(variables) == 1 and not readings:
        return _of_one_variable(formula.make({}), variables[0].load, general)
    leaves: list[Variable | Reading] = [*variables, *readings]
    body = formula.make({leaf: slot for slot, leaf in enumerate(leaves, 1)})
    unread = [None] * len(readings)
    loads = [leaf.load for leaf in variables]
    if not loads:
        return _of_readings(body, unread, general)

    def run(frame: Any) -> Any:
        try:
            values = [frame]
            for load in loads:
                value = load(frame)
                kind = type(value)
                if kind is not float and (
                    kind is not int or not -_LARGEST_VARIABLE < value < _LARGEST_VARIABLE
                ):
                    break
                values.append(value)
            else:
                return body(values + unread)
        except Exception:
            pass  # the general form raises what has to be raised, with its position
        return general(frame)

    return run


def _of_readings(body: FormulaPart, unread: list[None], general: Run) -> Run:
    def run(frame: Any) -> Any:
        try:
            return body([frame, *unread])
        except Exception:
            pass  # as in `compiled`
        return general(frame)

    return run


def _of_one_variable(body: FormulaPart, load: Callable[[Any], Any], general: Run) -> Run:
    def run(frame: Any) -> Any:
        try:
            value = load(frame)
            kind = type(value)
            if kind is float or (kind is int and -_LARGEST_VARIABLE < value < _LARGEST_VARIABLE):
                return body(value)
        except Exception:
            pass  # as in `compiled`
        return general(frame)

    return run


def _binary(sign: Sign, left: Formula | None, right: Formula | None, kind: ValueKind) -> Formula | None:
    known = _all_numbers([left, right])
    if known is None:
        return None
    first, second = known

    def make(slots: Slots) -> FormulaPart:
        if not second.leaves:
            left = first.make(slots)
            if left is itself:
                return sign.of_itself(second.constant)
            return sign.right_known(left, second.constant)
        if not first.leaves:
            return sign.left_known(first.constant, second.make(slots))
        return sign.both(first.make(slots), second.make(slots))

    return _formula(make, known, kind, sign.bits(first.bits, second.bits))


def _unary(
    closure: Callable[[FormulaPart], FormulaPart], operand: Formula | None, kind: ValueKind, bits: int
) -> Formula | None:
    if operand is None or operand.kind == "series":
        return None
    return _formula(lambda slots: closure(operand.make(slots)), [operand], kind, bits)


def _all_numbers(operands: Sequence[Formula | None]) -> list[Formula] | None:
    known = [operand for operand in operands if operand is not None and operand.kind != "series"]
    return known if len(known) == len(operands) else None


def _formula(
    make: Callable[[Slots], FormulaPart], operands: Sequence[Formula], kind: ValueKind, bits: int
) -> Formula | None:
    size = 1 + sum(operand.size for operand in operands)
    if size > _MAX_SIZE or bits > _SAFE_BITS:
        return None
    leaves = dict.fromkeys(leaf for operand in operands for leaf in operand.leaves)
    return Formula(make, kind, bits, tuple(leaves), size)


def _known(value: Any) -> FormulaPart:
    return lambda _: value
