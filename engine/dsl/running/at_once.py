"""Plain forms of the nodes that evaluate their operands selectively or combine many of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.dsl.running.arithmetic import truth
from engine.dsl.running.code import Combine
from engine.dsl.running.frame import Frame, Run
from engine.dsl.running.number_paths import Careful
from engine.errors import DslError


def is_true(value: Any) -> bool:
    """Tell whether a value counts as true; bools are answered at once."""
    return value is True or (value is not False and truth(value))


def condition(operand: Run, at: int) -> Run:
    """Return the closure that decides by an operand at an offset of the script; it gives True or False."""

    def run(frame: Frame) -> bool:
        value = operand(frame)
        return decided(frame, value, at)

    return run


def decided(frame: Frame, value: Any, at: int) -> bool:
    """Tell whether a value counts as true.

    Raises:
        DslError: the value decides nothing; positioned.
    """
    if value is True or value is False:
        return bool(value)
    try:
        return truth(value)
    except DslError as error:
        raise frame.located(error, at, "condition") from None


def slot(index: int) -> Run:
    """Return the closure that reads a local, a reference or a parameter."""
    return lambda frame: frame.slots[index]


def strict(operands: Sequence[Run], combine: Combine) -> Run:
    """Return the closure of a node that evaluates all its operands, left to right."""
    if len(operands) == 1:
        (only,) = operands
        return lambda frame: combine(frame, [only(frame)])
    return lambda frame: combine(frame, [operand(frame) for operand in operands])


def conditional(test: Run, then: Run, otherwise: Run) -> Run:
    """Return the closure of `then if test else otherwise`."""
    return lambda frame: then(frame) if is_true(test(frame)) else otherwise(frame)


def boolean(operand: Run) -> Run:
    """Return the closure of an operand's truth."""
    return lambda frame: is_true(operand(frame))


def negation(operand: Run) -> Run:
    """Return the closure of `not operand`."""
    return lambda frame: not is_true(operand(frame))


def logical(operands: Sequence[Run], decisive: bool, *, boolean: bool) -> Run:
    """Return the closure of `and` (decided by a False) or `or` (decided by a True).

    Args:
        operands: at least two.
        decisive: the value that decides.
        boolean: all operands give True or False.
    """
    if boolean and len(operands) == 2:
        first, second = operands
        if decisive:
            return lambda frame: first(frame) or second(frame)
        return lambda frame: first(frame) and second(frame)

    def run(frame: Frame) -> bool:
        for operand in operands:
            if is_true(operand(frame)) is decisive:
                return decisive
        return not decisive

    return run


def fold(first: Run, rest: Sequence[tuple[Careful, Run]]) -> Run:
    """Return the closure of a long chain of arithmetic, which a nest of closures would make too deep."""

    def run(frame: Frame) -> Any:
        value = first(frame)
        for careful, operand in rest:
            value = careful(frame, value, operand(frame))
        return value

    return run


def comparison(first: Run, rest: Sequence[tuple[Careful, Run]]) -> Run:
    """Return the closure of a chained comparison."""

    def run(frame: Frame) -> bool:
        left = first(frame)
        for careful, operand in rest:
            right = operand(frame)
            if not careful(frame, left, right):
                return False
            left = right
        return True

    return run


def script(assignments: Sequence[tuple[int, Run]], result: Run) -> Run:
    """Return the closure of a script with locals."""

    def run(frame: Frame) -> Any:
        slots = frame.slots
        for index, value in assignments:
            slots[index] = value(frame)
        return result(frame)

    return run
