"""The compiled scripts of the pending actions; one that does not parse is an error of its action alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.dsl import CompiledScript, Limits, OperatorRegistry, compile_script
from engine.errors import DslError
from engine.state import Action
from engine.types import ActionId


class Scripts:
    """Compiles each pending script once per invocation, before anything is executed."""

    def __init__(self, registry: OperatorRegistry, limits: Limits) -> None:
        self._registry = registry
        self._limits = limits
        self._compiled: dict[ActionId, CompiledScript | DslError] = {}

    def compile(self, actions: Iterable[Action]) -> None:
        """Compile the scripts of the pending actions among these."""
        for action in actions:
            if action.dsl_script is not None and not action.is_completed:
                self._compiled[action.id] = self._try(action.dsl_script)

    def of(self, action: Action) -> CompiledScript:
        """Return the compiled script of an action.

        Raises:
            DslError: the script does not compile.
        """
        compiled = self._compiled[action.id]
        if isinstance(compiled, DslError):
            raise compiled
        return compiled

    def references(self) -> dict[ActionId, frozenset[ActionId]]:
        """Return, for each pending action whose script names other actions, their ids."""
        return _references(self._compiled)

    def references_of_completed(self, actions: Iterable[Action]) -> dict[ActionId, frozenset[ActionId]]:
        """Return the same for the actions among these that were completed when the invocation began."""
        return _references(
            {
                action.id: self._try(action.dsl_script)
                for action in actions
                if action.dsl_script is not None and action.id not in self._compiled
            }
        )

    def need_exchange(self) -> list[ActionId]:
        """Return the actions whose scripts cannot run without an exchange account."""
        return [
            action_id
            for action_id, compiled in self._compiled.items()
            if not isinstance(compiled, DslError) and compiled.needs_exchange
        ]

    def _try(self, text: str) -> CompiledScript | DslError:
        try:
            return compile_script(text, self._registry, self._limits)
        except DslError as error:
            return error


def _references(
    compiled: Mapping[ActionId, CompiledScript | DslError],
) -> dict[ActionId, frozenset[ActionId]]:
    return {
        action_id: frozenset(map(ActionId, script.references))
        for action_id, script in compiled.items()
        if not isinstance(script, DslError) and script.references
    }
