"""Binds the arguments of a call to the parameters of its operator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from engine.dsl.registry.argument_types import describe_value
from engine.dsl.registry.markers import Range, SymbolParam, TimeFrameParam, Unit
from engine.dsl.registry.registry import OperatorDefinition, closest
from engine.dsl.registry.signature import Parameter
from engine.errors import DslError, invalid_parameters


def refused_value(operator: str, parameter: Parameter, value: Any) -> DslError:
    """Return the error for a value that a parameter does not accept."""
    check = parameter.check
    message = f"{operator}(): {parameter.name} must be {check.expected}; it is {describe_value(value)}"
    return DslError(message, code=check.code, suggestion=_meant(parameter, value))


def _meant(parameter: Parameter, value: Any) -> str | None:
    """Return what was probably meant where seconds are too many."""
    unit, bounds = parameter.marker(Unit), parameter.marker(Range)
    if unit is None or unit.name != "seconds" or bounds is None or bounds.le is None:
        return None
    if not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        return None
    if not bounds.le < value <= bounds.le * 1000:
        return None
    return f"This looks like milliseconds: write {float(value) / 1000:.15g}."


def choose_parameters(
    definition: OperatorDefinition, names: Sequence[str | None]
) -> list[Parameter] | tuple[int, DslError]:
    """Return the parameter of every argument, given by name or (None) by place.

    An argument that has none is returned by its index with the error; a missing one by index -1.
    """
    name = definition.name
    by_name = {parameter.name: parameter for parameter in definition.parameters if not parameter.variadic}
    places = [parameter for parameter in definition.parameters if not parameter.keyword_only]
    variadic = next((parameter for parameter in places if parameter.variadic), None)
    chosen: list[Parameter] = []
    taken: set[str] = set()
    for index, keyword in enumerate(names):
        if keyword is None:
            parameter = places[index] if index < len(places) else variadic
            if parameter is None:
                count = len(places)
                takes = f"{count} argument{'' if count == 1 else 's'}" if count else "no arguments"
                return index, invalid_parameters(
                    f"{name}() takes {takes}, not {len(names)}", definition.signature
                )
        else:
            parameter = by_name.get(keyword)
            if parameter is None:
                near = closest(keyword, by_name)
                hint = f"Did you mean `{near}`?" if near else f"Its form is {definition.signature}."
                return index, invalid_parameters(f"{name}() has no parameter {keyword}", hint)
        if parameter.name in taken and not parameter.variadic:
            return index, invalid_parameters(f"{name}(): {parameter.name} is given twice")
        taken.add(parameter.name)
        chosen.append(parameter)
    missing = [
        parameter.name
        for parameter in definition.parameters
        if parameter.required and parameter.name not in taken
    ]
    if missing:
        return -1, invalid_parameters(
            f"{name}() needs {' and '.join(missing)}", f"Its form is {definition.signature}."
        )
    return chosen


@dataclass(frozen=True, slots=True)
class ArgumentPlace:
    """One value that an operator's function takes.

    Attributes:
        argument: index of the argument that gives it; None where it is left out.
        default: the value then.
        automation_field: the field of the automation that stands in for a missing value, if one does.
    """

    argument: int | None
    default: Any = None
    automation_field: Literal["symbol", "time_frame"] | None = None


_AUTOMATION_FIELDS: Final[tuple[tuple[type, Literal["symbol", "time_frame"]], ...]] = (
    (SymbolParam, "symbol"),
    (TimeFrameParam, "time_frame"),
)


def lay_out(definition: OperatorDefinition, chosen: Sequence[Parameter]) -> tuple[ArgumentPlace, ...]:
    """Return the places of an operator's function: the positional ones, then those it takes by name only."""
    places: list[ArgumentPlace] = []
    for parameter in sorted(definition.parameters, key=lambda parameter: parameter.keyword_only):
        indexes = [index for index, taken in enumerate(chosen) if taken is parameter]
        if parameter.variadic:
            places += map(ArgumentPlace, indexes)
            continue
        field = next((name for marker, name in _AUTOMATION_FIELDS if parameter.marker(marker)), None)
        places.append(ArgumentPlace(indexes[0] if indexes else None, parameter.default, field))
    return tuple(places)
