"""Sessions with a community: one per job, never shared, always closed, and silent about their token."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from engine.community import HttpCommunity, LeaderSnapshot, LogEntry, NoCommunity
from engine.errors import ConfigurationError, OctoflowError, RetryableError
from engine.state import AuthDetails
from tests.support.community import serving

ALICE, BOB = "canary-of-alice", "canary-of-bob"


def account(name: str) -> AuthDetails:
    return AuthDetails(credential_ref=f"env:{name}")


def snapshot(strategy: str, iteration: int = 1) -> LeaderSnapshot:
    return LeaderSnapshot(
        strategy=strategy,
        automation_id=f"leader of {strategy}",
        iteration=iteration,
        at=1_700_000_000,
        exchange="binance",
        unit="USDT",
        assets=[{"asset": "BTC", "ratio": "0.25"}, {"asset": "USDT", "ratio": "0.75"}],
        open_orders=[{"symbol": "BTC/USDT", "side": "sell", "type": "limit", "price": "70000"}],
    )


async def test_what_a_leader_publishes_is_what_a_follower_reads() -> None:
    async with serving(alice=ALICE, bob=BOB) as server:
        community = server.community()
        async with community.session(account("alice")) as leader:
            await leader.signals.publish(snapshot("dips & more/2"))
        async with community.session(account("bob")) as follower:
            assert await follower.signals.latest("dips & more/2") == snapshot("dips & more/2")
            assert await follower.signals.latest("nobody's") is None


async def test_log_entries_arrive_as_they_are() -> None:
    entry = LogEntry(
        strategy="dips", automation_id="bot", iteration=3, at=1_700_000_000, text="changed: orders"
    )
    async with serving(alice=ALICE) as server:
        async with server.community().session(account("alice")) as session:
            await session.logs.append([entry])
        assert [LogEntry.model_validate(raw) for raw in server.log] == [entry]


async def test_two_jobs_at_once_never_share_a_session_a_token_or_a_cookie() -> None:
    async with serving(alice=ALICE, bob=BOB) as server:
        community = server.community()
        both_are_open = asyncio.Barrier(2)

        async def job(name: str) -> None:
            for iteration in range(3):
                async with community.session(account(name)) as session:
                    await both_are_open.wait()
                    await session.signals.publish(snapshot(name, iteration))
                    await both_are_open.wait()
                    await session.signals.publish(snapshot(name, iteration))

        await asyncio.gather(job("alice"), job("bob"))

        assert server.seen == {"alice": {"cookie-of-alice"}, "bob": {"cookie-of-bob"}}
        assert server.connections["alice"].isdisjoint(server.connections["bob"])
        assert [len(of_name) for of_name in server.connections.values()] == [3, 3]
        assert await server.all_connections_are_closed()


async def test_a_new_job_does_not_bring_the_cookies_of_the_last_one() -> None:
    async with serving(alice=ALICE) as server:
        community = server.community()
        for _ in range(2):
            async with community.session(account("alice")) as session:
                await session.signals.publish(snapshot("dips"))
        assert server.seen == {"alice": set()}


async def test_a_session_is_closed_behind_a_failure() -> None:
    async with serving(alice=ALICE) as server:

        async def job() -> None:
            async with server.community().session(account("alice")) as session:
                await session.signals.publish(snapshot("dips"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await job()
        assert await server.all_connections_are_closed()


async def test_a_session_is_closed_behind_a_cancellation() -> None:
    async with serving(alice=ALICE) as server:
        server.open.clear()

        async def job() -> None:
            async with server.community().session(account("alice")) as session:
                await session.signals.publish(snapshot("dips"))

        task = asyncio.create_task(job())
        await server.reached.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await server.all_connections_are_closed()


async def test_an_automation_without_a_token_of_its_own_uses_the_worker_s() -> None:
    async with serving(worker=ALICE) as server:
        async with server.community("env:worker").session(AuthDetails()) as session:
            await session.signals.publish(snapshot("dips"))
        assert list(server.seen) == ["worker"]


async def test_without_any_token_nothing_is_sent() -> None:
    async with serving(alice=ALICE) as server:
        with pytest.raises(ConfigurationError, match=r"env:NOBODY.*OCTOFLOW_WORKER_COMMUNITY_TOKEN"):
            async with server.community().session(account("NOBODY")):
                pytest.fail("there is a session")
        assert not server.requests


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, ConfigurationError, "community_refuses_token"),
        (403, ConfigurationError, "community_refuses_token"),
        (413, ConfigurationError, "community_refuses"),
        (422, ConfigurationError, "community_refuses"),
        (302, ConfigurationError, "community_refuses"),
        (429, RetryableError, "community_unavailable"),
        (500, RetryableError, "community_unavailable"),
        (503, RetryableError, "community_unavailable"),
    ],
)
async def test_each_answer_has_its_reaction_and_none_shows_the_token(
    status: int, kind: type[OctoflowError], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(alice=ALICE) as server:
        server.answer = (status, f"you are {ALICE}")
        server.headers = {"Location": "http://localhost:9/elsewhere", "Retry-After": "7"}
        async with server.community().session(account("alice")) as session:
            with pytest.raises(kind, match=f"HTTP {status}: you are ") as caught:
                await session.signals.publish(snapshot("dips"))
    assert caught.value.code == code
    assert ALICE not in f"{caught.value!r} {caplog.text}"
    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after == 7


async def test_a_server_that_is_not_there_can_be_tried_again() -> None:
    async with serving(alice=ALICE) as server:
        community = server.community()
    with pytest.raises(RetryableError, match="does not answer"):
        async with community.session(account("alice")) as session:
            await session.signals.publish(snapshot("dips"))


async def test_a_server_that_is_too_slow_can_be_tried_again() -> None:
    async with serving(alice=ALICE) as server:
        server.open.clear()
        with pytest.raises(RetryableError, match="in time"):
            async with server.community(timeout=0.05).session(account("alice")) as session:
                await session.signals.latest("dips")


@pytest.mark.parametrize("said", ["nonsense", '{"strategy": "dips"}'])
async def test_a_snapshot_of_the_wrong_form_is_refused(said: str) -> None:
    async with serving(alice=ALICE) as server:
        server.answer = (200, said)
        async with server.community().session(account("alice")) as session:
            with pytest.raises(ConfigurationError, match="cannot be read") as caught:
                await session.signals.latest("dips")
    assert caught.value.code == "invalid_signal_format"


async def test_an_answer_has_a_bound() -> None:
    async with serving(alice=ALICE) as server:
        server.answer = (200, "x" * 300_000)
        async with server.community().session(account("alice")) as session:
            with pytest.raises(ConfigurationError, match="more than 256 KB"):
                await session.signals.latest("dips")


@pytest.mark.parametrize("url", ["http://community.example", "http://10.0.0.1", "http://localhost.example"])
def test_tokens_do_not_cross_a_network_in_plain_text(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        HttpCommunity(url=url)


@pytest.mark.parametrize("url", ["", "community.example", "ftp://x", "https://user:secret@x", "https://"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://host") as refused:
        HttpCommunity(url=url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://x.example/api", "http://127.0.0.1:80", "http://[::1]:80"])
def test_tls_and_this_machine_are_fine(url: str) -> None:
    assert HttpCommunity(url=url).url == url


async def test_without_a_community_nothing_happens() -> None:
    async with NoCommunity().session(AuthDetails()) as session:
        await session.signals.publish(snapshot("dips"))
        await session.logs.append([])
        assert await session.signals.latest("dips") is None


async def test_a_session_does_not_show_its_token() -> None:
    async with serving(alice=ALICE) as server, server.community().session(account("alice")) as session:
        assert ALICE not in repr(session)
