"""Edits: what they change, what they keep, what they refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.job.edit import ActionChanges, EditError, apply_edit
from engine.state import AutomationState, dump_state, load_state
from engine.types import ActionId
from tests.support.builders import NOW, Invoked, State, action, automation, paper


def edited(state: State, *upsert: dict[str, Any], **more: Any) -> Invoked:
    """The state behind an edit, ready to be invoked."""
    return Invoked(dump_state(apply_edit(load_state(state), upsert, **more)))


def problems(state: State, *upsert: dict[str, Any], **more: Any) -> Sequence[str]:
    """What is wrong with an edit, which must be refused and leave the state as it was."""
    before = load_state(state)
    with pytest.raises(EditError) as caught:
        apply_edit(before, upsert, **more)
    assert before == load_state(state)
    return caught.value.problems


async def ran(*actions: dict[str, Any], at: float = NOW, **sections: Any) -> State:
    """The state behind one invocation."""
    run = Invoked(automation(*actions, **sections))
    await run.invoke(at)
    return run.state


CHAIN = (action("a", "1"), action("b", "$a + 1"), action("c", "$b + 1"))


async def test_new_actions_are_appended_and_run_next() -> None:
    run = edited(await ran(*CHAIN), action("d", "$c * 10"))
    assert [one["id"] for one in run.state["automation"]["actions_dag"]["actions"]] == ["a", "b", "c", "d"]

    await run.invoke()
    assert run.result("d") == 30


async def test_a_pending_action_runs_with_its_new_script() -> None:
    run = edited(automation(*CHAIN), action("b", "$a + 5"))
    await run.invoke()

    assert run.result("c") == 7


async def test_a_finished_action_keeps_its_result_when_its_script_changes() -> None:
    run = edited(await ran(*CHAIN), action("a", "100"))
    await run.invoke()

    assert (run.action("a")["dsl_script"], run.result("a"), run.result("c")) == ("100", 1, 3)


async def test_a_finished_action_runs_again_with_all_that_depend_on_it_when_the_edit_says_so() -> None:
    run = edited(await ran(*CHAIN), action("b", "$a + 5"), restart=["b"])
    assert run.completed == ["a"]

    await run.invoke()
    assert (run.result("b"), run.result("c")) == (6, 7)
    assert run.action("b")["previous_execution_result"] == 2


async def test_an_action_that_waits_begins_its_new_script_at_once() -> None:
    run = edited(await ran(action("a", "[wait(3600), 1]")), action("a", "2"))
    await run.invoke(NOW + 1)

    assert run.result("a") == 2


async def test_an_action_that_is_defined_as_before_goes_on_waiting() -> None:
    state = await ran(action("a", "wait(3600)"), action("b", "1"))
    run = edited(state, action("a", "wait(3600)"), action("b", "2"))

    assert run.action("a") == Invoked(state).action("a")


async def test_another_order_leaves_a_wait_alone_and_a_schedule_too() -> None:
    state = await ran(action("a", "wait(3600)"), action("b", "1", not_before=NOW + 60))
    run = edited(state, action("a", "wait(3600)", "b"), action("b", "2"))

    assert run.action("a")["suspension"]
    assert run.action("b")["not_before"] == NOW + 60


async def test_removed_actions_are_gone_and_the_others_go_on() -> None:
    run = edited(await ran(*CHAIN), action("b", "7"), remove=["a"])
    await run.invoke()

    assert run.completed == ["b", "c"]


async def test_an_ended_priority_action_does_not_hold_a_removal_back() -> None:
    run = Invoked(automation(*CHAIN))
    await run.invoke()
    await run.invoke(priority_actions=[action("asked", "1", "c")])
    run = edited(run.state, remove=["c"])
    await run.invoke()

    assert run.completed == ["a", "b"]


async def test_what_an_edit_does_is_known_before_it_is_made() -> None:
    before = load_state(await ran(*CHAIN, action("w", "wait(60)"), action("old", "1")))
    after = apply_edit(
        before,
        [action("a", "2"), action("b", "$a + 1"), action("new", "1"), action("w", "wait(60)")],
        ["old"],
        restart=["c", "w"],
    )

    assert ActionChanges.between(before, after) == ActionChanges(
        added=[ActionId("new")],
        changed=[ActionId("a")],
        removed=[ActionId("old")],
        restarted=[ActionId("c"), ActionId("w")],
        kept=[ActionId("a")],
    )


async def test_an_edit_that_defines_everything_as_it_is_changes_nothing() -> None:
    state = load_state(await ran(*CHAIN))
    assert apply_edit(state, [one.definition() for one in state.actions]) == state


class TestRefusals:
    def test_everything_that_is_wrong_is_told_at_once(self) -> None:
        found = problems(
            automation(*CHAIN),
            action("d", "maxx(1, 2)"),
            action("e", "1", "nobody"),
            {"id": "f"},
            action("g", "1", executed_at=NOW),
            remove=["a", "ghost"],
            restart=["phantom"],
        )
        text = "\n".join(found)
        assert len(found) == 7
        for said in (
            "action 'd': line 1, column 1: ",
            "action 'e' names 'nobody', which does not exist",
            "action 'f' needs either dsl_script or action",
            "action 'g': an edit cannot set executed_at",
            "action 'a' cannot be removed: 'b' needs it",
            "there is no action 'ghost' to remove",
            "there is no action 'phantom' to restart",
        ):
            assert said in text

    def test_a_cycle_is_named(self) -> None:
        assert problems(automation(*CHAIN), action("a", "$c + 1")) == (
            "the actions form a cycle: a -> b -> c -> a",
        )

    def test_an_action_cannot_be_defined_twice_or_defined_and_removed(self) -> None:
        found = problems(automation(*CHAIN), action("c", "1"), action("c", "2"), remove=["c"])
        assert found[:2] == (
            "action 'c' is defined twice in this edit",
            "action 'c' is both defined and removed by this edit",
        )

    def test_an_automation_without_actions_is_none(self) -> None:
        assert "at least one action" in problems(automation(*CHAIN), remove=["a", "b", "c"])[0]

    def test_an_action_that_another_one_restarts_stays(self) -> None:
        looping = action("b", "1", reset_target_action_id="a")
        (problem,) = problems(automation(action("a", "1"), looping), remove=["a"])
        assert problem == "action 'a' cannot be removed: 'b' needs it"

    async def test_an_action_that_a_pending_priority_action_needs_stays(self) -> None:
        run = Invoked(automation(action("a", "wait(60)"), action("b", "1")))
        await run.invoke(priority_actions=[action("asked", "$a")])
        assert "'asked' needs it" in problems(run.state, remove=["a"])[0]

    def test_what_a_script_needs_of_the_automation_must_be_there(self) -> None:
        assert "has none" in problems(automation(*CHAIN), action("d", "price('BTC/USDT')"))[0]
        found = problems(paper(automation(*CHAIN), {"USDT": 1}), action("d", "close[-1]"))
        assert len(found) == 2
        assert "names no symbol" in found[0]
        assert "names no time frame" in found[1]

    @pytest.mark.parametrize(
        "edit", [{"upsert": [action("buy", "2")]}, {"remove": ["buy"]}, {"restart": ["buy"]}]
    )
    def test_an_action_with_effects_under_way_is_left_alone(self, edit: dict[str, Any]) -> None:
        state = _with_intent(automation(action("buy", "1", executed_at=NOW), action("b", "1")))
        with pytest.raises(EditError, match="'buy' has 1 effect under way"):
            apply_edit(state, **edit)
        same = [action("buy", "1"), action("b", "2")]
        assert apply_edit(state, same).actions[1].dsl_script == "2"

    def test_what_follows_from_an_order_holds_no_edit_back(self) -> None:
        state = _with_intent(automation(action("buy", "1", executed_at=NOW), action("b", "1")), leg="0/stop")
        edited = apply_edit(state, remove=["buy"])
        assert [one.id for one in edited.actions] == ["b"]
        assert [one.leg for one in edited.automation.execution.pending_effects] == ["0/stop"]

    def test_a_script_hears_of_its_effects_before_it_is_edited(self) -> None:
        recalled = {"last_execution_result": {"intents": ["k"], "outcomes": {"k": {"outcome": "applied"}}}}
        suspension = {"operator_state": {"ReCallingOperatorResult": recalled}}
        state = load_state(automation(action("buy", "1", suspension=suspension), action("b", "1")))
        with pytest.raises(EditError, match="'buy' has done what its script does not know of yet"):
            apply_edit(state, [action("buy", "2")])


def _with_intent(state: State, leg: str = "0") -> AutomationState:
    intent = {
        "key": "k", "action_id": "buy", "call_site": "0", "leg": leg,
        "kind": "create_order", "params": {}, "planned_at": NOW,
    }  # fmt: skip
    state["automation"]["execution"] = {"pending_effects": [intent]}
    return load_state(state)
