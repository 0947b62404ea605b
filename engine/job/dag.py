"""The DAG of actions: who waits for whom, what is ready, what a reset touches.

Everything is linear in vertices and edges over one invocation, so 10,000 actions are an
ordinary automation: readiness is counted down as actions complete, never searched again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.errors import DagError
from engine.state import Action
from engine.types import ActionId, Timestamp

Edges = Mapping[ActionId, frozenset[ActionId]]
"""For each action, the actions whose results its script refers to."""


@dataclass(slots=True)
class _Node:
    action: Action
    order: int
    upstream: tuple[ActionId, ...]
    dependents: list[_Node] = field(default_factory=list)
    unmet: int = 0


class Dag:
    """The graph of some actions, over the actions that they may refer to.

    Args:
        actions: the nodes, in order of definition; these are the ones that `ready` returns.
        references: for each action the ids its script names with `$id`; they are edges too. Those of
            completed actions may be missing: nothing waits for them.
        completed_references: gives the missing ones, when a reset asks what depended on what.
        context: completed or pending actions outside this graph that dependencies may name, such as
            the automation's DAG for a priority action.

    Raises:
        DagError: duplicate or unknown ids, an action that depends on itself, a cycle (its path is named).
    """

    def __init__(
        self,
        actions: Sequence[Action],
        references: Edges | None = None,
        *,
        completed_references: Callable[[], Edges] | None = None,
        context: Iterable[Action] = (),
    ) -> None:
        _refuse_duplicates(actions)
        references = references or {}
        self._completed_references = completed_references
        self._context = {action.id: action for action in context}
        self._nodes = {
            action.id: _Node(action, order, _upstream(action, references))
            for order, action in enumerate(actions)
        }
        self._link()
        self._refuse_cycles()

    def __getitem__(self, action_id: ActionId) -> Action:
        node = self._nodes.get(action_id)
        return node.action if node else self._context[action_id]

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._nodes or action_id in self._context

    @property
    def ids(self) -> tuple[ActionId, ...]:
        """Ids of the nodes, in order of definition."""
        return tuple(self._nodes)

    def unblocked(self) -> list[Action]:
        """Return the pending actions whose dependencies are complete, due or not."""
        return [
            node.action
            for node in self._nodes.values()
            if not node.action.is_completed and all(self[up].is_completed for up in node.upstream)
        ]

    def complete(self, layer: Iterable[Action]) -> list[Action]:
        """Count the completed actions of a layer; return those that became unblocked by it.

        Each action may be counted once between two resets.
        """
        freed: list[_Node] = []
        for action in layer:
            for dependent in self._nodes[action.id].dependents:
                dependent.unmet -= 1
                if dependent.unmet == 0 and not dependent.action.is_completed:
                    freed.append(dependent)
        freed.sort(key=lambda node: node.order)
        return [node.action for node in freed]

    def reset(
        self, target: ActionId, *, requester: ActionId | None = None, not_before: Timestamp | None = None
    ) -> None:
        """Make `target`, everything that depends on it, and the action that asked for it run again.

        Not before `not_before`: that holds for the target, and for a requester that does not depend on
        it. Such a one would otherwise be ready at once, and ask again for ever.

        A completed `apply_configuration` stays completed. `complete` does not follow a reset up: the
        rest of the invocation is skipped behind one.

        Raises:
            DagError: `target` is not an action of this graph.
        """
        if target not in self._nodes:
            raise DagError(f"cannot restart '{target}': no such action; there are {', '.join(self.ids)}")
        self._link_completed()
        touched = self._closure(target)
        delayed = {target}
        if requester in self._nodes and requester not in touched:
            delayed.add(requester)
        for action_id in touched | delayed:
            action = self._nodes[action_id].action
            if not (action.is_configuration and action.is_completed):
                action.reset()
                action.not_before = not_before if action_id in delayed else None

    def _closure(self, target: ActionId) -> set[ActionId]:
        touched = {target}
        waiting = [self._nodes[target]]
        while waiting:
            for dependent in waiting.pop().dependents:
                if dependent.action.id not in touched:
                    touched.add(dependent.action.id)
                    waiting.append(dependent)
        return touched

    def _link(self) -> None:
        for node in self._nodes.values():
            for action_id in node.upstream:
                if action_id == node.action.id:
                    raise DagError(f"action '{action_id}' depends on itself")
                upstream = self._nodes.get(action_id)
                if upstream is not None:
                    upstream.dependents.append(node)
                if not self._known(action_id, node).is_completed:
                    node.unmet += 1

    def _link_completed(self) -> None:
        """Add the edges of completed actions: the graph is the same whatever is done already."""
        if self._completed_references is None:
            return
        for action_id, upstream in self._completed_references().items():
            node = self._nodes[action_id]
            for missing in upstream - set(node.upstream):
                if missing in self._nodes:
                    self._nodes[missing].dependents.append(node)
        self._completed_references = None

    def _known(self, action_id: ActionId, node: _Node) -> Action:
        try:
            return self[action_id]
        except KeyError:
            raise DagError(
                f"action '{node.action.id}' depends on '{action_id}', which does not exist"
            ) from None

    def _refuse_cycles(self) -> None:
        # Kahn's algorithm: what cannot be ordered lies on a cycle or behind one.
        left = {
            action_id: sum(upstream in self._nodes for upstream in node.upstream)
            for action_id, node in self._nodes.items()
        }
        free = [node for node in self._nodes.values() if left[node.action.id] == 0]
        while free:
            node = free.pop()
            del left[node.action.id]
            for dependent in node.dependents:
                left[dependent.action.id] -= 1
                if left[dependent.action.id] == 0:
                    free.append(dependent)
        if left:
            raise DagError(f"the actions form a cycle: {' -> '.join(self._cycle(left))}")

    def _cycle(self, unordered: Mapping[ActionId, int]) -> list[ActionId]:
        # Every unordered node has an unordered upstream, so walking up must meet itself.
        path: list[ActionId] = []
        seen: dict[ActionId, int] = {}
        action_id = next(iter(unordered))
        while action_id not in seen:
            seen[action_id] = len(path)
            path.append(action_id)
            action_id = next(up for up in self._nodes[action_id].upstream if up in unordered)
        return [action_id, *reversed(path[seen[action_id] :])]


def _upstream(action: Action, references: Edges) -> tuple[ActionId, ...]:
    named = references.get(action.id)
    if not named:
        if len(action.dependencies) < 2:
            return tuple(dependency.action_id for dependency in action.dependencies)
        named = frozenset()
    explicit = dict.fromkeys(dependency.action_id for dependency in action.dependencies)
    return (*explicit, *sorted(named - explicit.keys()))


def _refuse_duplicates(actions: Sequence[Action]) -> None:
    counts = Counter(action.id for action in actions)
    if len(counts) < len(actions):
        repeated = ", ".join(f"'{action_id}'" for action_id, count in counts.items() if count > 1)
        raise DagError(f"more than one action has the id {repeated}")
