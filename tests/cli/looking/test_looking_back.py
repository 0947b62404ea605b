"""`octoflow history` tells what the newest invocations did, a line each."""

from __future__ import annotations

from typing import Any

from cli.looking.looking_back import history_rows
from engine.job.outcome import InvocationOutcome, InvocationStatus
from tests.support.builders import NOW, Invoked, action, automation, scripts


def row(status: InvocationStatus = InvocationStatus.RUNNING, **outcome: Any) -> tuple[str, ...]:
    (cells,) = history_rows([InvocationOutcome(status=status, **{"iteration": 7, "at": NOW, **outcome})])
    return cells


async def test_an_invocation_is_told_with_what_ran_and_when_the_next_is_due() -> None:
    outcome = await Invoked(scripts("1 + 1", "wait(60)")).invoke()
    (cells,) = history_rows([outcome])

    assert cells == ("1", "2023-11-14 22:13:20", "a0, a1 …", "-", "-", "2023-11-14 22:14:20")


async def test_errors_are_named_with_their_actions() -> None:
    outcome = await Invoked(automation(action("buy", "error('not_enough_funds', 'Add funds')"))).invoke()
    (cells,) = history_rows([outcome])

    assert cells[2:] == ("buy", "buy: not_enough_funds", "-", "none, finished")


def test_effects_are_counted_over_all_actions() -> None:
    executed = [{"id": f"a{number}", "status": "ok", "effects": number} for number in range(3)]
    assert row(executed=executed, executed_count=3)[4] == "3"


def test_long_lists_are_cut_and_counted() -> None:
    executed = [{"id": f"a{number}", "status": "ok"} for number in range(50)]
    assert row(executed=executed, executed_count=900)[2] == "a0, a1, a2, a3, a4, 895 more"


def test_a_postponed_invocation_says_why_nothing_ran() -> None:
    cells = row(InvocationStatus.POSTPONED, notes=["maintenance: until noon"], next_due_at=NOW)
    assert (cells[2], cells[5]) == ("maintenance: until noon", "2023-11-14 22:13:20, postponed")


def test_an_invocation_in_which_nothing_was_due_is_a_dash() -> None:
    assert row(next_due_at=NOW)[2] == "-"
