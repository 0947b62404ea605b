"""What a person decides about the effects of a live automation: approve, reject, resolve."""

from __future__ import annotations

from engine.errors import PostponedError
from engine.exchanges.capabilities import Capabilities
from engine.job.outcome import InvocationStatus
from engine.live.venue.api import Unclear
from engine.state import Intent, TriggerReason
from tests.support.builders import NOW, action
from tests.support.intents import create, intent, order
from tests.support.intents import unresolved as needing_a_person
from tests.support.live_job import LiveRun
from tests.support.memory_exchange import MemoryExchange

MARKET = "market('buy', 'BTC/USDT', 0.001)"
HOUR = 3_600.0


async def asking(*actions: dict[str, object]) -> LiveRun:
    """An automation that has planned its first effect and asks for approval."""
    run = LiveRun(*actions, approval="required")
    await run.invoke(NOW)
    return run


async def test_nothing_is_sent_before_a_person_approves_it() -> None:
    run = await asking(action("buy", "limit('buy', 'BTC/USDT', 0.001, 49000)"))
    outcome = run.outcome
    assert outcome is not None
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.AWAITING_APPROVAL, NOW + HOUR)
    assert [(one.what, one.status) for one in outcome.pending_effects] == [
        ("limit buy 0.001 BTC/USDT at 49000", "awaiting_approval")
    ]

    await run.invoke(NOW + 60)
    assert run.exchange.sent == []

    outcome = await run.invoke(NOW + 120, approved=[outcome.pending_effects[0].key])
    assert outcome.status is InvocationStatus.FINISHED
    assert run.result("buy")["created_orders"][0]["amount"] == {"$dec": "0.001"}


async def test_a_rejection_is_an_error_at_the_call() -> None:
    run = await asking(action("buy", MARKET))
    await run.invoke(NOW + 60, rejected={run.pending[0]["key"]: "too expensive"})

    assert run.exchange.sent == []
    assert run.action("buy")["error_status"] == "rejected_by_user"
    assert run.action("buy")["error_message"] == "too expensive"


async def test_if_error_sees_a_rejection() -> None:
    run = await asking(action("buy", f"if_error({MARKET}, 0)"))
    await run.invoke(NOW + 60, rejected={run.pending[0]["key"]: ""})
    assert run.result("buy") == 0


async def test_other_actions_go_on_while_one_awaits_approval() -> None:
    run = await asking(action("buy", MARKET), action("pause", "wait(30)"), action("report", "1", "pause"))
    outcome = await run.invoke(NOW)
    assert (outcome.status, outcome.next_due_at) == (InvocationStatus.RUNNING, NOW + 30)

    outcome = await run.invoke(NOW + 30)
    assert run.completed == ["pause", "report"]
    assert outcome.status is InvocationStatus.AWAITING_APPROVAL


async def test_approval_within_the_hour_is_in_time_and_later_the_call_is_asked_about_anew() -> None:
    run = await asking(action("buy", MARKET))
    first = run.pending[0]["key"]
    in_time = LiveRun(action("buy", MARKET), exchange=run.exchange)
    in_time.state = run.state

    await in_time.invoke(NOW + HOUR - 1, approved=[first])
    assert in_time.completed == ["buy"]

    outcome = await run.invoke(NOW + HOUR)
    assert outcome.status is InvocationStatus.AWAITING_APPROVAL
    assert run.pending[0]["key"] != first


async def test_a_message_that_asks_for_an_order_is_told_until_when_it_can_be_approved() -> None:
    run = LiveRun(action("later", "wait(10000)"), approval="required")
    outcome = await run.invoke(NOW, priority_actions=[action("now", MARKET)])
    assert outcome.waiting == {"now": NOW + HOUR}


async def test_what_follows_from_an_approved_order_needs_no_approval_of_its_own() -> None:
    run = await asking(action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"))
    await run.invoke(NOW + 1, approved=[run.pending[0]["key"]])
    run.exchange.fill("1")

    outcome = await run.invoke(NOW + 60)
    assert [one.status for one in outcome.pending_effects] == ["planned"]
    await run.invoke(NOW + 61)
    assert [order["type"] for order in run.open_orders] == ["stop_loss"]


async def test_a_rejected_cancellation_leaves_the_exits_that_wait_as_they_are() -> None:
    exits = "stop_loss_price='-10%', take_profit_prices=['10%']"
    cancelling = action("cancel", "cancel_order('BTC/USDT')", "buy")
    run = await asking(action("buy", f"market('buy', 'BTC/USDT', 0.01, {exits})"), cancelling)
    await run.invoke(NOW + 1, approved=[run.pending[0]["key"]])
    await run.settle(NOW + 1)
    (asked,) = run.pending
    assert asked["kind"] == "cancel_order"

    await run.invoke(NOW + 60, rejected={asked["key"]: "keep it"})

    orders = run.state["automation"]["exchange_account_elements"]["orders"]
    assert [order["type"] for order in orders["open_orders"]] == ["stop_loss"]
    assert [order["type"] for order in orders["inactive_orders"]] == ["limit"]


async def unresolved() -> LiveRun:
    """An automation whose order may have arrived on an exchange where nothing can be looked up."""
    run = LiveRun(
        action("buy", "limit('buy', 'BTC/USDT', 0.001, 49000)"),
        exchange=MemoryExchange(capabilities=Capabilities()),
    )
    await run.invoke(NOW)
    run.exchange.will_answer(Unclear("timed out"))
    outcome = await run.invoke(NOW + 1)
    assert [one.status for one in outcome.pending_effects] == ["unresolved"]
    return run


async def test_what_nobody_can_look_up_holds_its_action_until_a_person_says_that_it_is_there() -> None:
    run = await unresolved()
    await run.invoke(NOW + 60, TriggerReason.FORCED)
    assert run.completed == []

    await run.invoke(NOW + 120, resolved={run.pending[0]["key"]: True})

    assert run.result("buy")["created_orders"][0]["price"] == {"$dec": "49000"}
    assert run.kinds_sent == ["create_order"]


async def test_or_says_that_it_is_not_and_the_call_is_evaluated_anew() -> None:
    run = await unresolved()
    first = run.pending[0]["key"]
    await run.invoke(NOW + 120, resolved={first: False})
    assert [intent["key"] for intent in run.pending] != [first]

    await run.settle(NOW + 121)
    assert (run.completed, len(run.exchange.orders)) == (["buy"], 1)


async def test_an_exit_that_a_person_did_not_find_is_placed_under_a_new_name() -> None:
    run = LiveRun(
        action("buy", "limit('buy', 'BTC/USDT', 0.01, 40000, stop_loss_price='-5%')"),
        exchange=MemoryExchange(capabilities=Capabilities()),
    )
    await run.settle(NOW)
    run.exchange.fill("1")
    await run.invoke(NOW + 60)
    run.exchange.will_answer(Unclear("timed out"))
    await run.invoke(NOW + 61)
    (lost,) = run.pending

    await run.invoke(NOW + 120, resolved={lost["key"]: False})
    await run.settle(NOW + 121)

    (stop,) = run.open_orders
    assert (stop["type"], stop["id"]) == ("stop_loss", "2")
    assert stop["client_order_id"] != lost["params"]["client_order_id"]


def with_under_way(*intents: Intent) -> LiveRun:
    """An automation that has effects under way."""
    run = LiveRun(action("other", "wait(1000)"))
    pending = [one.model_dump(mode="json") for one in intents]
    run.state["automation"]["execution"] = {"pending_effects": pending}
    return run


async def test_a_withdrawal_that_a_person_found_is_among_the_transactions() -> None:
    transaction = {"txid": "w", "kind": "withdrawal", "asset": "USDT", "amount": "1"}
    run = with_under_way(intent("withdraw", transaction, key="w", **needing_a_person()))

    await run.invoke(NOW + 120, resolved={"w": True})

    elements = run.state["automation"]["exchange_account_elements"]
    assert [one["txid"] for one in elements["transactions"]] == ["w"]
    assert run.kinds_sent == []


async def test_what_a_person_decided_is_kept_when_the_account_cannot_be_used_for_longer() -> None:
    run = with_under_way(create(order("lost"), **needing_a_person()), create(order("planned")))
    run.exchange.read_error = PostponedError("the key was revoked", reason="authentication")

    outcome = await run.invoke(NOW + 120, resolved={"lost": True})

    assert outcome.status is InvocationStatus.POSTPONED
    assert [one["key"] for one in run.pending] == ["planned"]
    assert [one["client_order_id"] for one in run.open_orders] == ["lost"]
