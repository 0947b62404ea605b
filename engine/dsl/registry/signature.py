"""Reads the typed signature of an operator out of its Python function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from engine.dsl.registry.argument_types import ArgumentCheck, check_for, members_of
from engine.dsl.registry.context import ReCallingOperatorResult
from engine.dsl.registry.markers import (
    Choice,
    ExpressionText,
    Lazy,
    LazyValue,
    Number,
    Range,
    Series,
    SymbolParam,
    TimeFrameParam,
    Unit,
)
from engine.types import TIME_FRAMES

REQUIRED: Final = inspect.Parameter.empty
"""Default of a parameter that must be given."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operator, as scripts see it.

    Attributes:
        function_name: the name it has in Python, which may end in an underscore.
        type_name: the accepted type, for people: `number`, `list | None`.
        default: `REQUIRED`, or the value taken when the argument is left out.
        variadic: takes all further positional arguments.
        keyword_only: can be given by name only.
        markers: the markers of its annotation by their class.
        description: its line in the docstring.
    """

    name: str
    function_name: str
    type_name: str
    check: ArgumentCheck
    default: Any = REQUIRED
    variadic: bool = False
    keyword_only: bool = False
    markers: Mapping[type, Any] | None = None
    description: str = ""

    def marker(self, kind: type) -> Any:
        """Return the marker of a class, or None."""
        return self.markers.get(kind) if self.markers else None

    @property
    def required(self) -> bool:
        """Whether a call without this argument is refused."""
        return self.default is REQUIRED and not self.variadic

    @property
    def default_from_automation(self) -> bool:
        """Whether the automation's own symbol or time frame is taken when it is left out."""
        marked = self.marker(SymbolParam) or self.marker(TimeFrameParam)
        return marked is not None and not self.required

    @property
    def takes_series(self) -> bool:
        """Whether a series is accepted as it is."""
        return "series" in self.type_name.split(" | ")

    @property
    def lazy(self) -> Lazy | None:
        """How the argument is evaluated late, or None for an ordinary argument."""
        marker: Lazy | None = self.marker(Lazy)
        return marker

    @property
    def expression_text(self) -> ExpressionText | None:
        """How a constant text is read as an expression, or None."""
        marker: ExpressionText | None = self.marker(ExpressionText)
        return marker

    def describe(self) -> dict[str, Any]:
        """Return the JSON form for `octoflow operators --json`."""
        bounds: Range | None = self.marker(Range)
        unit: Unit | None = self.marker(Unit)
        choice: Choice | None = Choice(*TIME_FRAMES) if self.marker(TimeFrameParam) else self.marker(Choice)
        entry = {
            "name": self.name,
            "type": self.type_name,
            "required": self.required,
            "variadic": self.variadic,
            "unit": unit.name if unit else None,
            "range": bounds.describe() if bounds else None,
            "choices": list(choice.options) if choice else None,
            "default_from": "automation" if self.default_from_automation else None,
            "description": self.description,
        }
        shown = {key: value for key, value in entry.items() if value not in (None, "", False)}
        if self.default is not REQUIRED and not self.default_from_automation:
            shown["default"] = self.default
        return shown

    def text(self) -> str:
        """Return the parameter as it stands in a signature: `digits: number = 0`."""
        shown = f"{'*' if self.variadic else ''}{self.name}: {self.type_name}"
        return shown if self.default is REQUIRED else f"{shown} = {self.default!r}"


@dataclass(frozen=True, slots=True)
class Documentation:
    """The parts of a Google-style docstring that the operator reference shows."""

    summary: str
    description: str
    parameters: Mapping[str, str]


def read_parameters(
    declared: Sequence[inspect.Parameter], described: Mapping[str, str]
) -> tuple[Parameter, ...]:
    """Return the parameters of an operator's function, from Python's, whose annotations are types."""
    return tuple(_read_parameter(parameter, described) for parameter in declared)


def read_return_type(function: Callable[..., Any]) -> str:
    """Return the type of an operator's result, for people."""
    return type_name(get_type_hints(function).get("return", Any))


def _read_parameter(declared: inspect.Parameter, described: Mapping[str, str]) -> Parameter:
    if declared.kind is inspect.Parameter.VAR_KEYWORD:
        raise TypeError(f"an operator cannot take **{declared.name}")
    annotation = declared.annotation
    markers = {type(marker): marker for marker in _markers(annotation)}
    if annotation is LazyValue or get_args(annotation)[:1] == (LazyValue,):
        markers.setdefault(Lazy, Lazy())
    return Parameter(
        name=declared.name.rstrip("_"),
        function_name=declared.name,
        type_name=type_name(annotation if declared.default is not None else annotation | None),
        check=check_for(annotation),
        default=declared.default,
        variadic=declared.kind is inspect.Parameter.VAR_POSITIONAL,
        keyword_only=declared.kind is inspect.Parameter.KEYWORD_ONLY,
        markers=markers,
        description=described.get(declared.name, ""),
    )


def _markers(annotation: Any) -> list[Any]:
    """Return the markers of an annotation and of the members of a union."""
    if get_origin(annotation) is Annotated:
        base, *markers = get_args(annotation)
        return [*_markers(base), *markers]
    if get_origin(annotation) in (Union, UnionType):
        return [marker for member in get_args(annotation) for marker in _markers(member)]
    return []


_TYPE_NAMES: Final[dict[Any, str]] = {
    Any: "any",
    LazyValue: "expression",
    Series: "series",
    Decimal: "decimal",
    NoneType: "None",
    ReCallingOperatorResult: "None",  # what scripts never see
}


def type_name(annotation: Any) -> str:
    """Return a Python annotation as the name that the operator reference uses."""
    if annotation == Number:
        return "number"
    origin = get_origin(annotation)
    if origin is Annotated:
        return type_name(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [member for member in members_of(annotation) if member is not ReCallingOperatorResult]
        names = [name for member in members for name in type_name(member).split(" | ")]
        return " | ".join(dict.fromkeys(names))
    if origin is Literal:
        return " | ".join(repr(option) for option in get_args(annotation))
    plain = origin or getattr(annotation, "__supertype__", annotation)
    return _TYPE_NAMES.get(plain) or str(getattr(plain, "__name__", plain)).lower()


_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example|Note):\s*$")
_ENTRY = re.compile(r"^    \*{0,2}(\w+): (.*)$")


def read_docstring(function: Callable[..., Any]) -> Documentation:
    """Split a Google-style docstring into summary, description and parameters.

    Raises:
        TypeError: the operator has no docstring; its reference would be empty.
    """
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"operator {function.__name__} needs a docstring: the reference is made of it")
    head, sections = _split_sections(text.splitlines())
    summary, _, description = "\n".join(head).strip().partition("\n\n")
    return Documentation(
        summary=" ".join(summary.split()),
        description=description.strip(),
        parameters=_read_entries(sections.get("Args", ())),
    )


def read_attributes(model: type) -> Mapping[str, str]:
    """Return the description of each attribute of a class, inherited ones included."""
    described: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, sections = _split_sections(inspect.cleandoc(base.__doc__ or "").splitlines())
        described |= _read_entries(sections.get("Attributes", ()))
    return described


def _split_sections(lines: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    head: list[str] = []
    sections: dict[str, list[str]] = {}
    current = head
    for line in lines:
        heading = _SECTION.match(line)
        if heading:
            current = sections.setdefault(heading.group(1), [])
        else:
            current.append(line)
    return head, sections


def _read_entries(lines: Sequence[str]) -> dict[str, str]:
    described: dict[str, str] = {}
    name = ""
    for line in lines:
        start = _ENTRY.match(line)
        if start:
            name = start.group(1)
            described[name] = start.group(2).strip()
        elif name and line.strip():
            described[name] += " " + line.strip()
    return described
