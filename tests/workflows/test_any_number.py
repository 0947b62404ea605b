"""No number stalls a workflow: every time that it is given, in settings, results and failures."""

from __future__ import annotations

import math
from typing import Any

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from tests.support.driven import Driven
from tests.support.temporal import ONE_ATTEMPT
from workflows.automation import Automation
from workflows.messages import InvocationResult, StopRequest, WorkflowSettings

NUMBERS = [0, 1e-9, -1, -1e12, 1e10, 1e12, 1e300, math.inf, -math.inf, math.nan]
QUERIES = sorted(filter(None, workflow._Definition.must_from_class(Automation).queries))


def numeric(model: type[Any]) -> list[str]:
    """The fields of a model that are numbers, or may be."""
    return [
        name
        for name, field in model.model_fields.items()
        if "float" in str(field.annotation) or field.annotation is int
    ]


def ask_and_stop(driven: Driven) -> None:
    """Whatever came before: each query is answered, and a stop ends it."""
    for query in QUERIES:
        assert driven.query(query) is not None
    if driven.result is None:
        driven.send("stop", StopRequest())
        for _ in range(5):
            while driven.under_way:
                driven.complete(InvocationResult(state={}, status="stopped"))
            if driven.result is None and driven.timer is not None:
                driven.fire()
    assert driven.result is not None


def due(at: float) -> InvocationResult:
    """The result of an invocation behind which the next one is due at an instant."""
    return InvocationResult(state={}, status="running", due_at=at, wake_at=at, woken_at=1.7e9)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("status", ["running", "postponed"])
@pytest.mark.parametrize("field", numeric(InvocationResult))
def test_an_automation_goes_on_whatever_number_a_result_has(field: str, status: str, number: float) -> None:
    if field in ("iteration", "outcome_size", "pending_effects", "sent_effects", "open_orders"):
        number = int(number) if math.isfinite(number) and abs(number) < 1e15 else 10**15
    result = InvocationResult(state={"a": 1}, status="running", due_at=2e9, wake_at=2e9, woken_at=1.7e9)
    with Driven(settings=ONE_ATTEMPT.model_copy(update={"search_attributes": True})) as driven:
        driven.start()
        driven.complete(result.model_copy(update={field: number, "status": status}))
        for name in ("pause", "resume", "trigger"):
            driven.send(name)
        while driven.under_way:
            driven.complete(result)
        if driven.timer is not None:
            driven.fire()
        ask_and_stop(driven)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", numeric(WorkflowSettings))
def test_an_automation_runs_with_whatever_number_its_settings_have(field: str, number: float) -> None:
    if field in ("attempts", "continue_as_new_after"):
        number = int(number) if math.isfinite(number) and abs(number) < 1e15 else 10**15
        if field == "continue_as_new_after" and number <= 3:
            return  # a run of no events cannot be
    with Driven(settings=ONE_ATTEMPT.model_copy(update={field: number})) as driven:
        driven.start()
        driven.complete(ApplicationError("no answer", type="RetryableError"))
        if driven.timer is not None:
            driven.fire()
        while driven.under_way:
            driven.complete(
                InvocationResult(state={}, status="running", due_at=9e9, wake_at=9e9, woken_at=1.7e9)
            )
        ask_and_stop(driven)


def test_what_is_due_in_a_century_waits_for_one_timer_after_the_other() -> None:
    with Driven() as driven:
        driven.start()
        at = driven.now + 100 * 86_400
        driven.complete(
            InvocationResult(state={}, status="running", due_at=at, wake_at=at, woken_at=driven.now)
        )
        for _ in range(3):
            driven.fire()
            assert not driven.under_way
        driven.fire()
        assert driven.under_way
        assert driven.now >= at
