"""Leaders publish at the end of their jobs, each in a session of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.community import LeaderSnapshot
from engine.job.outcome import InvocationOutcome
from engine.job.services import Services
from tests.support.builders import NOW, Invoked, action, automation, paper
from tests.support.community import CommunityServer, serving
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import MemoryMarket

BUY = "market('buy', 'BTC/USDT', '10%')"


def paper_leader(server: CommunityServer, script: str = BUY, **metadata: Any) -> Invoked:
    """A leader on paper, which uses its worker's token: that of alice."""
    named = {"automation_id": "bot", "emit_signals": True, **metadata}
    state = paper(automation(action("a0", script), metadata=named), {"USDT": 1_000})
    market = MemoryMarket({"BTC/USDT": 50_000})
    return Invoked(state, Services(market_source=lambda _: market, community=server.community("env:alice")))


def live_leader(server: CommunityServer, name: str) -> Invoked:
    """A leader whose own credentials hold its token."""
    metadata = {"automation_id": name, "run_key": name, "emit_signals": True}
    details = {
        "exchange_details": {"internal_name": "binance"},
        "auth_details": {"credential_ref": f"env:{name}"},
    }
    state = {**automation(action("buy", BUY), metadata=metadata), "exchange_account_details": details}
    exchange = MemoryExchange({"BTC/USDT": 50_000}, {"USDT": 1_000})
    return Invoked(state, Services(live_exchange=exchange.open, community=server.community()))


async def test_two_jobs_at_once_never_see_each_other_s_session_token_or_cookies() -> None:
    async with serving(alice="token-of-alice", bob="token-of-bob") as server:
        leaders = [live_leader(server, "alice"), live_leader(server, "bob")]
        for job in (1, 2):  # the first one plans, the second one sends and has the account changed
            server.open.clear()
            running = asyncio.gather(*(leader.invoke(NOW) for leader in leaders))
            await server.reached_by(2 * job)
            server.open.set()
            outcomes = await running
            assert [outcome.notes for outcome in outcomes] == [[], []]

        assert server.seen == {"alice": {"cookie-of-alice"}, "bob": {"cookie-of-bob"}}
        assert server.connections["alice"].isdisjoint(server.connections["bob"])
        assert [len(of_name) for of_name in server.connections.values()] == [2, 2]
        assert await server.all_connections_are_closed()

    for name in ("alice", "bob"):
        snapshot = LeaderSnapshot.model_validate(server.snapshots[name])
        assert (snapshot.automation_id, snapshot.iteration) == (name, 1)
        assert {one.asset for one in snapshot.assets} == {"USDT", "BTC"}


async def test_a_leader_tells_its_account_as_it_is_behind_the_invocation() -> None:
    async with serving(alice="token-of-alice") as server:
        await paper_leader(server).invoke()

    snapshot = LeaderSnapshot.model_validate(server.snapshots["bot"])
    assert [one.asset for one in snapshot.assets] == ["USDT", "BTC"]
    assert sum(one.ratio or 0 for one in snapshot.assets) == 1
    assert (snapshot.iteration, snapshot.exchange) == (0, "binance")


async def test_an_invocation_that_changes_nothing_publishes_nothing() -> None:
    async with serving(alice="token-of-alice") as server:
        await paper_leader(server, "price('BTC/USDT')").invoke()
    assert not server.requests


async def test_a_failure_to_publish_is_a_note_and_costs_nothing() -> None:
    async with serving(alice="token-of-alice") as server:
        server.answer = (500, "token-of-alice is not welcome today")
        run = paper_leader(server)
        outcome = await run.invoke()

    (note,) = outcome.notes
    assert "not published" in note
    assert "token-of-alice" not in str(outcome)
    assert run.completed == ["a0"]


async def test_an_effect_that_was_sent_is_kept_when_the_worker_ends_while_its_leader_publishes() -> None:
    async with serving(alice="token-of-alice") as server:
        leader = live_leader(server, "alice")
        await leader.invoke(NOW)
        server.open.clear()
        server.reached.clear()
        sending = asyncio.create_task(leader.invoke(NOW))
        await server.reached.wait()
        sending.cancel()
        outcome: InvocationOutcome = await sending

    assert outcome.notes == ["the snapshot was not published: CancelledError"]
    assert leader.result("buy")["created_orders"][0]["status"] == "closed"


async def test_what_is_published_does_not_change_the_state() -> None:
    async with serving(alice="token-of-alice") as server:
        leading, silent = paper_leader(server), paper_leader(server, emit_signals=False)
        await leading.invoke()
        await silent.invoke()

    del leading.state["automation"]["metadata"]["emit_signals"]
    assert leading.state == silent.state
