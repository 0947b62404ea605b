"""A compiled script: immutable, cached by its text, run by a `DSLExecutor`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

from engine.dsl.compiling import COMPILE, Compiler, DataDependency, Facts, extract
from engine.dsl.limits import DEFAULT_LIMITS, Limits
from engine.dsl.registry import Defaults, Kind, OperatorRegistry, ScriptContext
from engine.dsl.running import UNKNOWN, Code, Frame
from engine.dsl.syntax import parse

_CACHED_SCRIPTS: Final = 2_048
_NO_SLOTS: Final[list[Any]] = []
"""Shared by all scripts without locals; nothing writes to it."""


class CompiledScript:
    """A script that is ready to run, any number of times.

    Attributes:
        text: the script.
        references: ids of the actions whose results it uses.
        parameters: names of its `UNRESOLVED_PARAMETER`s.
        operators: names of the operators it calls, in order of appearance, each once.
        calls_effects: whether it calls an operator that changes something.
        needs_exchange: whether it cannot run without an exchange account.
        is_static: whether it depends on no market data.
        is_plain: whether it can neither wait for anything nor suspend.
        evaluate: returns the value of a plain script from its `ScriptContext`, or raises its `DslError`.
        is_sync: whether it waits for no I/O, so that `DSLExecutor.execute_sync` can run it.
    """

    def __init__(self, text: str, code: Code, slots: int, facts: Facts, limits: Limits) -> None:
        definitions = facts.calls
        self.text = text
        self.code = code
        self.limits = limits
        self.references = frozenset(facts.references)
        self.parameters = frozenset(facts.parameters)
        self.operators = tuple(dict.fromkeys(definition.name for definition in definitions))
        self.calls_effects = any(definition.kind is Kind.EFFECT for definition in definitions)
        self.needs_exchange = any(
            definition.needs_exchange or definition.source for definition in definitions
        )
        self.is_static = not facts.requests
        self.is_plain = code.run is not None
        self.is_sync = not any(definition.does_io for definition in definitions)
        self._slots = slots
        self.evaluate = _evaluator(code, text, slots)
        self._facts = facts

    @cached_property
    def script_hash(self) -> str:
        """Identity of the text, 32 hex digits; what a suspended script can be resumed with."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    def dependencies(
        self,
        defaults: Defaults,
        references: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> tuple[DataDependency, ...]:
        """Return the market data that this script depends on, over all its branches.

        Args:
            defaults: the automation's own symbol and time frame.
            references: results of other actions by id, as far as they are known.
            parameters: values of `UNRESOLVED_PARAMETER` by name, as far as they are known.

        Raises:
            DslError: a symbol cannot be known before the script runs; the message names the expression.
        """
        if self.is_static:
            return ()
        context = ScriptContext(
            now=0,
            defaults=defaults,
            references=references or {},
            parameters=parameters or {},
            limits=self.limits,
        )
        frame = Frame(context, self.text, [UNKNOWN] * self._slots)
        frame.ahead_of_time = True
        return extract(self._facts, frame)

    def frame(self, context: ScriptContext) -> Frame:
        """Return a fresh frame for one evaluation."""
        return Frame(context, self.text, [None] * self._slots if self._slots else _NO_SLOTS)


def _evaluator(code: Code, text: str, slots: int) -> Callable[[ScriptContext], Any]:
    """Return the shortest way to the value of a plain script."""
    run = code.run
    if run is None:
        return _not_plain
    if slots:
        return lambda context: run(Frame(context, text, [None] * slots))
    return lambda context: run(Frame(context, text, _NO_SLOTS))


def _not_plain(_: ScriptContext) -> Any:
    raise TypeError("only plain scripts can be evaluated at once")


@lru_cache(maxsize=_CACHED_SCRIPTS)
def compile_script(text: str, registry: OperatorRegistry, limits: Limits = DEFAULT_LIMITS) -> CompiledScript:
    """Return the compiled form of a script; the last ones are remembered.

    Raises:
        DslError: the script is wrong; the error is positioned, with an excerpt and, for names, a suggestion.
    """
    tree = parse(text, limits)
    compiler = Compiler(text, registry, limits, COMPILE)
    code = compiler.script(tree)
    return CompiledScript(text, code, compiler.scope.size, compiler.facts, limits)
