"""`octoflow approve`, `reject` and `resolve` decide about what a person has seen, and about nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Octoflow, Ran
from tests.support.builders import NOW, automation
from tests.support.temporal import FakeEngine, counted, development_server, serving, start
from workflows.automation import Automation
from workflows.messages import Decisions, InvocationResult, RunInvocation, StopRequest

Command = Callable[..., Awaitable[Ran]]
Asked = tuple[Command, FakeEngine]


def intent(key: str, status: str) -> dict[str, Any]:
    """An effect of the action `buy`."""
    order = {"id": key, "type": "limit", "side": "buy", "amount": "0.1", "symbol": "BTC/USDT", "price": "40"}
    return {
        "key": key, "action_id": "buy", "call_site": "0", "leg": "0", "kind": "create_order",
        "params": order, "planned_at": NOW, "status": status,
    }  # fmt: skip


def waits(request: RunInvocation) -> InvocationResult:
    """Respond as an automation whose effects wait for a person."""
    return counted(request, status="awaiting_approval", pending_effects=1)


@pytest.fixture
async def asked(
    temporal_binary: Path, monkeypatch: pytest.MonkeyPatch, octoflow: Octoflow
) -> AsyncIterator[Asked]:
    """An automation `test` with two effects that wait for approval and one that nobody could settle."""
    pending = [
        intent("aa11", "awaiting_approval"),
        intent("ab22", "awaiting_approval"),
        intent("cc33", "unresolved"),
    ]
    async with running(temporal_binary, automation(execution={"pending_effects": pending})) as (
        engine,
        address,
    ):
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        monkeypatch.setenv("OCTOFLOW_TASK_QUEUE", "test")
        yield lambda *arguments: asyncio.to_thread(octoflow, *arguments), engine


@asynccontextmanager
async def running(binary: Path, state: dict[str, Any]) -> AsyncIterator[tuple[FakeEngine, str]]:
    async with development_server(binary) as server, serving(server.client, waits) as engine:
        handle = await start(server.client, state)
        await engine.called(1)
        yield engine, server.client.service_client.config.target_host
        engine.respond = lambda request: counted(request, status="stopped")
        await handle.execute_update(Automation.stop, StopRequest())


def decided(engine: FakeEngine) -> Sequence[Decisions]:
    return [request.decisions for request in engine.requests if request.decisions != Decisions()]


async def test_approve_names_what_it_approves_and_means_all_that_wait(asked: Asked) -> None:
    command, engine = asked
    ran = await command("approve", "test")

    assert ran.exit_code == 0
    assert "approved: limit buy 0.1 BTC/USDT at 40 (buy, aa11)" in ran.out
    assert "ab22" in ran.out
    assert "cc33" not in ran.out
    assert decided(engine) == [Decisions(approved=["aa11", "ab22"])]


async def test_a_key_can_be_cut_where_it_is_still_clear(asked: Asked) -> None:
    command, engine = asked
    await command("approve", "test", "aa", "aa11")
    assert decided(engine) == [Decisions(approved=["aa11"])]

    unclear = await command("approve", "test", "a")
    assert unclear.exit_code == 1
    assert "2 effects whose keys begin with 'a'" in unclear.err


async def test_reject_hands_the_reason_on(asked: Asked) -> None:
    command, engine = asked
    ran = await command("reject", "test", "ab22", "--reason", "too large", "--json")

    assert ran.json["decision"] == "rejected"
    assert [effect["key"] for effect in ran.json["effects"]] == ["ab22"]
    assert decided(engine) == [Decisions(rejected={"ab22": "too large"})]


@pytest.mark.parametrize(("flag", "placed"), [("--placed", True), ("--absent", False)])
async def test_resolve_says_what_a_person_found(asked: Asked, flag: str, placed: bool) -> None:
    command, engine = asked
    ran = await command("resolve", "test", "cc33", flag)

    assert ran.exit_code == 0
    assert f"resolved as {flag[2:]}: limit buy 0.1 BTC/USDT at 40 (buy, cc33)" in ran.out
    assert decided(engine) == [Decisions(resolved={"cc33": placed})]


async def test_an_unknown_effect_is_named_before_anything_is_sent(asked: Asked) -> None:
    command, engine = asked
    ran = await command("resolve", "test", "zz", "--placed")

    assert ran.exit_code == 1
    assert "no effect under way with the key 'zz'" in ran.err
    assert decided(engine) == []


def test_resolve_needs_an_answer(octoflow: Octoflow) -> None:
    octoflow.fails("resolve", "test", "aa11", code=2, saying=["--placed", "--absent"])
