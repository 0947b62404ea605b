"""The two compiled forms of an operator call, and what happens around the operator's function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.dsl.binding import invalid, refused_value
from engine.dsl.checks import REFUSED
from engine.dsl.code import Code, Run, Step
from engine.dsl.context import ReCallingOperatorResult
from engine.dsl.frame import SCALARS, Frame, Suspended
from engine.dsl.lazy import Journal, Thunk
from engine.dsl.markers import SymbolParam, TimeFrameParam
from engine.dsl.registry import Kind, OperatorDefinition
from engine.dsl.signature import Parameter
from engine.dsl.stepwise import value_of
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
        layout: for each positional place of the function, the index of its argument, or -1, and its default.
        keywords: name and index of the arguments that the function takes by name only.
        from_automation: see the function of that name.
    """

    definition: OperatorDefinition
    at: int
    node_id: int
    call_site: CallSite
    arguments: tuple[BoundArgument, ...]
    layout: tuple[tuple[int, Any], ...]
    keywords: tuple[tuple[str, int], ...]
    from_automation: tuple[tuple[Parameter, int | None, str], ...]

    @property
    def doing(self) -> str:
        """The call, for an error message."""
        return f"{self.definition.name}()"


def plain_call(plan: CallPlan) -> Run:
    """Return the plain form of a call that neither waits nor suspends."""
    arguments = [(argument, argument.code.run) for argument in plan.arguments]
    direct = _takes_values_as_written(plan)
    function = plan.definition.function

    def run(frame: Frame) -> Any:
        values = []
        for argument, evaluate in arguments:
            value = evaluate(frame)  # type: ignore[misc]  # a plain call has plain arguments
            values.append(value if argument.code.is_constant else _enforced(plan, argument, value, frame))
        try:
            result = function(*values) if direct else _invoke(plan, values, frame)
            return result if type(result) in SCALARS else _checked_result(result, frame)
        except Exception as error:
            raise frame.located(error, plan.at, plan.doing) from error

    return run


def stepwise_call(plan: CallPlan) -> Step:
    """Return the stepwise form; it keeps the evaluated arguments and the outcomes of the lazy ones."""

    async def step(frame: Frame) -> Any:
        values, journal = _kept(frame.progress(plan.node_id))
        try:
            for argument in plan.arguments[len(values) :]:
                values.append(await _argument(plan, argument, frame))
            result = _invoke(plan, _with_thunks(plan, values, journal, frame), frame)
            if plan.definition.is_async:
                result = await result
            if isinstance(result, ReCallingOperatorResult):
                raise Suspended(result, plan.call_site)
            return result if type(result) in SCALARS else _checked_result(result, frame)
        except Suspended as suspended:
            suspended.keep(plan.node_id, [values, journal.entries])
            raise
        except Exception as error:
            raise frame.located(error, plan.at, plan.doing) from error

    return step


def _kept(progress: Any) -> tuple[list[Any], Journal]:
    values, entries = progress or ([], [])
    return values, Journal(entries)


async def _argument(plan: CallPlan, argument: BoundArgument, frame: Frame) -> Any:
    if argument.parameter.lazy:
        return None
    value = await value_of(argument.code, frame)
    return value if argument.code.is_constant else _enforced(plan, argument, value, frame)


def _with_thunks(plan: CallPlan, values: list[Any], journal: Journal, frame: Frame) -> list[Any]:
    return [
        Thunk(
            frame, argument.code, argument.placeholder, journal if argument.parameter.lazy.replayed else None
        )
        if argument.parameter.lazy
        else value
        for argument, value in zip(plan.arguments, values, strict=True)
    ]


def _takes_values_as_written(plan: CallPlan) -> bool:
    return (
        plan.definition.kind is Kind.PURE
        and [index for index, _ in plan.layout] == list(range(len(plan.arguments)))
        and not plan.keywords
    )


def _enforced(plan: CallPlan, argument: BoundArgument, value: Any, frame: Frame) -> Any:
    """Return an argument's value as its parameter wants it, or refuse it at the argument's position."""
    try:
        frame.charge(value)
        converted = argument.parameter.check.convert(value)
        if converted is REFUSED:
            raise refused_value(plan.definition.name, argument.parameter, value)
    except Exception as error:
        raise frame.located(error, argument.code.at, plan.doing) from None
    return converted


def _invoke(plan: CallPlan, values: Sequence[Any], frame: Frame) -> Any:
    """Call the operator's function; the result of a coroutine function is its coroutine."""
    definition = plan.definition
    places = [default if index < 0 else values[index] for index, default in plan.layout]
    keywords = {name: values[index] for name, index in plan.keywords}
    if definition.kind is Kind.PURE:
        return definition.function(*places, **keywords)
    if definition.kind is Kind.EFFECT:
        frame.count_effect(definition.name)
    _fill_in_defaults(plan, places, keywords, frame)
    return definition.function(frame.context_for(definition.name, plan.call_site), *places, **keywords)


def _fill_in_defaults(plan: CallPlan, places: list[Any], keywords: dict[str, Any], frame: Frame) -> None:
    """Put the automation's own symbol and time frame where none is given."""
    for parameter, place, name in plan.from_automation:
        given = keywords.get(parameter.name) if place is None else places[place]
        if given is not None:
            continue
        value = getattr(frame.context.defaults, name)
        if value is None:
            raise invalid(
                f"{plan.doing} needs a {name.replace('_', ' ')}, and the automation has none",
                f"Give one, as in `{plan.definition.example}`, or set `{name}` in the automation.",
            )
        if place is None:
            keywords[parameter.name] = value
        else:
            places[place] = value


_SIZED: Final = frozenset({str, list, dict})
_AUTOMATION_FIELDS: Final = ((SymbolParam, "symbol"), (TimeFrameParam, "time_frame"))


def from_automation(definition: OperatorDefinition) -> tuple[tuple[Parameter, int | None, str], ...]:
    """Return the parameters that default to a field of the automation, with their place and that field."""
    return tuple(
        (parameter, None if parameter.keyword_only else place, name)
        for place, parameter in enumerate(definition.parameters)
        for marker, name in _AUTOMATION_FIELDS
        if parameter.marker(marker)
    )


def _checked_result(result: Any, frame: Frame) -> Any:
    """Return what an operator gave as a value of the language."""
    if type(result) in _SIZED or is_series(result):
        frame.charge(result)
        return result
    if isinstance(result, tuple):
        return _checked_result(list(result), frame)
    if isinstance(result, int | float):
        return result.item() if hasattr(result, "item") else result
    if isinstance(result, ReCallingOperatorResult):
        raise TypeError("it asks to be called again, but is not registered with suspends=True")
    raise TypeError(f"it gave a {type(result).__name__}, which is no value of the language")
