"""The two graphs of an automation: its DAG, and the priority actions, which may depend on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from engine.job.compiled_scripts import Scripts
from engine.job.dag import Dag
from engine.job.services import Services
from engine.state import Action, AutomationState


@dataclass(frozen=True, slots=True)
class Graph:
    """Some actions as a DAG, with their compiled scripts."""

    dag: Dag
    scripts: Scripts


class Graphs:
    """The graphs of a state; all of its pending scripts are parsed here, before an exchange is touched.

    Attributes:
        main: the automation's own DAG.
        priority: the priority actions, which run before its next cycle.

    Raises:
        DagError: the actions do not form a DAG.
    """

    def __init__(self, state: AutomationState, services: Services) -> None:
        self._state = state
        self._services = services
        self.main = self._graph(state.actions)
        self.priority = self._graph(state.priority_actions, context=state.actions)

    def rebuild_main(self) -> None:
        """Take in that the script of an action was replaced."""
        self.main = self._graph(self._state.actions)

    def _graph(self, actions: list[Action], context: Sequence[Action] = ()) -> Graph:
        scripts = Scripts(self._services.registry, self._services.settings.limits)
        scripts.compile(actions)
        dag = Dag(
            actions,
            scripts.references(),
            completed_references=partial(scripts.references_of_completed, actions),
            context=context,
        )
        return Graph(dag, scripts)
