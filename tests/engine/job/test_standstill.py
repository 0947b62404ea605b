"""Nothing spins: what is due at once again and again while nothing changes asks for a person."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.job.standstill import MOST
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, action, automation

SPINNING = {
    "a condition that never holds": automation(action("a", "loop_until(False, 0)")),
    "a tiny interval": automation(action("a", "loop_until(False, 1e-9)")),
    "a restart at once": automation(action("a", "1"), action("b", "$a", reset_target_action_id="a")),
    "a restart at once, by itself": automation(action("a", "restart('a')")),
    "values that change": automation(action("a", "now()"), action("b", "$a", reset_target_action_id="a")),
    "a repetition without a pause": automation(action("a", "1"), schedule={"every": 1e-9}),
    "no wait at all": automation(action("a", "wait(0)"), action("b", "restart('a')", "a")),
}


async def spin(state: dict[str, Any], step: float) -> tuple[Invoked, str, int, float]:
    """Invoke an automation whenever it is due, until it is refused; `step` is what an invocation takes."""
    run, now = Invoked(state), NOW
    for count in range(3 * MOST):
        try:
            outcome = await run.invoke(now=now)
        except ConfigurationError as refusal:
            return run, refusal.code, count, now
        assert outcome.next_due_at is not None
        now = max(now + step, outcome.next_due_at)
    raise AssertionError("it spins for ever")


@pytest.mark.parametrize("state", SPINNING.values(), ids=SPINNING.keys())
@pytest.mark.parametrize("step", [0, 0.02], ids=["a recorded clock", "a real clock"])
async def test_what_spins_needs_attention(state: dict[str, Any], step: float) -> None:
    run, code, count, now = await spin(state, step)

    assert code == "spinning"
    assert count <= 2 * MOST
    await run.invoke(now=now + 3_600)  # whoever sends it on gets another try


async def test_an_edit_or_a_message_is_another_try() -> None:
    run, _, _, now = await spin(automation(action("a", "loop_until(False, 0)")), 0)
    run.action("a")["dsl_script"] = "1"

    await run.invoke(now=now, trigger=TriggerReason.MESSAGE)

    assert run.result("a") == 1


async def test_many_steps_at_once_that_change_something_are_no_standstill() -> None:
    actions = [action("n0", "wait(0.001)")]
    actions += [action(f"n{number}", "wait(0.001)", f"n{number - 1}") for number in range(1, 150)]
    run, now = Invoked(automation(*actions)), NOW
    for _ in range(400):
        outcome = await run.invoke(now=now)
        if outcome.next_due_at is None:
            break
        now = outcome.next_due_at

    assert len(run.completed) == 150
