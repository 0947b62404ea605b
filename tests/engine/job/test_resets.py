"""A reset touches the same actions wherever invocations were cut: the graph is the same whatever is done."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.job import EngineSettings, Services
from tests.support.builders import NOW, Invoked, action, automation

MINUTE = 60.0


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Actions that name earlier ones by `$reference`, by `after`, by both or not at all."""
    actions: list[dict[str, Any]] = []
    for number in range(draw(st.integers(2, 8))):
        earlier = [one["id"] for one in actions]
        named = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        after = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        script = " + ".join(["1", *(f"${one}" for one in named)])
        actions.append(action(f"n{number}", script, *after))
    return actions


def closing(actions: list[dict[str, Any]], target: str) -> dict[str, Any]:
    """An action behind all others that makes one of them run again, a minute later."""
    ids = [one["id"] for one in actions]
    return action("again", "0", *ids, reset_target_action_id=target, reset_after=MINUTE)


async def until_reset(state: dict[str, Any], actions_per_invocation: int) -> Invoked:
    run = Invoked(state, Services(settings=EngineSettings(max_actions=actions_per_invocation)))
    for _ in range(20):
        outcome = await run.invoke()
        if outcome.next_due_at != NOW:
            break
    return run


@given(actions=graphs(), data=st.data())
async def test_a_reset_touches_the_same_actions_wherever_invocations_were_cut(
    actions: list[dict[str, Any]], data: st.DataObject
) -> None:
    target = data.draw(st.sampled_from([one["id"] for one in actions]))
    state = automation(*actions, closing(actions, target))

    at_once = await until_reset(state, 1_000)
    piece_by_piece = await until_reset(state, data.draw(st.integers(1, 3)))

    assert piece_by_piece.completed == at_once.completed
    assert target not in at_once.completed
    for one in actions:
        assert piece_by_piece.action(one["id"]).get("not_before") == at_once.action(one["id"]).get(
            "not_before"
        )


async def test_every_round_of_a_loop_runs_what_depends_on_its_first_action() -> None:
    run = Invoked(
        automation(
            action("a", "1"),
            action("b", "$a + 1"),
            action("c", "wait(60)", "b"),
            action("d", "0", "c", reset_target_action_id="a"),
        )
    )
    now, ran = NOW, []
    for _ in range(6):
        outcome = await run.invoke(now=now)
        ran += [one.id for one in outcome.executed]
        assert outcome.next_due_at is not None
        now = outcome.next_due_at

    assert ran == ["a", "b", "c", *["c", "d", "a", "b", "c"] * 3][: len(ran)]
