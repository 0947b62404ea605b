"""People see what an automation does: marks, results in words, and the news between two looks."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from cli.output import duration, moment
from cli.reports import Snapshot, changes, next_run, render
from tests.support.builders import NOW, action, automation
from workflows.messages import StatusReport

TRADE = {
    "id": "t1", "symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "0.01",
    "price": "40000", "cost": "400", "timestamp": NOW,
}  # fmt: skip

WAITING = action("buy", "market('buy', 'BTC/USDT', '10%')", not_before=NOW + 60)
DONE = action("buy", "market('buy', 'BTC/USDT', '10%')", executed_at=NOW, result={"created_orders": []})
FAILED = action(
    "buy", "1/0", executed_at=NOW, error_status="dsl_execution_error", error_message="division by zero"
)


def snapshot(*actions: dict[str, Any], status: Any = "running", trades: Any = (), **report: Any) -> Snapshot:
    elements = {
        "portfolio": {"content": {"USDT": {"total": "600.00", "available": "600"}}},
        "trades": list(trades),
    }
    state = automation(*actions, exchange_account_elements=elements)
    return Snapshot.of("bot", StatusReport(status=status, **report), state)


def drawn(shown: Snapshot) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(render(shown))
    return capture.get()


def test_the_picture_shows_actions_trades_and_portfolio() -> None:
    text = drawn(snapshot(FAILED, action("sell", "wait(5)", "buy"), trades=[TRADE], iteration=3))
    for shown in ("✗", "division by zero", "· ", "sell", "BTC/USDT", "40000", "USDT", "600", "iteration 3"):
        assert shown in text


def intent(status: str) -> dict[str, Any]:
    order = {
        "id": "",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "amount": "0.1",
        "price": "49000",
    }
    place = {"action_id": "buy", "call_site": "0", "leg": "0", "kind": "create_order"}
    return {"key": f"key-{status}", **place, "params": order, "planned_at": NOW, "status": status}


def with_effects(*statuses: str, **execution: Any) -> Snapshot:
    effects = [intent(status) for status in statuses]
    state = automation(WAITING, execution={"pending_effects": effects, **execution})
    return Snapshot.of("bot", StatusReport(status="running"), state)


def test_effects_under_way_are_shown_with_what_a_person_can_do() -> None:
    text = drawn(with_effects("tried", "unresolved"))
    for shown in ("key-tried", "limit buy 0.1 BTC/USDT at 49000", "octoflow resolve bot KEY"):
        assert shown in text
    assert "octoflow approve" not in text
    assert "octoflow approve bot" in drawn(with_effects("awaiting_approval"))


def test_an_action_that_planned_effects_waits_for_them_and_not_for_a_time() -> None:
    recalled = {"keyword": "market", "last_execution_result": {"intents": ["key"]}}
    planned = {**WAITING, "suspension": {"operator_state": {"ReCallingOperatorResult": recalled}}}
    text = drawn(snapshot(planned))
    assert "for its effects" in text
    assert "until" not in text


def test_what_needs_a_person_is_news_once() -> None:
    planned, unresolved = with_effects("planned"), with_effects("unresolved")
    assert changes(planned, planned) == changes(unresolved, unresolved) == []
    (line,) = changes(planned, unresolved)
    assert line.strip() == "! buy: limit buy 0.1 BTC/USDT at 49000: unresolved, key key-unresolved"


def test_a_degraded_automation_tells_since_when_and_how_often() -> None:
    degraded = {"since": NOW, "reason": "maintenance", "error": "closed", "count": 3}
    assert "3 times in a row since 2023-11-14 22:13:20 UTC" in drawn(with_effects(degraded_state=degraded))


def test_exits_that_wait_for_their_price_are_told_from_open_orders() -> None:
    stop = {
        "id": "1",
        "symbol": "BTC/USDT",
        "side": "sell",
        "type": "stop_loss",
        "amount": "1",
        "stop_price": "4",
    }
    elements = {"orders": {"inactive_orders": [stop]}}
    state = automation(WAITING, exchange_account_elements=elements)
    text = drawn(Snapshot.of("bot", StatusReport(status="running"), state))
    assert "Exits that wait for their price" in text
    assert "Open orders" not in text


def test_markup_in_a_script_is_shown_as_it_is() -> None:
    assert "[red]" in drawn(snapshot(action("a", "'[red]'")))


def test_only_news_is_told() -> None:
    first = snapshot(WAITING)
    second = snapshot(DONE, trades=[TRADE])
    assert changes(first, first) == []
    assert changes(first, second) == [
        "2023-11-14 22:13:20  ✓ buy: no order",
        "2023-11-14 22:13:20  $ bought 0.01 BTC/USDT at 40000",
    ]
    assert changes(second, second) == []


def test_a_wait_is_told_once_with_its_end_and_not_again_when_it_goes_on() -> None:
    later = snapshot(action("buy", "wait(5)", not_before=NOW + 120))
    told = changes(snapshot(action("buy", "wait(5)")), snapshot(WAITING))
    assert [line.strip() for line in told] == ["… buy waits until 2023-11-14 22:14:20"]
    assert changes(snapshot(WAITING), later) == []


def test_an_action_that_ran_again_is_news_again() -> None:
    again = snapshot({**DONE, "executed_at": NOW + 60})
    assert changes(snapshot(DONE), again) == ["2023-11-14 22:14:20  ✓ buy: no order"]


def test_a_new_status_is_told_with_its_reason() -> None:
    told = changes(snapshot(DONE), snapshot(DONE, status="needs_attention", reason="no such market"))
    assert [line.strip() for line in told] == ["needs attention: no such market"]


def test_the_next_run_is_told_in_market_time_and_in_real_time() -> None:
    report = StatusReport(status="running", due_at=NOW, wake_at=105.0)
    assert next_run(report, now=100.0) == "2023-11-14 22:13:20 UTC, in 5.0s"
    assert next_run(report, now=106.0) == "2023-11-14 22:13:20 UTC, now"
    assert next_run(StatusReport(status="finished")) == "none"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0.0s"), (0.44, "0.4s"), (12, "12s"), (75, "1m 15s"), (3600, "1h"), (187_200, "2d 4h")],
)
def test_durations_are_told_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_moment_that_is_not_known_is_a_dash() -> None:
    assert moment(None) == "-"
