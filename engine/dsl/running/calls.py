"""The two compiled forms of an operator call, and what happens around the operator's function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, cast

from engine.dsl.registry import (
    REFUSED,
    ArgumentPlace,
    Kind,
    OperatorDefinition,
    Parameter,
    ReCallingOperatorResult,
    refused_value,
)
from engine.dsl.running.code import Code, Stepwise
from engine.dsl.running.frame import SCALARS, Frame, Run, Suspended
from engine.dsl.running.lazy import Memory, Thunk
from engine.dsl.running.resumable import value_of
from engine.errors import invalid_parameters
from engine.types import CallSite
from engine.values import is_series


@dataclass(frozen=True, slots=True)
class BoundArgument:
    """One argument of a call with the parameter that takes it.

    Attributes:
        placeholder: the slot of `LOCAL_VALUE_PLACEHOLDER` inside it, if it has one.
    """

    parameter: Parameter
    code: Code
    placeholder: int | None = None


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call as the compiler resolved it.

    Attributes:
        at: offset in the script.
        call_site: its place in the script, part of the identity of its effects.
        arguments: in the order they are written, which is the order they are evaluated in.
        places: what the operator's function takes, in its order.
    """

    definition: OperatorDefinition
    at: int
    node_id: int
    call_site: CallSite
    arguments: tuple[BoundArgument, ...]
    places: tuple[ArgumentPlace, ...]

    @property
    def doing(self) -> str:
        """The call, for an error message."""
        return f"{self.definition.name}()"

    def known_values(self) -> list[Any]:
        """Return what stands in each place before anything is evaluated."""
        return [
            place.default if place.argument is None else self.arguments[place.argument].code.constant
            for place in self.places
        ]

    def place_of(self, index: int) -> int:
        """Return the place that an argument is for."""
        return next(number for number, place in enumerate(self.places) if place.argument == index)


def plain_call(plan: CallPlan) -> Run:
    """Return the plain form of a call that neither waits nor suspends."""
    at, doing, invoke, known = plan.at, plan.doing, _invoker(plan), plan.known_values()
    takes = [
        (plan.place_of(index), _taking(plan, argument))
        for index, argument in enumerate(plan.arguments)
        if not argument.code.is_constant
    ]

    def run(frame: Frame) -> Any:
        try:
            given = known.copy()
            for place, take in takes:
                given[place] = take(frame)
            result = invoke(frame, given)
            return result if type(result) in SCALARS else _checked_result(result, frame)
        except Exception as error:
            raise frame.located(error, at, doing) from error

    return run


def stepwise_call(plan: CallPlan) -> Stepwise:
    """Return the stepwise form; it keeps the evaluated arguments and the outcomes of the lazy ones."""
    invoke, known = _invoker(plan), plan.known_values()
    place_of = [plan.place_of(index) for index in range(len(plan.arguments))]

    async def step(frame: Frame) -> Any:
        values, journal = _kept(frame.progress(plan.node_id))
        try:
            for argument in plan.arguments[len(values) :]:
                values.append(await _argument(plan, argument, frame))
            given = known.copy()
            for place, value in zip(place_of, _with_thunks(plan, values, journal, frame), strict=True):
                given[place] = value
            result = invoke(frame, given)
            if plan.definition.is_async:
                result = await result
            if isinstance(result, ReCallingOperatorResult):
                raise Suspended(result, plan.call_site, plan.at)
            return result if type(result) in SCALARS else _checked_result(result, frame)
        except Suspended as suspended:
            suspended.keep(plan.node_id, [values, journal.entries])
            raise
        except Exception as error:
            raise frame.located(error, plan.at, plan.doing) from error

    return step


def _kept(progress: Any) -> tuple[list[Any], Memory]:
    values, entries = progress or ([], [])
    return values, Memory(entries)


async def _argument(plan: CallPlan, argument: BoundArgument, frame: Frame) -> Any:
    if argument.parameter.lazy:
        return None
    value = await value_of(argument.code, frame)
    return value if argument.code.is_constant else _enforced(plan, argument, value, frame)


def _with_thunks(plan: CallPlan, values: list[Any], journal: Memory, frame: Frame) -> list[Any]:
    return [
        Thunk(
            frame, argument.code, argument.placeholder, journal if argument.parameter.lazy.replayed else None
        )
        if argument.parameter.lazy
        else value
        for argument, value in zip(plan.arguments, values, strict=True)
    ]


def _taking(plan: CallPlan, argument: BoundArgument) -> Run:
    """Return the closure that evaluates an argument for its parameter."""
    evaluate = cast("Run", argument.code.run)
    return lambda frame: _enforced(plan, argument, evaluate(frame), frame)


def _enforced(plan: CallPlan, argument: BoundArgument, value: Any, frame: Frame) -> Any:
    """Return an argument's value as its parameter wants it, or refuse it at the argument's position."""
    try:
        if type(value) not in SCALARS:
            frame.charge(value)
        converted = argument.parameter.check.convert(value)
        if converted is REFUSED:
            raise refused_value(plan.definition.name, argument.parameter, value)
    except Exception as error:
        raise frame.located(error, argument.code.at, plan.doing) from None
    return converted


def _invoker(plan: CallPlan) -> Callable[[Frame, list[Any]], Any]:
    """Return what calls the operator's function; the result of a coroutine function is its coroutine."""
    definition, call_site = plan.definition, plan.call_site
    name, function = definition.name, _by_place(definition)
    if definition.kind is Kind.PURE:
        return lambda _, given: function(*given)
    is_effect = definition.kind is Kind.EFFECT
    own = [
        (number, _from_automation(plan, place.automation_field))
        for number, place in enumerate(plan.places)
        if place.automation_field is not None
    ]

    def invoke(frame: Frame, given: list[Any]) -> Any:
        if is_effect:
            frame.count_effect(name)
        for place, take in own:
            if given[place] is None:
                given[place] = take(frame)
        return function(frame.context_for(name, call_site), *given)

    return invoke


def _by_place(definition: OperatorDefinition) -> Callable[..., Any]:
    """Return an operator's function taking all its arguments by place, the keyword-only ones last."""
    function = definition.function
    names = [parameter.function_name for parameter in definition.parameters if parameter.keyword_only]
    if not names:
        return function
    count = len(names)
    return lambda *given: function(*given[:-count], **dict(zip(names, given[-count:], strict=True)))


def _from_automation(plan: CallPlan, field: str) -> Run:
    """Return the closure that takes the automation's own symbol or time frame."""
    read = attrgetter(f"context.defaults.{field}")

    def take(frame: Frame) -> Any:
        value = read(frame)
        if value is None:
            raise invalid_parameters(
                f"{plan.doing} needs a {field.replace('_', ' ')}, and the automation has none",
                f"Give one, as in `{plan.definition.example}`, or set `{field}` in the automation.",
            )
        return value

    return take


_SIZED: Final = frozenset({str, list, dict})
_NEW_ITEM: Final = 4
"""An item that an operator made is an object of its own, which takes as much memory as so many items."""


def _checked_result(result: Any, frame: Frame) -> Any:
    """Return what an operator gave as a value of the language."""
    if is_series(result):
        return result  # made of series that were charged, by C code: nothing that a script could pile up
    if type(result) in _SIZED:
        frame.charge(result, times=_NEW_ITEM if type(result) is list else 1)
        return result
    if isinstance(result, tuple):
        return _checked_result(list(result), frame)
    if isinstance(result, int | float):
        return result.item() if hasattr(result, "item") else result
    if isinstance(result, ReCallingOperatorResult):
        raise TypeError("it asks to be called again, but is not registered with suspends=True")
    raise TypeError(f"it gave a {type(result).__name__}, which is no value of the language")
