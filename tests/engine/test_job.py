"""`AutomationJob`: given a state, when an invocation runs at a time, then.

Exchange accounts have their own tests in `test_job_paper.py`.
"""

from __future__ import annotations

import json

import pytest

from engine.dsl import Limits
from engine.errors import (
    DagError,
    InitializationRunFailedError,
    NoAutomationError,
    PendingPriorityActionsSkippedError,
    SchemaVersionError,
    StateError,
)
from engine.invocation import InvocationRequest, InvocationStatus
from engine.job import AutomationJob
from engine.services import EngineSettings, Services
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, action, automation, scripts

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
def test_a_state_that_cannot_run_is_refused_at_once(state: dict, error: type[Exception]) -> None:
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


# --- priority actions -----------------------------------------------------------------------------


async def test_a_priority_action_runs_alone_and_leaves_the_schedule_untouched() -> None:
    run = Invoked(automation(action("a", "wait(50)"), action("b", "$a", "a")))
    await run.invoke(now=NOW)
    dag = json.dumps(run.state["automation"]["actions_dag"])

    outcome = await run.invoke(NOW + 60, TriggerReason.MESSAGE, priority_actions=[action("p", "2 * 21")])

    assert outcome.values == {"p": 42}
    assert json.dumps(run.state["automation"]["actions_dag"]) == dag
    assert outcome.next_due_at == NOW + 60


async def test_a_priority_action_may_use_results_of_the_dag() -> None:
    run = Invoked(scripts("decimal('20')"))
    await run.invoke()

    outcome = await run.invoke(priority_actions=[action("p", "$a0 + 1")])

    assert outcome.values == {"p": "21"}


async def test_a_priority_action_that_waits_says_when_it_is_due() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("p", "wait(5)")])

    assert outcome.waiting == {"p": NOW + 6}
    assert outcome.next_due_at == NOW + 6


async def test_a_priority_action_behind_an_unfinished_one_lets_the_dag_go_on() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("p", "7", "a0")])
    assert outcome.next_due_at == NOW + 50

    await run.invoke(now=NOW + 50)
    assert (await run.invoke(now=NOW + 50)).values == {"p": 7}


async def test_priority_actions_that_were_all_executed_before_are_an_error_of_the_message() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(priority_actions=[action("p", "1")])

    with pytest.raises(PendingPriorityActionsSkippedError, match="already executed: p"):
        await run.invoke(priority_actions=[action("p", "1")])


async def test_a_priority_action_of_the_wrong_form_is_refused() -> None:
    with pytest.raises(StateError, match=r"priority action: .* needs either dsl_script or action"):
        await Invoked(scripts("1")).invoke(priority_actions=[{"id": "p"}])


async def test_stop_as_a_priority_action_keeps_the_dag_and_itself() -> None:
    run = Invoked(scripts("wait(50)"))
    await run.invoke(now=NOW)
    dag = json.dumps(run.state["automation"]["actions_dag"])

    outcome = await run.invoke(now=NOW + 1, priority_actions=[action("halt", "stop_automation()")])

    assert outcome.status is InvocationStatus.STOPPED
    assert outcome.next_due_at is None
    assert run.state["automation"]["post_actions"] == {"stop_automation": True}
    assert json.dumps(run.state["automation"]["actions_dag"]) == dag
    assert "executed_at" in run.action("halt")


async def test_stop_in_the_dag_skips_what_comes_behind_it() -> None:
    run = Invoked(scripts("stop_automation()", "1"))

    outcome = await run.invoke()

    assert outcome.status is InvocationStatus.STOPPED
    assert run.completed == ["a0"]


async def test_a_stopped_automation_runs_nothing_more() -> None:
    run = Invoked(scripts("stop_automation()", "1"))
    await run.invoke()

    outcome = await run.invoke()

    assert outcome.executed_count == 0
    assert outcome.status is InvocationStatus.STOPPED


async def test_the_script_of_the_only_action_can_be_replaced_and_runs_at_once() -> None:
    run = Invoked(scripts("wait(5000)"))
    await run.invoke(now=NOW)

    await run.invoke(now=NOW + 1, priority_actions=[action("p", "update_automation_configuration('40 + 2')")])

    assert run.result("a0") == 42


async def test_a_replaced_script_shares_the_effects_that_its_invocation_has_left() -> None:
    services = Services(settings=EngineSettings(limits=Limits(effects=2)))
    run = Invoked(scripts("wait(5000)"), services)
    await run.invoke(now=NOW)

    replace = "[notify('one'), update_automation_configuration(\"notify('two')\")]"
    await run.invoke(now=NOW + 1, priority_actions=[action("p", replace)])

    assert run.statuses == ["limit_exceeded"]


# --- repetition -----------------------------------------------------------------------------------


async def test_restart_runs_an_action_and_what_depends_on_it_again_later() -> None:
    run = Invoked(automation(action("buy", "now()"), action("again", "restart('buy', 100)", "buy")))

    outcome = await run.invoke(now=1_000.0)
    assert outcome.next_due_at == 1_100.0
    assert run.completed == []

    outcome = await run.invoke(now=1_103.0, scheduled_to=1_100.0)
    assert outcome.next_due_at == 1_200.0
    assert run.action("buy")["previous_execution_result"] == 1_103.0


async def test_an_action_that_restarts_what_it_does_not_depend_on_waits_with_it() -> None:
    run = Invoked(automation(action("buy", "now()"), action("again", "restart('buy', 100)")))

    await run.invoke(now=1_000.0)
    outcome = await run.invoke(now=1_001.0)

    assert outcome.executed_count == 0
    assert outcome.next_due_at == 1_100.0


async def test_an_action_can_restart_another_when_it_completes() -> None:
    last = action("b", "2", "a", reset_target_action_id="a", reset_after=60)
    run = Invoked(automation(action("a", "1"), last))

    outcome = await run.invoke(now=NOW)

    assert outcome.next_due_at == NOW + 60
    assert run.completed == []


async def test_an_action_that_fails_restarts_nothing() -> None:
    run = Invoked(automation(action("a", "1"), action("b", "1/0", "a", reset_target_action_id="a")))

    outcome = await run.invoke()

    assert outcome.status is InvocationStatus.FINISHED


async def test_a_restart_of_an_unknown_action_is_an_error_that_names_the_known_ones() -> None:
    run = Invoked(automation(action("a", "restart('b')")))

    await run.invoke()

    assert run.statuses == ["invalid_config"]
    assert "cannot restart 'b': no such action; there are a" in run.action("a")["error_message"]


async def test_a_schedule_runs_the_whole_dag_again_on_its_ticks() -> None:
    run = Invoked(automation(action("a", "1"), action("b", "$a", "a"), schedule={"every": 100, "max": 3}))

    assert (await run.invoke(now=1_000.0)).next_due_at == 1_100.0
    assert (await run.invoke(now=1_100.0)).next_due_at == 1_200.0
    outcome = await run.invoke(now=1_200.0)

    assert outcome.status is InvocationStatus.FINISHED
    assert outcome.executed_count == 2


async def test_a_forced_invocation_does_not_skip_the_delay_of_a_schedule() -> None:
    run = Invoked(automation(action("a", "1"), schedule={"every": 100}))
    await run.invoke(now=1_000.0)

    outcome = await run.invoke(now=1_010.0, trigger=FORCED)

    assert outcome.executed_count == 0
    assert outcome.next_due_at == 1_100.0


# --- bootstrap ------------------------------------------------------------------------------------


def configure(name: str = "init", **config: object) -> dict:
    return {"id": name, "action": "apply_configuration", "config": config}


async def test_the_first_run_sets_the_account_up_and_nothing_else() -> None:
    details = {
        "exchange_details": {"internal_name": "binance"},
        "portfolio": {"content": [{"asset": "USDT", "total": "1000"}]},
    }
    run = Invoked(automation(configure(exchange_account_details=details), action("a", "1")))

    outcome = await run.invoke(now=NOW)

    assert run.completed == ["init"]
    assert outcome.next_due_at == NOW
    assert run.state["exchange_account_details"]["exchange_details"]["internal_name"] == "binance"


async def test_two_configurations_on_the_first_run_are_refused() -> None:
    with pytest.raises(InitializationRunFailedError, match="'one', 'two'"):
        await Invoked(automation(configure("one"), configure("two"))).invoke()


async def test_an_account_that_is_still_missing_is_refused_if_the_dag_needs_one() -> None:
    with pytest.raises(InitializationRunFailedError, match="'a' needs an exchange account"):
        await Invoked(automation(configure(), action("a", "total('BTC')"))).invoke()


async def test_an_automation_without_exchange_needs_no_account() -> None:
    run = Invoked(automation(configure(automation={"metadata": {"name": "n"}}), action("a", "1")))

    await run.invoke()
    await run.invoke()

    assert run.completed == ["init", "a"]
    assert run.state["automation"]["metadata"]["name"] == "n"


async def test_a_configuration_with_unknown_keys_is_refused() -> None:
    with pytest.raises(InitializationRunFailedError, match=r"cannot set automation\.execution"):
        await Invoked(automation(configure(automation={"execution": {}}))).invoke()


async def test_an_unknown_configured_action_ends_with_its_status() -> None:
    run = Invoked(automation({"id": "a", "action": "make_money"}))

    await run.invoke()

    assert run.statuses == ["unsupported_action_type"]


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
