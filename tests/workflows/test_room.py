"""Messages that control an automation always get through, whoever waits."""

from __future__ import annotations

import pytest

from tests.support.driven import Driven
from tests.workflows.message_tables import MESSAGES
from workflows.automation import MAX_WAITING
from workflows.messages import InvocationResult, StopRequest


def due(at: float) -> InvocationResult:
    """The result of an invocation behind which the next one is due at an instant."""
    return InvocationResult(state={}, status="running", due_at=at, wake_at=at, woken_at=1.7e9)


@pytest.mark.parametrize("crowd", ["execute", "trigger", "approve", "edit"])
def test_whoever_waits_leaves_room_for_control(crowd: str) -> None:
    with Driven() as driven:
        driven.start()
        sent = [driven.send(crowd, MESSAGES[crowd]) for _ in range(20)]

        assert sum(one.accepted for one in sent) == MAX_WAITING
        assert all("again in a moment" in (one.error or "") for one in sent if not one.accepted)
        for name in ("pause", "resume"):
            assert driven.send(name).answered
        stop = driven.send("stop", StopRequest())
        assert stop.accepted
        driven.complete(InvocationResult(state={}, status="running"))
        assert stop.answered


def test_a_trigger_in_a_pause_is_answered_at_once_and_runs_when_it_ends() -> None:
    with Driven() as driven:
        driven.start()
        at = driven.now + 86_400
        driven.complete(
            InvocationResult(state={}, status="running", due_at=at, wake_at=at, woken_at=driven.now)
        )
        driven.send("pause")
        for _ in range(20):
            assert driven.send("trigger").answer["status"] == "paused"
        assert not driven.under_way
        driven.send("resume")
        assert len(driven.under_way) == 1
        assert driven.requests[-1].trigger == "forced"
