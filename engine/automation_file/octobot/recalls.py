"""Calls that OctoBot was to make again: where in its script each stands, in the form that goes on here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from engine.automation_file.octobot.reading import Part
from engine.dsl import (
    DSLExecutor,
    OperatorDefinition,
    OperatorRegistry,
    OperatorSet,
    ReCallingOperatorResult,
    ScriptContext,
    Waiting,
    compile_script,
)
from engine.errors import DslError
from engine.operators import default_registry
from engine.types import Timestamp

RECALLING: Final = "ReCallingOperatorResult"


@dataclass(frozen=True, slots=True)
class Recall:
    """An operator that is to be called again.

    Attributes:
        keyword: its name.
        reset_to_id: the action that is to run again; None for the one whose call it is.
        at: when it was called last, UNIX seconds.
        due: when it is to be called again; None when that is not told.
        started, attempts: of a loop, its first check and how many there were.
        rest: all that is left to run of its script; None when that is not told.
    """

    keyword: str
    reset_to_id: str | None
    at: Timestamp
    due: Timestamp | None
    started: Timestamp | None = None
    attempts: int = 0
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a script stands; or why that cannot be told, so that it begins anew.

    Attributes:
        suspension: in the form that a state keeps.
        trouble: why there is none.
        may_repeat: whether the script would have its effects a second time when it begins anew.
    """

    suspension: dict[str, Any] | None = None
    trouble: str = ""
    may_repeat: bool = False


def is_recall(value: Any) -> bool:
    """Whether a result is that of an operator that is to be called again."""
    return isinstance(value, Mapping) and isinstance(value.get(RECALLING), Mapping)


def read_recall(part: Part) -> Recall | None:
    """Return what an operator asked for; None, with a note, when it does not say which it is.

    Args:
        part: the result that holds it.
    """
    told = part.part(RECALLING)
    keyword, last = told.text("keyword"), told.part("last_execution_result")
    at, waits = last.time("last_execution_time"), last.number("waiting_time")
    attempts = last.number("loop_until_attempt_count")
    recall = Recall(
        keyword=keyword or "",
        reset_to_id=told.text("reset_to_id"),
        at=at or 0,
        due=None if at is None or waits is None else max(at + min(float(waits), 1e10), 0),
        started=last.time("loop_until_start_time"),
        attempts=max(int(attempts), 0) if attempts is not None and attempts < 1e9 else 0,
        rest=last.text("script_override"),
    )
    last.leave({})
    told.leave({})
    part.leave({})
    if keyword is None:
        told.note("keyword", "which operator is to be called again is not told: the script begins anew")
        return None
    return recall


def standing(
    script: str, recall: Recall, references: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Standing:
    """Return where a script stands whose call is to be made again.

    The script is run up to that call, which is a stand-in here; so what it evaluates before the call is
    kept as if it had been suspended here. It has no account and no market, and is not run when it could
    have an effect.

    Args:
        script: of the action.
        recall: what the call asked for.
        references: results of other actions by id, as values.
        parameters: values of `UNRESOLVED_PARAMETER` by name.
    """
    call = f"{recall.keyword}()"
    state = _STATES.get(recall.keyword)
    if state is None or recall.due is None:
        return Standing(trouble=f"{call} cannot be resumed here")
    if len(re.findall(rf"\b{recall.keyword}\s*\(", script)) > 1:
        return Standing(trouble=f"which {call} of the script it is cannot be told")
    try:
        compiled = compile_script(script, _with_stand_ins())
    except DslError:
        return Standing(trouble="the script does not compile here")
    if compiled.calls_effects:
        trouble = f"whether what the script does besides {call} has happened cannot be told"
        return Standing(trouble=trouble, may_repeat=True)
    if not compiled.is_sync:
        return Standing(trouble=f"what the script reads besides {call} is not stored")
    context = ScriptContext(now=recall.at, references=references, parameters=parameters)
    try:
        ran = DSLExecutor(compiled, context).execute_sync()
    except DslError:
        return Standing(trouble=f"what the script needs to get to {call} is not stored")
    if not isinstance(ran, Waiting) or ran.recall.keyword != recall.keyword:
        return Standing(trouble=f"the script does not get to {call} again")
    asked = ReCallingOperatorResult(recall.keyword, recall.due - recall.at, state(recall))
    return Standing({**ran.suspension, "operator_state": asked.public(recall.at)})


def _wait_state(recall: Recall) -> dict[str, Any]:
    return {"due": recall.due}


def _loop_state(recall: Recall) -> dict[str, Any]:
    started = recall.at if recall.started is None else recall.started
    return {"started": started, "due": recall.due, "attempts": recall.attempts}


_STATES: Final[Mapping[str, Callable[[Recall], dict[str, Any]]]] = {
    "wait": _wait_state,
    "loop_until": _loop_state,
}
"""What the operators that can be resumed keep of themselves; see `engine.operators.control`."""


@cache
def _with_stand_ins() -> OperatorRegistry:
    """Return the operators; in place of those that can be resumed, ones that only tell where they stand."""
    return OperatorRegistry([_stand_ins(one) for one in default_registry().sets()])


def _stand_ins(operators: OperatorSet) -> OperatorSet:
    replaced = {
        name: _stand_in(definition) if name in _STATES else definition
        for name, definition in operators.operators.items()
    }
    return replace(operators, operators=replaced)


def _stand_in(definition: OperatorDefinition) -> OperatorDefinition:
    def suspend(*_given: Any, **_named: Any) -> ReCallingOperatorResult:
        return ReCallingOperatorResult(definition.name, 0.0, {})

    async def suspend_lazily(*_given: Any, **_named: Any) -> ReCallingOperatorResult:
        return suspend()

    return replace(definition, function=suspend_lazily if definition.is_async else suspend)
