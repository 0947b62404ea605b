"""Histories of every released version still replay: a deploy does not stall what is running."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from connection import plugin
from workflows.automation import Automation

RECORDED = Path(__file__).parents[1] / "replay"
HISTORIES = sorted(RECORDED.glob("*/*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    """A history as it was recorded."""
    return WorkflowHistory.from_json(request.param.stem, request.param.read_text())


async def test_a_recorded_history_replays(history: WorkflowHistory) -> None:
    await Replayer(workflows=[Automation], plugins=[plugin()]).replay_workflow(history)


def test_there_are_histories_to_replay() -> None:
    assert HISTORIES
