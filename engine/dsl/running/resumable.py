"""Stepwise forms of all nodes: coroutines that can suspend, keep what they evaluated, and go on from there.

Every form has the same shape: it takes back what it kept, if the script was suspended inside it, evaluates
what is left, and when a `Suspended` passes through, adds its progress. Nodes with nothing to keep add
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.dsl.running.at_once import decided, is_true
from engine.dsl.running.code import Code, Combine, Stepwise
from engine.dsl.running.frame import Frame, Suspended
from engine.dsl.running.number_paths import Careful


async def value_of(code: Code, frame: Frame) -> Any:
    """Evaluate an expression in whichever form it has."""
    if code.run is not None:
        return code.run(frame)
    assert code.step is not None
    return await code.step(frame)


def strict(node_id: int, operands: Sequence[Code], combine: Combine) -> Stepwise:
    """Return the form of a node that evaluates all its operands, left to right."""

    async def step(frame: Frame) -> Any:
        values: list[Any] = frame.progress(node_id) or []
        try:
            for operand in operands[len(values) :]:
                values.append(await value_of(operand, frame))  # noqa: PERF401 - kept as far as it got
        except Suspended as suspended:
            suspended.keep(node_id, values)
            raise
        return combine(frame, values)

    return step


def condition(operand: Code, at: int) -> Stepwise:
    """Return the form that decides by an operand at an offset of the script; it gives True or False."""

    async def step(frame: Frame) -> bool:
        return decided(frame, await value_of(operand, frame), at)

    return step


def conditional(node_id: int, test: Code, then: Code, otherwise: Code) -> Stepwise:
    """Return the form of `then if test else otherwise`; it keeps the decision."""

    async def step(frame: Frame) -> Any:
        decided: bool | None = frame.progress(node_id)
        if decided is None:
            decided = is_true(await value_of(test, frame))
        try:
            return await value_of(then if decided else otherwise, frame)
        except Suspended as suspended:
            suspended.keep(node_id, decided)
            raise

    return step


def boolean(operand: Code) -> Stepwise:
    """Return the form of an operand's truth."""

    async def step(frame: Frame) -> bool:
        return is_true(await value_of(operand, frame))

    return step


def negation(operand: Code) -> Stepwise:
    """Return the form of `not operand`."""

    async def step(frame: Frame) -> bool:
        return not is_true(await value_of(operand, frame))

    return step


def logical(node_id: int, operands: Sequence[Code], decisive: bool) -> Stepwise:
    """Return the form of `and` and `or`; it keeps how many operands are behind it."""

    async def step(frame: Frame) -> bool:
        done: int = frame.progress(node_id) or 0
        try:
            for operand in operands[done:]:
                if is_true(await value_of(operand, frame)) is decisive:
                    return decisive
                done += 1
        except Suspended as suspended:
            suspended.keep(node_id, done)
            raise
        return not decisive

    return step


def fold(node_id: int, first: Code, rest: Sequence[tuple[Careful, Code]]) -> Stepwise:
    """Return the form of a chain of arithmetic; it keeps the value so far."""

    async def step(frame: Frame) -> Any:
        kept = frame.progress(node_id)
        done, value = kept or (0, await value_of(first, frame))
        try:
            for careful, operand in rest[done:]:
                value = careful(frame, value, await value_of(operand, frame))
                done += 1
        except Suspended as suspended:
            suspended.keep(node_id, [done, value])
            raise
        return value

    return step


def comparison(node_id: int, first: Code, rest: Sequence[tuple[Careful, Code]]) -> Stepwise:
    """Return the form of a chained comparison; it keeps the operand that the next one is compared with."""

    async def step(frame: Frame) -> bool:
        kept = frame.progress(node_id)
        done, left = kept or (0, await value_of(first, frame))
        try:
            for careful, operand in rest[done:]:
                right = await value_of(operand, frame)
                if not careful(frame, left, right):
                    return False
                left = right
                done += 1
        except Suspended as suspended:
            suspended.keep(node_id, [done, left])
            raise
        return True

    return step


def script(node_id: int, assignments: Sequence[tuple[int, Code]], result: Code) -> Stepwise:
    """Return the form of a script with locals; it keeps their values."""

    async def step(frame: Frame) -> Any:
        slots = frame.slots
        values: list[Any] = frame.progress(node_id) or []
        for (index, _), value in zip(assignments, values, strict=False):
            slots[index] = value
        try:
            for index, code in assignments[len(values) :]:
                slots[index] = await value_of(code, frame)
                values.append(slots[index])
            return await value_of(result, frame)
        except Suspended as suspended:
            suspended.keep(node_id, values)
            raise

    return step
