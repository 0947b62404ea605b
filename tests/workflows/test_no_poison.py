"""Nothing that is sent makes an automation unreachable: every handler with everything that may come."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from temporalio import workflow

from tests.support.driven import Driven, Raw, edited
from tests.workflows.message_tables import MESSAGES
from workflows.automation import Automation
from workflows.messages import InvocationResult, RunInvocation

DEFINITION = workflow._Definition.must_from_class(Automation)
HANDLERS = sorted(filter(None, [*DEFINITION.updates, *DEFINITION.signals]))
QUERIES = sorted(filter(None, DEFINITION.queries))

FIELDS = ("keys", "key", "reason", "placed", "actions", "upsert", "remove", "restart", "cancel_open_orders")
WRONG: dict[str, Any] = {
    "null": None,
    "a text": "yes",
    "a number": 1e300,
    "true": True,
    "a list": [],
    "an unknown field": {"misspelt": 1},
    "half a right one": {"actions": [{"id": "a", "dsl_script": 5, "deeper": {"x": [1, None]}}]},
}
VALUES: list[Any] = [None, 5, "x", [], [None], {}]
FIELD_BY_FIELD = {
    f"{field}: {value!r}": Raw((json.dumps({field: value}).encode(),)) for field in FIELDS for value in VALUES
}
RAW = {
    "none": Raw(()),
    "two": Raw((b"{}", b"{}")),
    "nested": Raw((b'{"actions":' + b"[" * 100 + b"]" * 100 + b"}",)),
    "nested without end": Raw((b"[" * 100_000 + b"]" * 100_000,)),
    "huge": Raw((json.dumps({"actions": [{"id": "a", "dsl_script": "1" * 1_000_000}]}).encode(),)),
    "no number": Raw((b'{"actions": [{"id": "a", "dsl_script": "1", "reset_after": NaN}]}',)),
    "infinity": Raw((b'{"upsert": [{"id": "a", "reset_after": Infinity}]}',)),
    "half a character": Raw((b'{"actions": [{"id": "a", "dsl_script": "\\ud800"}]}',)),
    "no JSON": Raw((b"{",)),
    "no text": Raw((b"\xff\xfe",)),
    **{name: Raw((json.dumps(value).encode(),)) for name, value in WRONG.items()},
}


def due_tomorrow(request: RunInvocation) -> InvocationResult:
    count = request.state.get("count", 0) + 1
    at = request.woken_at + 86_400
    return InvocationResult(
        state={**request.state, "count": count}, status="running", iteration=count, due_at=at, wake_at=at
    )


def started(driven: Driven) -> None:
    driven.start()


def waiting(driven: Driven) -> None:
    driven.start()
    driven.complete(due_tomorrow(driven.requests[-1]))


def paused(driven: Driven) -> None:
    waiting(driven)
    driven.send("pause")


def settle(driven: Driven) -> None:
    """Let every invocation that is wanted happen."""
    for _ in range(10):
        while driven.under_way:
            activity = driven.under_way[0].request
            if isinstance(activity, RunInvocation):
                driven.complete(due_tomorrow(activity))
            else:
                driven.complete(edited(activity))
        if not driven.fires_soon:
            return
        driven.fire()


EVERYTHING = [
    *(
        pytest.param(moment, content, id=f"{moment.__name__}-{name}")
        for name, content in RAW.items()
        for moment in (started, waiting, paused)
    ),
    *(pytest.param(waiting, content, id=name) for name, content in FIELD_BY_FIELD.items()),
]


@pytest.mark.parametrize(("moment", "content"), EVERYTHING)
@pytest.mark.parametrize("handler", HANDLERS)
def test_whatever_comes_the_automation_can_be_asked_and_stopped(
    handler: str, moment: Callable[[Driven], None], content: Raw
) -> None:
    with Driven() as driven:
        moment(driven)
        sent = driven.send(handler, content)
        settle(driven)

        for query in QUERIES:
            assert driven.query(query) is not None
        if driven.result is None:
            assert sent.answered or handler in {*DEFINITION.signals, "stop", "execute", "trigger"}, sent
            driven.send("stop", MESSAGES["stop"])
            settle(driven)
        assert driven.result is not None
        assert driven.result.summary.status == "stopped"


@pytest.mark.parametrize("handler", sorted(filter(None, DEFINITION.updates)))
def test_what_is_refused_is_refused_before_it_enters_history_and_says_why(handler: str) -> None:
    with Driven() as driven:
        waiting(driven)
        for value in (b'{"misspelt": 1}', b'"a text"'):
            sent = driven.send(handler, Raw((value,)))
            assert not sent.accepted
            assert handler in (sent.error or "")


def test_the_field_is_named() -> None:
    with Driven() as driven:
        waiting(driven)
        sent = driven.send("stop", Raw((b'{"cancel_open_orders": "perhaps"}',)))
        assert "stop: cancel_open_orders:" in (sent.error or "")


def test_a_malformed_signal_is_noted_and_dropped() -> None:
    with Driven() as driven:
        waiting(driven)
        driven.send("trading_signal", Raw((b'"buy"',)))
        assert driven.query("status")["dropped_signals"] == 1
        assert "expected one object, got a text" in driven.query("status")["dropped_why"]
        assert not driven.under_way
