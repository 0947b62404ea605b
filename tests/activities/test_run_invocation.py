"""The activity: state in, state out, with the engine's errors as Temporal's."""

from __future__ import annotations

import gc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.invocation import InvocationActivities
from activities.sizes import encoded_size
from engine.errors import PostponedError, RetryableError
from engine.job.services import MAX_STATE_BYTES, Services
from engine.market.market_protocols import MarketSource
from engine.market.sources import open_source
from engine.masking import MaskingFilter, register
from engine.state import ExchangeDetails
from tests.support.builders import NOW, action, automation, paper, scripts
from workflows.messages import InvocationResult, Json, RunInvocation
from workflows.search_attributes import EXCHANGE, SYMBOLS

FOUR_HOURS = 4 * 3600
START = 1_706_000_400.0  # inside the sample market and the recorded real one


async def run(
    state: Json, activities: InvocationActivities | None = None, **request: Any
) -> InvocationResult:
    """Run one invocation in an activity of its own."""
    chosen = activities or InvocationActivities()
    fields = {"state": state, "run_key": "automation/run", "woken_at": NOW, **request}
    return await ActivityEnvironment().run(chosen.run_invocation, RunInvocation(**fields))


def failing(error: Exception) -> InvocationActivities:
    """Activities whose market raises an error as soon as it is opened."""

    def fail(details: ExchangeDetails) -> MarketSource:
        raise error

    return InvocationActivities(Services(market_source=fail))


def on_recorded_market(market: Path, *scripts_of_actions: str, **recorded: Any) -> Json:
    """A paper account on a recorded market."""
    actions = [action(f"a{number}", script) for number, script in enumerate(scripts_of_actions)]
    state = automation(*actions, defaults={"symbol": "BTC/USDT", "time_frame": "4h"})
    return paper(state, {"USDT": 1000}, recorded={"folder": str(market), "start": START, **recorded})


async def test_an_invocation_executes_actions_and_says_when_the_next_is_due() -> None:
    result = await run(scripts("1 + 1", "wait(60)"))

    assert result.state["automation"]["actions_dag"]["actions"][0]["result"] == 2
    assert (result.status, result.iteration) == ("running", 1)
    assert result.due_at == result.wake_at == NOW + 60
    assert result.outcome["executed_count"] == 2
    assert result.view.next_actions == "a1"


async def test_an_automation_is_named_once_for_ever() -> None:
    first = await run(scripts("wait(60)"))
    second = await run(first.state, run_key="automation/another-run", woken_at=NOW + 60)

    assert second.state["automation"]["metadata"]["run_key"] == "automation/run"


async def test_timers_of_a_recorded_market_run_at_its_speed(market_data: Path) -> None:
    first = await run(on_recorded_market(market_data, "wait(7200)", speed=3600))
    assert first.clock is not None
    assert (first.clock.real, first.clock.market) == (NOW, START)
    assert (first.due_at, first.wake_at) == (START + 7200, NOW + 2)

    late = await run(first.state, woken_at=NOW + 500, due_at=first.due_at, clock=first.clock)
    assert late.clock is not None
    assert late.clock.market == START + 7200
    assert late.status == "finished"


async def test_priority_actions_are_answered_with_value_error_or_due_time() -> None:
    actions = [action("value", "1 + 1"), action("error", "1 / 0"), action("wait", "wait(60)")]
    result = await run(scripts("wait(600)"), trigger="message", priority_actions=actions)

    assert result.answers["value"].value == 2
    assert result.answers["error"].error_status == "dsl_execution_error"
    assert result.answers["wait"].due_at == NOW + 60


async def test_a_priority_action_that_waited_is_answered_when_it_ends() -> None:
    first = await run(scripts("wait(600)"), priority_actions=[action("late", "[wait(60), 7]")])
    second = await run(first.state, woken_at=NOW + 60, due_at=NOW + 60)

    assert second.answers["late"].value == [None, 7]


async def test_priority_actions_that_were_executed_before_fail_their_message() -> None:
    first = await run(scripts("wait(600)"), priority_actions=[action("once", "1")])
    with pytest.raises(ApplicationError) as caught:
        await run(first.state, priority_actions=[action("once", "1")])

    assert caught.value.type == "PendingPriorityActionsSkippedError"
    assert caught.value.non_retryable


async def test_stopping_cancels_the_open_orders(market_data: Path) -> None:
    ladder = on_recorded_market(market_data, "limit('buy', 'BTC/USDT', '10%', '-30%')", "wait(9000)")
    placed = await run(ladder)
    assert len(placed.state["automation"]["exchange_account_elements"]["orders"]["open_orders"]) == 1

    stopped = await run(placed.state, trigger="message", clock=placed.clock, cancel_open_orders=True)
    assert not stopped.state["automation"]["exchange_account_elements"].get("orders", {}).get("open_orders")


async def test_a_stop_runs_nothing_and_is_over_where_nothing_is_under_way() -> None:
    placed = await run(scripts("wait(600)"))
    stopped = await run(placed.state, trigger="message", stopping=True, woken_at=NOW + 900)

    assert stopped.status == "stopped"
    assert stopped.state["automation"]["actions_dag"] == placed.state["automation"]["actions_dag"]


async def test_a_wrong_state_asks_for_a_person() -> None:
    with pytest.raises(ApplicationError) as caught:
        await run({**scripts("1"), "schema_version": 99})

    assert caught.value.type == "SchemaVersionError"
    assert caught.value.details == ({"code": "newer_schema"},)
    assert caught.value.non_retryable


async def test_a_state_that_is_too_large_is_refused_before_anything_happens() -> None:
    large = scripts("1")
    large["automation"]["actions_dag"]["actions"][0]["previous_execution_result"] = "x" * 1_000_000
    with pytest.raises(ApplicationError, match="more than 1,000,000") as caught:
        await run(large, failing(AssertionError("the engine acted")))

    assert caught.value.details == ({"code": "state_too_large"},)


async def test_results_that_do_not_fit_the_state_are_given_up_instead_of_what_the_invocation_did() -> None:
    large = scripts("wait(600)")
    large["automation"]["actions_dag"]["actions"][0]["previous_execution_result"] = "x" * 979_000
    actions = [action("big", f"'{'y' * 12_000}'"), action("small", "7")]
    result = await run(large, trigger="message", priority_actions=actions)

    assert encoded_size(result.state) <= MAX_STATE_BYTES
    assert result.answers["big"].error_status == "limit_exceeded"
    assert "does not fit" in (result.answers["big"].error or "")
    assert result.answers["small"].value == 7
    assert "too large with the results of big" in result.outcome["notes"][-1]


async def test_a_result_tells_which_effects_and_orders_the_state_has(market_data: Path) -> None:
    ladder = on_recorded_market(market_data, "limit('buy', 'BTC/USDT', '10%', '-30%')", "wait(9000)")
    placed = await run(ladder)

    assert (placed.open_orders, placed.pending_effects, placed.sent_effects) == (1, 0, 0)


@pytest.mark.parametrize("place", ["account", "step"])
async def test_keys_in_a_state_need_encryption(place: str) -> None:
    account = {"exchange_details": {"internal_name": "binance"}, "auth_details": {"api_key": "canary"}}
    state = {
        "account": {**scripts("1"), "exchange_account_details": account},
        "step": automation(
            {"id": "set_up", "action": "apply_configuration", "config": {"exchange_account_details": account}}
        ),
    }[place]
    with pytest.raises(ApplicationError, match="OCTOFLOW_ENCRYPTION_KEY") as caught:
        await run(state, failing(AssertionError("the engine acted")))

    assert caught.value.details == ({"code": "inline_keys_need_encryption"},)
    assert "canary" not in caught.value.message


async def test_encrypted_keys_in_a_state_are_accepted_with_a_warning() -> None:
    account = {"auth_details": {"api_key": "canary"}}
    state = {**scripts("1"), "exchange_account_details": account}
    result = await run(state, InvocationActivities(encrypted=True))

    assert "`credentials: env:NAME`" in result.outcome["notes"][-1]


async def test_secrets_of_a_job_are_in_no_error(market_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(details: ExchangeDetails) -> MarketSource:
        register(["canary-key"])
        raise ValueError("refused: canary-key")

    caplog.handler.addFilter(MaskingFilter())
    with pytest.raises(ApplicationError) as caught:
        await run(
            on_recorded_market(market_data, "close[-1]"), InvocationActivities(Services(market_source=fail))
        )

    assert caught.value.message == "ValueError: refused: ***"
    assert "canary-key" not in caplog.text


async def test_a_rate_limit_is_retried_when_the_exchange_allows_it_and_alarms_nobody(
    market_data: Path,
) -> None:
    limited = failing(RetryableError("slow down", retry_after=7, code="rate_limited"))
    with pytest.raises(ApplicationError) as caught:
        await run(on_recorded_market(market_data, "close[-1]"), limited)

    assert not caught.value.non_retryable
    assert caught.value.next_retry_delay == timedelta(seconds=7)
    assert caught.value.category is ApplicationErrorCategory.BENIGN


async def test_an_unforeseen_error_is_retried_and_leaves_its_trace_in_the_log_only(
    market_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ApplicationError) as caught:
        await run(on_recorded_market(market_data, "close[-1]"), failing(ZeroDivisionError("oops")))

    assert not caught.value.non_retryable
    assert (caught.value.type, caught.value.message) == ("ZeroDivisionError", "ZeroDivisionError: oops")
    assert caught.value.__cause__ is None
    assert "Traceback" in caplog.text


async def test_a_postponed_invocation_keeps_the_state_and_says_why(market_data: Path) -> None:
    state = on_recorded_market(market_data, "close[-1]")
    result = await run(state, failing(PostponedError("under maintenance", reason="maintenance")))

    assert result.status == "postponed"
    assert result.reason == "maintenance: under maintenance"
    assert "executed_at" not in result.state["automation"]["actions_dag"]["actions"][0]
    assert result.due_at is not None
    assert result.due_at > START
    assert "Cannot do its work: maintenance" in result.view.details


async def test_search_attributes_are_named_only_for_servers_that_know_them(market_data: Path) -> None:
    state = on_recorded_market(market_data, "market('buy', 'ETH/USDT', '10%')")
    known = await run(state, InvocationActivities(search_attributes=True))
    unknown = await run(state)

    assert known.view.attributes == {EXCHANGE.name: "binance", SYMBOLS.name: ["BTC/USDT", "ETH/USDT"]}
    assert unknown.view.attributes is None


async def test_the_garbage_collector_rests_during_an_invocation(market_data: Path) -> None:
    enabled = []

    def look(details: ExchangeDetails) -> MarketSource:
        enabled.append(gc.isenabled())
        return open_source(details)

    await run(
        on_recorded_market(market_data, "close[-1]"), InvocationActivities(Services(market_source=look))
    )

    assert enabled == [False]
    assert gc.isenabled()
