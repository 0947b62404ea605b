"""What a person may decide about planned effects."""

from __future__ import annotations

from typing import Any

import pytest

from engine.effects.intents import Refusal
from engine.errors import ActionStatus, ConfigurationError
from engine.live.guard.decisions import decide
from tests.support.intents import create, order, tried, unresolved

AWAITING: dict[str, Any] = {"status": "awaiting_approval"}


def test_an_approved_effect_may_be_sent() -> None:
    decided = decide([create(order("a"), **AWAITING), create(order("b"), **AWAITING)], approved=["b"])

    assert [(left.key, left.status) for left in decided.pending] == [
        ("a", "awaiting_approval"),
        ("b", "planned"),
    ]


def test_a_rejected_effect_is_refused_with_the_reason() -> None:
    decided = decide([create(**AWAITING)], rejected={"k1": "too risky"})

    assert decided.pending == []
    assert decided.settled[0].outcome == Refusal(ActionStatus.REJECTED_BY_USER, "too risky")


def test_what_a_person_knows_of_an_effect_is_left_to_the_guard() -> None:
    decided = decide([create(**unresolved())], resolved=["k1"])

    assert (decided.pending, decided.settled) == ([create(**unresolved())], [])


@pytest.mark.parametrize(
    ("decision", "there"),
    [
        ({"approved": ["x"]}, "awaiting approval has the key x; there are a"),
        ({"approved": ["t"]}, "awaiting approval has the key t; there are a"),
        ({"rejected": {"x": "no"}}, "awaiting approval has the key x; there are a"),
        ({"resolved": ["t"]}, "unresolved has the key t; there are u"),
    ],
)
def test_a_decision_about_an_effect_that_does_not_wait_for_it_is_refused(
    decision: dict[str, Any], there: str
) -> None:
    intents = [
        create(order("a"), **AWAITING),
        create(order("t"), **tried()),
        create(order("u"), **unresolved()),
    ]

    with pytest.raises(ConfigurationError, match=there) as refused:
        decide(intents, **decision)
    assert refused.value.code == "unknown_intent"


def test_an_error_says_when_nothing_waits_for_a_decision() -> None:
    with pytest.raises(ConfigurationError, match="there is none"):
        decide([create()], approved=["k1"])
