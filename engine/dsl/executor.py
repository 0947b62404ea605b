"""Runs a compiled script for one action, from the start or from where it was suspended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.dsl.registry import Directive, ReCallingOperatorResult, ScriptContext
from engine.dsl.running import Frame, Suspended
from engine.dsl.script import CompiledScript
from engine.dsl.syntax import GRAMMAR_VERSION
from engine.errors import DslError
from engine.values import decode_value, encode_value, json_size


class Done(NamedTuple):
    """A script that came to its end.

    Attributes:
        value: its value.
        directives: what it asked of the job.
        effects: how many effects it performed.
    """

    value: Any
    directives: tuple[Directive, ...] = ()
    effects: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A script that one of its operators suspended.

    Attributes:
        recall: what the operator returned.
        suspension: where the script stands, as JSON; given to the next run.
        directives: what it asked of the job so far.
        effects: how many effects this run performed.
    """

    recall: ReCallingOperatorResult
    suspension: dict[str, Any]
    directives: tuple[Directive, ...] = ()
    effects: int = 0


class DSLExecutor:
    """Executes one action's script in a fresh interpreter."""

    __slots__ = ("_context", "_script")

    def __init__(self, script: CompiledScript, context: ScriptContext) -> None:
        self._script = script
        self._context = context

    async def run(self, suspension: Mapping[str, Any] | None = None) -> Done | Waiting:
        """Run the script; with the `suspension` of a `Waiting`, from where it stood.

        Raises:
            DslError: the script failed; positioned.
        """
        if self._script.is_plain:
            return self.execute_sync()
        frame = self._frame(suspension)
        assert self._script.code.step is not None
        try:
            value = await self._script.code.step(frame)
        except Suspended as suspended:
            return self._waiting(suspended, frame)
        return Done(value, frame.directives, frame.effects)

    def resumes(self, suspension: Mapping[str, Any] | None) -> bool:
        """Tell whether a suspension is of this very script; with another one, `run` starts anew."""
        return (
            suspension is not None
            and not self._script.is_plain
            and suspension.get("script_hash") == self._script.script_hash
            and suspension.get("grammar_version") == GRAMMAR_VERSION
        )

    def execute_sync(self, suspension: Mapping[str, Any] | None = None) -> Done | Waiting:
        """Run a script that waits for no I/O, without an event loop.

        Raises:
            DslError: the script failed; positioned.
            RuntimeError: the script waits for I/O after all.
        """
        script = self._script
        if script.is_plain and not script.calls_effects:
            return Done(script.evaluate(self._context))
        if script.is_plain:
            frame = script.frame(self._context)
            value = script.code.run(frame)  # type: ignore[misc]  # plain scripts have this form
            return Done(value, frame.directives, frame.effects)
        coroutine = self.run(suspension)
        try:
            coroutine.send(None)
        except StopIteration as finished:
            outcome: Done | Waiting = finished.value
            return outcome
        coroutine.close()
        raise RuntimeError("a script that waits for I/O was run without an event loop")

    def _frame(self, suspension: Mapping[str, Any] | None) -> Frame:
        frame = self._script.frame(self._context)
        if suspension and self.resumes(suspension):
            kept = {int(node_id): decode_value(progress) for node_id, progress in suspension["kept"]}
            recalled = suspension["operator_state"]["ReCallingOperatorResult"]
            frame.resume(suspension["call_site"], recalled["last_execution_result"], kept)
        return frame

    def _waiting(self, suspended: Suspended, frame: Frame) -> Waiting:
        recall, now = suspended.recall, self._context.now
        kept = [[node_id, encode_value(progress)] for node_id, progress in reversed(suspended.kept)]
        size = json_size(kept)
        if size > frame.limits.kept_bytes:
            too_large = DslError(
                f"{recall.keyword}() would suspend a script that has evaluated {size:,} bytes of values; "
                f"{frame.limits.kept_bytes:,} are allowed",
                code="limit_exceeded",
                suggestion="Evaluate long series after the wait, or keep only the values that are needed.",
            )
            raise frame.located(too_large, suspended.at, recall.keyword)
        suspension = {
            "script_hash": self._script.script_hash,
            "grammar_version": GRAMMAR_VERSION,
            "call_site": suspended.call_site,
            "operator_state": recall.public(now),
            "kept": kept,
        }
        return Waiting(recall, suspension, frame.directives, frame.effects)
