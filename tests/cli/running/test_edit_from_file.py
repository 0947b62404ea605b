"""`octoflow edit` compares a file with what runs, and sends the difference only."""

from __future__ import annotations

import pytest

from cli.running.edit_from_file import Edit, print_edit
from engine.automation_file.compile import load_automation
from engine.job.edit import EditError
from engine.state import AutomationState, load_state
from tests.support.builders import Invoked, action, automation

RUNNING = (action("a", "1"), action("b", "$a + 1", "a"), action("w", "wait(60)"), action("old", "5"))

FILE = """
name: bot
symbol: BTC/USDT
actions:
  a: "100"
  b: {run: $a + 1, after: a}
  w: wait(60)
  new: $b * 2
"""


@pytest.fixture
async def running() -> AutomationState:
    run = Invoked(automation(*RUNNING))
    await run.invoke()
    return load_state(run.state)


async def test_only_the_difference_is_sent(running: AutomationState) -> None:
    request = Edit.towards(load_automation(FILE), running, ()).request(())

    assert [one["id"] for one in request.upsert] == ["a", "new"]
    assert (request.remove, request.restart) == (["old"], [])


async def test_people_see_what_changes_what_is_kept_and_what_is_not_applied(
    running: AutomationState, capsys: pytest.CaptureFixture[str]
) -> None:
    print_edit("bot", Edit.towards(load_automation(FILE), running, ()), "running")
    lines = capsys.readouterr().out.splitlines()

    assert [line.split() for line in lines[2:6]] == [
        ["~", "a", "100", "changed,", "finished:", "keeps", "its", "result"],
        ["+", "new", "$b", "*", "2", "new"],
        ["-", "old", "5", "removed"],
        ["bot", "was", "changed;", "it", "is", "running."],
    ]
    assert "changes actions only: symbol" in lines[6]


async def test_a_restart_is_shown_with_all_that_follows(
    running: AutomationState, capsys: pytest.CaptureFixture[str]
) -> None:
    print_edit("bot", Edit.towards(load_automation(FILE), running, ["a"]), None)
    shown = capsys.readouterr().out

    assert "changed, runs again" in shown
    assert "↻" in shown
    assert "this is a dry run" in shown


async def test_a_file_that_says_what_runs_changes_nothing(running: AutomationState) -> None:
    same = "name: bot\nactions: {a: '1', b: {run: $a + 1, after: a}, w: wait(60), old: '5'}\n"
    assert not Edit.towards(load_automation(same), running, ()).changes_something


async def test_what_cannot_be_done_is_refused_before_it_is_sent(running: AutomationState) -> None:
    with pytest.raises(EditError, match="no action 'ghost' to restart"):
        Edit.towards(load_automation(FILE), running, ["ghost"])
