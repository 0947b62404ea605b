"""Operator sets, the decorator that fills them, and the registry that scripts are compiled against."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from engine.dsl.registry.signature import Parameter, read_docstring, read_parameters, read_return_type
from engine.dsl.registry.unfolding import write_out
from engine.errors import ConfigurationError

Source = Literal["candles", "price", "orders"]
"""Kind of data that a call depends on."""

Window = Callable[[Mapping[str, Any]], int]
"""From what is known of an indicator's arguments to the number of candles that its newest value needs."""

F = TypeVar("F", bound=Callable[..., Any])


class Kind(Enum):
    """What calling an operator may do."""

    PURE = "pure"
    """Depends on its arguments only; may be evaluated ahead of time."""
    READ = "read"
    """Looks at the invocation, changes nothing."""
    EFFECT = "effect"
    """Changes something: orders, the automation, what the user sees."""


@dataclass(frozen=True, slots=True)
class OperatorDefinition:
    """One operator with everything that validation, evaluation and documentation need.

    Attributes:
        kind: what calling it may do; all but `PURE` take an `OperatorContext` first.
        function: takes each of the parameters by itself.
        returns: type of the result, for people.
        source: the data it depends on, for the symbol and time frame among its arguments.
        needs_exchange: needs an account, whatever its arguments are.
        suspends: may return a `ReCallingOperatorResult`, or plan effects that are carried out later.
        is_async: its function is a coroutine.
        does_io: awaits something besides its lazy arguments.
        window: number of candles that it needs of the series it is given.
    """

    name: str
    set_name: str
    kind: Kind
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    returns: str
    summary: str
    description: str
    example: str
    source: Source | None
    needs_exchange: bool
    suspends: bool
    is_async: bool
    does_io: bool
    window: Window | None

    @property
    def signature(self) -> str:
        """The call as the reference shows it: `round(value: number, digits: number = 0) -> number`."""
        shown = ", ".join(parameter.text() for parameter in self.parameters)
        return f"{self.name}({shown}) -> {self.returns}"

    @property
    def takes_all_by_place(self) -> bool:
        """Whether no parameter is taken by name only."""
        return not any(parameter.keyword_only for parameter in self.parameters)

    def describe(self) -> dict[str, Any]:
        """Return the JSON form for `octoflow operators --json`."""
        return {
            "name": self.name,
            "set": self.set_name,
            "kind": self.kind.value,
            "signature": self.signature,
            "summary": self.summary,
            "description": self.description,
            "parameters": [parameter.describe() for parameter in self.parameters],
            "returns": self.returns,
            "example": self.example,
            "source": self.source,
            "needs_exchange": self.needs_exchange or self.source is not None,
            "may_wait": self.suspends,
        }


@dataclass
class OperatorSet:
    """A named group of operators; one per module.

    Attributes:
        name: shown in the reference, unique.
        summary: one sentence.
        operators: what the `operator` decorator added, by name.
    """

    name: str
    summary: str
    operators: dict[str, OperatorDefinition] = field(default_factory=dict)


def operator(
    operator_set: OperatorSet,
    *,
    kind: Kind,
    example: str,
    name: str | None = None,
    source: Source | None = None,
    needs_exchange: bool = False,
    suspends: bool | None = None,
    does_io: bool | None = None,
    window: Window | None = None,
) -> Callable[[F], F]:
    """Register a function as an operator; the function itself is returned unchanged.

    Its typed signature is enforced, its docstring becomes the reference. A `READ` or `EFFECT` operator takes
    an `OperatorContext` as its first parameter; it may be `async def`. A parameter whose type is a frozen
    dataclass stands for the fields of that: scripts give each by itself, the operator gets them as one.

    Args:
        operator_set: the set it belongs to.
        kind: what calling it may do.
        example: a script that uses it.
        name: its name in scripts; by default the function's, without trailing underscores.
        source: the data that a call depends on, taken from its `SymbolParam` and `TimeFrameParam` arguments.
        needs_exchange: needs an exchange account, although it names no symbol.
        suspends: may have to be called again later; by default true for effects.
        does_io: awaits more than its lazy arguments; by default true for coroutines without lazy parameters.
        window: number of candles needed of the series it is given.

    Raises:
        TypeError: the signature has a type that the language does not know, or there is no docstring, or
            the fields of a dataclass cannot be parameters.
        ConfigurationError: the set has an operator of that name.
    """

    def register(function: F) -> F:
        docs = read_docstring(function)
        is_async = inspect.iscoroutinefunction(function)
        written = write_out(function)
        declared = written.parameters[0 if kind is Kind.PURE else 1 :]
        parameters = read_parameters(declared, {**written.descriptions, **docs.parameters})
        lazy = any(parameter.lazy for parameter in parameters)
        if lazy and not is_async:
            raise TypeError(f"operator {function.__name__} has lazy parameters and must be `async def`")
        definition = OperatorDefinition(
            name=name or function.__name__.rstrip("_"),
            set_name=operator_set.name,
            kind=kind,
            function=written.function,
            parameters=parameters,
            returns=read_return_type(function),
            summary=docs.summary,
            description=docs.description,
            example=example,
            source=source,
            needs_exchange=needs_exchange,
            suspends=kind is Kind.EFFECT if suspends is None else suspends,
            is_async=is_async,
            does_io=(is_async and not lazy) if does_io is None else does_io,
            window=window,
        )
        if definition.name in operator_set.operators:
            raise ConfigurationError(
                f"operator {definition.name} is registered twice in the set {operator_set.name}",
                code="duplicate_operator",
            )
        operator_set.operators[definition.name] = definition
        return function

    return register


class OperatorRegistry:
    """The operators that scripts can use; immutable."""

    def __init__(self, sets: Iterable[OperatorSet]) -> None:
        """Collect the operators of some sets.

        Raises:
            ConfigurationError: two sets have an operator of the same name.
        """
        self._sets = tuple(sets)
        operators: dict[str, OperatorDefinition] = {}
        for operator_set in self._sets:
            for name, definition in operator_set.operators.items():
                if name in operators:
                    raise ConfigurationError(
                        f"operator {name} is in two sets: {operators[name].set_name} and {operator_set.name}",
                        code="duplicate_operator",
                    )
                operators[name] = definition
        self._operators: Mapping[str, OperatorDefinition] = MappingProxyType(operators)

    def get(self, name: str) -> OperatorDefinition | None:
        """Return the operator of a name, or None."""
        return self._operators.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._operators

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order of their sets."""
        return tuple(self._operators)

    def sets(self) -> tuple[OperatorSet, ...]:
        """Return the sets that the registry was made of."""
        return self._sets

    def definitions(self) -> tuple[OperatorDefinition, ...]:
        """Return all operators, in the order of their sets."""
        return tuple(self._operators.values())

    def suggest(self, name: str, also: Iterable[str] = ()) -> str | None:
        """Return the known name closest to a misspelt one, among the operators and some further names."""
        return closest(name, [*self._operators, *also])

    def describe(self) -> list[dict[str, Any]]:
        """Return the JSON form of all operators, for `octoflow operators --json`."""
        return [definition.describe() for definition in self._operators.values()]


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that a misspelt name most likely meant, or None."""
    by_lower_case = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[near[0]] if near else None
