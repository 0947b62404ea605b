"""`AutomationJob`: given a state, when an invocation runs at a time, then.

Priority actions, repetition, the first run, and exchange accounts have modules of their own beside this one.
"""

from __future__ import annotations

import json

import pytest

from engine.errors import (
    DagError,
    NoAutomationError,
    SchemaVersionError,
    StateError,
)
from engine.job.job import AutomationJob
from engine.job.outcome import InvocationStatus
from engine.job.request import InvocationRequest
from engine.job.services import EngineSettings, Services
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, State, action, automation, scripts

FORCED = TriggerReason.FORCED


async def test_an_automation_without_waiting_finishes_in_one_invocation() -> None:
    run = Invoked(automation(action("a", "1 + 2"), action("b", "$a * 2", "a")))

    outcome = await run.invoke()

    assert outcome.status is InvocationStatus.FINISHED
    assert outcome.next_due_at is None
    assert (run.result("a"), run.result("b")) == (3, 6)
    assert run.state["automation"]["execution"]["iteration"] == 1


async def test_a_chain_of_100_actions_runs_in_one_invocation() -> None:
    chain = [action("a0", "1")] + [action(f"a{n}", f"$a{n - 1} + 1", f"a{n - 1}") for n in range(1, 100)]

    run = Invoked(automation(*chain))
    outcome = await run.invoke()

    assert outcome.executed_count == 100
    assert len(outcome.executed) == 50
    assert run.result("a99") == 100


async def test_the_actions_of_an_invocation_share_the_limit_of_effects() -> None:
    thirty = "[" + "notify('x'), " * 30 + "]"
    run = Invoked(scripts(thirty, thirty))

    outcome = await run.invoke()

    assert [entry.status for entry in outcome.executed] == ["ok", "limit_exceeded"]
    assert "notify() would be effect number 51; 50 are allowed" in (outcome.executed[1].error or "")


async def test_actions_run_in_order_of_definition() -> None:
    run = Invoked(scripts("1", "2", "3"))

    outcome = await run.invoke()

    assert [entry.id for entry in outcome.executed] == ["a0", "a1", "a2"]


async def test_the_same_request_gives_the_same_bytes() -> None:
    state = scripts("wait(10, 50)", "now() + 0.1", "decimal('1.10')")

    first, second = Invoked(state), Invoked(state)
    await first.invoke()
    await second.invoke()

    assert json.dumps(first.state) == json.dumps(second.state)


async def test_the_state_of_the_request_is_left_as_it_was() -> None:
    state = scripts("1")
    before = json.dumps(state)

    await Invoked(state).invoke()

    assert json.dumps(state) == before


# --- errors ---------------------------------------------------------------------------------------


async def test_an_error_ends_its_action_and_the_others_run() -> None:
    failing = "error('not_enough_funds', 'Add more funds 2')"
    run = Invoked(scripts("1", failing, "3", "1/0", "1 +", "nonsense()"))

    outcome = await run.invoke()

    assert run.statuses == [None, "not_enough_funds", None, *["dsl_execution_error"] * 3]
    assert run.action("a1")["error_message"] == "Add more funds 2"
    assert run.action("a3")["error_message"].startswith("line 1, column 2: ")
    assert outcome.error_count == 4
    assert outcome.status is InvocationStatus.FINISHED


async def test_what_needs_the_value_of_a_failed_action_ends_without_running() -> None:
    run = Invoked(
        automation(
            action("a", "error('invalid_order', 'too small')"),
            action("needs", "$a + 1"),
            action("bound", "abs(value=UNRESOLVED_PARAMETER)")
            | {"dependencies": [{"action_id": "a", "parameter": "value"}]},
            action("after", "1", "a"),
        )
    )

    await run.invoke()

    assert run.statuses == ["invalid_order", "action_dependency_error", "action_dependency_error", None]
    assert "'a'" in run.action("needs")["error_message"]
    assert "too small" in run.action("needs")["error_message"]


async def test_a_result_that_looks_empty_feeds_its_dependent() -> None:
    run = Invoked(automation(action("a", "0"), action("b", "$a + 5", "a")))

    await run.invoke()

    assert run.result("b") == 5


async def test_a_decimal_arrives_as_a_decimal() -> None:
    run = Invoked(automation(action("a", "decimal('0.1')"), action("b", "$a + decimal('0.2')", "a")))

    await run.invoke()

    assert run.result("b") == {"$dec": "0.3"}


async def test_a_result_path_walks_mappings_and_lists() -> None:
    script = "abs(value=UNRESOLVED_PARAMETER)"
    edge = {"action_id": "a", "parameter": "value", "result_path": ["rows", "1", "price"]}
    run = Invoked(
        automation(
            action("a", "{'rows': [{'price': 1}, {'price': 2}]}"),
            action("b", script, dependencies=[edge]),
            action("c", script, dependencies=[edge | {"result_path": ["rows", "7"]}]),
            action("d", script, dependencies=[edge | {"result_path": ["row"]}]),
        )
    )

    await run.invoke()

    assert run.result("b") == 2
    assert "has no '7'" in run.action("c")["error_message"]
    assert "there is a list of 2" in run.action("c")["error_message"]
    assert "there are the keys rows" in run.action("d")["error_message"]


async def test_a_result_above_the_bound_is_refused() -> None:
    run = Invoked(scripts("'a' * 70000"))

    await run.invoke()

    assert run.statuses == ["limit_exceeded"]
    assert len(json.dumps(run.state)) < 1_000


async def test_a_state_without_automation_is_refused() -> None:
    with pytest.raises(NoAutomationError):
        AutomationJob(InvocationRequest(state={}, now=NOW))


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"schema_version": 99}, SchemaVersionError),
        (automation({"id": "a"}), StateError),
        (automation(action("a", "$b"), action("b", "$a")), DagError),
        (automation(action("a", "1", "nowhere")), DagError),
    ],
)
def test_a_state_that_cannot_run_is_refused_at_once(state: State, error: type[Exception]) -> None:
    with pytest.raises(error):
        AutomationJob(InvocationRequest(state=state, now=NOW))


# --- waiting --------------------------------------------------------------------------------------


async def test_two_waiting_actions_keep_two_cadences() -> None:
    run = Invoked(scripts("wait(10)", "wait(60)", "1 + 1"))

    outcome = await run.invoke(now=NOW)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 10)
    assert run.completed == ["a2"]

    outcome = await run.invoke(now=NOW + 10)
    assert outcome.next_due_at == NOW + 60
    assert run.completed == ["a0", "a2"]

    outcome = await run.invoke(now=NOW + 60)
    assert outcome.status is InvocationStatus.FINISHED


async def test_a_forced_invocation_reports_the_remaining_time_and_keeps_the_target() -> None:
    run = Invoked(scripts("wait(50, 100)"))

    due = (await run.invoke(now=NOW)).next_due_at
    assert due is not None
    assert NOW + 50 <= due <= NOW + 100

    forced = await run.invoke(now=NOW + 20, trigger=FORCED)
    assert forced.next_due_at == due
    assert forced.executed[0].status == "waiting"

    await run.invoke(now=due)
    assert run.result("a0") is None


async def test_the_branch_around_a_wait_is_decided_once() -> None:
    run = Invoked(scripts("wait(50) if now_ms() < 2000000 else 7"))

    await run.invoke(now=1_000.0)
    await run.invoke(now=5_000.0)

    assert run.result("a0") is None


async def test_a_changed_script_starts_cold() -> None:
    run = Invoked(scripts("[now(), wait(50)]"))
    await run.invoke(now=1_000.0)

    run.action("a0")["dsl_script"] = "[now(), wait(60)]"
    outcome = await run.invoke(now=2_000.0)

    assert outcome.next_due_at == 2_060.0


async def test_nothing_runs_before_it_is_due() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 10)

    assert outcome.executed_count == 0
    assert outcome.next_due_at == NOW + 50


# --- bounds ---------------------------------------------------------------------------------------


async def test_an_invocation_ends_after_its_share_of_actions_and_goes_on_at_once() -> None:
    services = Services(settings=EngineSettings(max_actions=10))
    chain = [action("a0", "1")] + [action(f"a{n}", "1", f"a{n - 1}") for n in range(1, 25)]
    run = Invoked(automation(*chain), services)

    outcome = await run.invoke(now=NOW)

    assert (outcome.executed_count, outcome.next_due_at) == (10, NOW)
    await run.invoke(now=NOW)
    outcome = await run.invoke(now=NOW)
    assert outcome.status is InvocationStatus.FINISHED


async def test_a_long_result_of_a_priority_action_is_named_instead_of_shown() -> None:
    run = Invoked(scripts("wait(5)"))

    outcome = await run.invoke(priority_actions=[action("p", "'x' * 40000")])

    assert outcome.values == {}
    assert "'p' (40008 bytes) is not shown here" in outcome.notes[0]


async def test_the_outcome_stays_small_whatever_happens() -> None:
    long = "x" * 250
    failing = [action(f"{long}{n}", f"error('{long}')") for n in range(60)]
    run = Invoked(scripts("wait(5)"))

    outcome = await run.invoke(priority_actions=[action("big", "'é' * 10000"), *failing])

    assert len(json.dumps(outcome.model_dump(mode="json"), ensure_ascii=False).encode()) < 32_768
    assert outcome.executed_count == 61


async def test_notify_is_shown_in_the_outcome() -> None:
    outcome = await Invoked(scripts("notify('bought')")).invoke()

    assert outcome.notes == ["bought"]


async def test_a_result_may_be_any_typed_value() -> None:
    run = Invoked(scripts("[decimal('1.5'), nan, {1: 'a'}]"))

    await run.invoke()

    assert run.result("a0") == [{"$dec": "1.5"}, {"$float": "nan"}, {"$dict": [[1, "a"]]}]
