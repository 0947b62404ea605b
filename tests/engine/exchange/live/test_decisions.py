"""What a person may decide about planned effects."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ActionStatus, ConfigurationError
from engine.exchange.effects import Applied, Cancelled, Dropped, Refusal, Sent
from engine.exchange.live.decisions import decide
from engine.types import OrderId, Symbol
from tests.support.intents import cancel, create, intent, order, tried, unresolved

AWAITING = {"status": "awaiting_approval"}


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


def test_an_order_that_a_person_found_is_left_to_the_guard_which_adopts_it() -> None:
    decided = decide([create(**unresolved())], resolved={"k1": True})

    assert (decided.pending, decided.found) == ([create(**unresolved())], {"k1"})


@pytest.mark.parametrize("one", [create(**unresolved()), cancel("1", key="k1", **unresolved())])
def test_an_effect_that_a_person_did_not_find_is_dropped(one: Any) -> None:
    decided = decide([one], resolved={"k1": False})

    assert (decided.pending, decided.settled[0].outcome) == ([], Dropped())


def test_other_effects_that_a_person_found_have_happened() -> None:
    transaction = {"txid": "w", "kind": "withdrawal", "asset": "USDT", "amount": "1"}
    decided = decide(
        [
            cancel("9", key="c", **unresolved()),
            intent("set_leverage", {"symbol": "BTC/USDT", "leverage": "2"}, key="l", **unresolved()),
            intent("withdraw", transaction, key="w", **unresolved()),
        ],
        resolved={"c": True, "l": True, "w": True},
    )

    cancelled, applied, sent = (settled.outcome for settled in decided.settled)
    assert cancelled == Cancelled(OrderId("9"), Symbol("BTC/USDT"))
    assert applied == Applied()
    assert isinstance(sent, Sent)
    assert sent.transaction.txid == "w"


@pytest.mark.parametrize(
    ("decision", "there"),
    [
        ({"approved": ["x"]}, "awaiting approval has the key x; there are a"),
        ({"approved": ["t"]}, "awaiting approval has the key t; there are a"),
        ({"rejected": {"x": "no"}}, "awaiting approval has the key x; there are a"),
        ({"resolved": {"t": True}}, "unresolved has the key t; there are u"),
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
