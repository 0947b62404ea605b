"""Lets an operator take many of its parameters as one dataclass, of which scripts see the fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from engine.dsl.registry.signature import REQUIRED, read_attributes


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """An operator's function as if the fields of its dataclasses were parameters of its own.

    Attributes:
        function: takes every parameter by itself.
        parameters: with their types for annotations.
        descriptions: of the fields, by name.
    """

    function: Callable[..., Any]
    parameters: Sequence[inspect.Parameter]
    descriptions: Mapping[str, str]


def write_out(function: Callable[..., Any]) -> WrittenOut:
    """Replace every parameter whose type is a dataclass by the fields of it.

    Raises:
        TypeError: the dataclass is not frozen, or one of its fields has no description or a default that is
            not constant; two parameters have one name, or one that must be given follows one that need not.
    """
    hints = get_type_hints(function, include_extras=True)
    declared = inspect.signature(function).parameters.values()
    parameters = [one.replace(annotation=hints.get(one.name, Any)) for one in declared]
    whole, descriptions = function, dict[str, str]()
    for index, parameter in reversed(list(enumerate(parameters))):  # backwards, so that indexes stay true
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation):
            parameters[index : index + 1] = written = list(_fields_of(parameter))
            whole = _taking_each(whole, parameter, index, [field.name for field in written])
            descriptions |= read_attributes(parameter.annotation)
    try:
        inspect.Signature(parameters)
    except ValueError as error:  # only what was written out can be wrong: Python has looked at the rest
        raise TypeError(f"operator {function.__name__}: {error}") from None
    return WrittenOut(whole, parameters, descriptions)


def _fields_of(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Return the fields that can be given, each as a parameter at the place of the one that has them."""
    options: Any = parameter.annotation
    if not options.__dataclass_params__.frozen or parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        raise TypeError(f"operators cannot take a {options!r} as {parameter}: one frozen dataclass is needed")
    hints, described = get_type_hints(options, include_extras=True), read_attributes(options)
    for field in fields(options):
        if not field.init:
            continue
        name = f"{options.__name__}.{field.name}"
        if field.default_factory is not MISSING:
            raise TypeError(f"{name} needs a constant for its default: the reference shows it")
        if not described.get(field.name):
            raise TypeError(f"{name} needs a line under `Attributes:`: the reference is made of it")
        default = REQUIRED if field.default is MISSING else field.default
        if parameter.default is not REQUIRED:
            default = getattr(parameter.default, field.name)
        yield inspect.Parameter(field.name, parameter.kind, default=default, annotation=hints[field.name])


def _taking_each(
    function: Callable[..., Any], parameter: inspect.Parameter, start: int, names: Sequence[str]
) -> Callable[..., Any]:
    """Return a function that takes each field of a parameter by itself where another takes them as one."""
    options, end = parameter.annotation, start + len(names)

    def call(*given: Any, **named: Any) -> Any:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[parameter.name] = options(**{name: named.pop(name) for name in names})
            return function(*given, **named)
        built = options(**dict(zip(names, given[start:end], strict=True)))
        return function(*given[:start], built, *given[end:], **named)

    return call
