"""Runs scripts in tests: with the built-in operators, and with some that record what happens."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from engine.dsl import (
    Done,
    DSLExecutor,
    Kind,
    OperatorContext,
    OperatorRegistry,
    OperatorSet,
    ReCallingOperatorResult,
    ScriptContext,
    Waiting,
    compile_script,
    operator,
)
from engine.operators import default_registry

NOW = 1_700_000_000.0
_MOST_SUSPENSIONS = 200


def context(**given: Any) -> ScriptContext:
    """Return the context of one script, at `NOW` unless told otherwise."""
    return ScriptContext(**{"now": NOW, **given})


def run(
    text: str,
    *,
    registry: OperatorRegistry | None = None,
    suspension: dict[str, Any] | None = None,
    **given: Any,
) -> Done | Waiting:
    """Run a script once."""
    executor = DSLExecutor(compile_script(text, registry or default_registry()), context(**given))
    return asyncio.run(executor.run(suspension))


def evaluate(text: str, **given: Any) -> Any:
    """Return the value of a script that does not wait."""
    outcome = run(text, **given)
    assert isinstance(outcome, Done), f"the script waits for {outcome.recall.keyword}"
    return outcome.value


def through_json(waiting: Waiting) -> dict[str, Any]:
    """Return a suspension as the state of the next invocation would have it."""
    stored: dict[str, Any] = json.loads(json.dumps(waiting.suspension))
    return stored


def run_to_end(text: str, registry: OperatorRegistry, script_context: ScriptContext) -> tuple[Any, int]:
    """Run a script through all its suspensions, each in a fresh interpreter, as time goes on.

    Returns:
        The value, and how often the script was suspended.
    """
    suspension = None
    suspensions = 0
    while True:
        executor = DSLExecutor(compile_script(text, registry), script_context)
        outcome = asyncio.run(executor.run(suspension))
        if isinstance(outcome, Done):
            return outcome.value, suspensions
        suspension = through_json(outcome)
        suspensions += 1
        assert suspensions < _MOST_SUSPENSIONS, "the script never gets past a suspension"
        script_context = replace(script_context, now=script_context.now + outcome.recall.waiting_time)


class Recorder:
    """Operators whose calls are recorded, besides the built-in ones.

    `effect(value)` records its value and returns it; `pause(value)` records that it was called, has to be
    called again once, and gives its value then; `look(value)` reads through a coroutine.
    """

    def __init__(self, *, pauses: bool = True) -> None:
        self.calls: list[Any] = []
        self._pauses = pauses
        self.registry = OperatorRegistry([*default_registry().sets(), self._operators()])

    def _operators(self) -> OperatorSet:
        recorded = OperatorSet("recorded", "Operators that tests watch.")

        @operator(recorded, kind=Kind.EFFECT, example="effect(1)")
        def effect(context: OperatorContext, value: Any = None, other: Any = None) -> Any:
            """Record a value."""
            self.calls.append(value)
            return value

        @operator(recorded, kind=Kind.READ, suspends=True, example="pause(1)")
        def pause(context: OperatorContext, value: Any = None) -> Any:
            """Be called again before giving a value."""
            if context.last_execution_result is None:
                self.calls.append(("pause", value))
                if self._pauses:
                    return ReCallingOperatorResult("pause", 1.0, {"seen": 1})
            return value

        @operator(recorded, kind=Kind.READ, example="look(1)")
        async def look(context: OperatorContext, value: Any = None) -> Any:
            """Read something that takes a while."""
            await asyncio.sleep(0)
            self.calls.append(("look", value))
            return value

        return recorded
