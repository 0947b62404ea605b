"""The graph of actions: readiness, refusals, resets."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import DagError
from engine.job.dag import Dag
from engine.state import Action
from engine.types import ActionId
from tests.support.builders import NOW, action


def actions(*raw: dict[str, Any]) -> list[Action]:
    return [Action.model_validate(one) for one in raw]


def ids(found: list[Action]) -> list[str]:
    return [one.id for one in found]


def test_actions_are_unblocked_in_order_of_definition() -> None:
    dag = Dag(actions(action("b", "1"), action("c", "1", "a"), action("a", "1")))

    assert ids(dag.unblocked()) == ["b", "a"]


def test_completing_a_layer_frees_only_what_has_no_other_open_dependency() -> None:
    nodes = actions(action("a", "1"), action("b", "1"), action("c", "1", "a", "b"), action("d", "1", "a"))
    dag = Dag(nodes)
    nodes[0].complete(1, NOW)

    assert ids(dag.complete([nodes[0]])) == ["d"]

    nodes[1].complete(1, NOW)
    assert ids(dag.complete([nodes[1]])) == ["c"]


def test_an_action_that_ended_in_an_error_satisfies_what_only_comes_after_it() -> None:
    failed = action("a", "1", error_status="internal_error", executed_at=1.0)
    dag = Dag(actions(failed, action("b", "1", "a")))

    assert ids(dag.unblocked()) == ["b"]


def test_a_reference_in_a_script_is_an_edge() -> None:
    dag = Dag(actions(action("b", "$a"), action("a", "1")), {ActionId("b"): frozenset({ActionId("a")})})

    assert ids(dag.unblocked()) == ["a"]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([action("a", "1", "x")], "action 'a' depends on 'x', which does not exist"),
        ([action("a", "1", "a")], "action 'a' depends on itself"),
        ([action("a", "1"), action("a", "2")], "more than one action has the id 'a'"),
        (
            [action("a", "1", "c"), action("b", "1", "a"), action("c", "1", "b"), action("d", "1", "c")],
            "cycle: a -> b -> c -> a",
        ),
    ],
)
def test_what_is_no_dag_is_refused_with_its_path(nodes: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(DagError, match=message):
        Dag(actions(*nodes))


def test_a_reset_touches_the_target_what_depends_on_it_and_who_asked() -> None:
    nodes = actions(
        action("a", "1", result=1, executed_at=1.0),
        action("b", "1", "a", result=2, executed_at=1.0),
        action("c", "1", "b", error_status="internal_error", error_message="x", executed_at=1.0),
        action("other", "1", result=4, executed_at=1.0),
        action("asks", "1", result=5, executed_at=1.0),
    )

    Dag(nodes).reset(ActionId("b"), requester=ActionId("asks"))

    assert [one.is_completed for one in nodes] == [True, False, False, True, False]
    assert nodes[1].previous_execution_result == 2
    assert nodes[2].error_status is None
    assert nodes[3].result == 4


def test_a_reset_keeps_a_completed_configuration() -> None:
    nodes = actions(
        {"id": "init", "action": "apply_configuration", "executed_at": 1.0},
        action("a", "1", "init", executed_at=1.0),
    )

    Dag(nodes).reset(ActionId("init"))

    assert [one.is_completed for one in nodes] == [True, False]


def test_a_reset_of_an_unknown_action_names_the_ones_there_are() -> None:
    with pytest.raises(DagError, match="cannot restart 'x': no such action; there are a, b"):
        Dag(actions(action("a", "1"), action("b", "1"))).reset(ActionId("x"))
