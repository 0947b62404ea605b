"""A state that has grown too large gives up its newest large results, and nothing else."""

from __future__ import annotations

import json

from activities.invocation import InvocationActivities
from activities.sizes import encoded_size, fit_state
from engine.job.services import MAX_STATE_BYTES
from engine.state import dump_state, load_state
from tests.activities.test_run_invocation import run
from tests.support.builders import NOW, action, automation
from tests.support.state_tree import in_full, planted, unknown_in

LARGE = "x" * 600_000


def test_the_largest_results_of_this_invocation_go_first() -> None:
    state = load_state(
        automation(
            action("old", "1", executed_at=NOW - 1, result=LARGE),
            action("small", "1", executed_at=NOW, result="y" * 100),
            action("large", "1", executed_at=NOW, result=LARGE),
        )
    )

    given_up = fit_state(state, encoded_size(dump_state(state)), NOW)

    assert given_up == ["large"]
    old, small, large = state.actions
    assert (old.result, small.failed, large.result) == (LARGE, False, None)
    assert (large.error_status, large.executed_at) == ("limit_exceeded", NOW)
    assert large.error_message == "its result of 600,002 bytes does not fit the state beside the others"
    assert encoded_size(dump_state(state)) <= MAX_STATE_BYTES


def test_a_state_that_fits_is_left_alone() -> None:
    state = load_state(automation(action("a", "1", executed_at=NOW, result=LARGE)))

    assert fit_state(state, encoded_size(dump_state(state)), NOW) == []
    assert state.actions[0].result == LARGE


def test_what_is_given_up_costs_no_unknown_field() -> None:
    actions = (action(name, "1", executed_at=NOW, result=LARGE) for name in "ab")
    raw = planted(in_full(automation(*actions)))
    state = load_state(raw)

    assert fit_state(state, encoded_size(dump_state(state)), NOW) == ["a"]
    assert unknown_in(in_full(dump_state(state))) == unknown_in(raw)


async def test_the_activity_carries_unknown_fields() -> None:
    raw = planted(in_full(automation(action("a", "1"), action("b", "wait(60)"))))

    result = await run(raw, InvocationActivities())

    before, after = unknown_in(raw), unknown_in(in_full(result.state))
    lost = {identity for identity in before if after.get(identity) != before[identity]}
    assert {identity[-1] for identity in lost} == {"previous_execution", "current_execution"}
    assert "later" not in json.dumps(result.outcome) + result.view.model_dump_json()
