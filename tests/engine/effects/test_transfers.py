"""Withdrawals: only where the worker allows them, exact on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.effects.transfers import TransferPolicy
from engine.job.services import EngineSettings, Services
from tests.support.builders import Invoked, paper, scripts
from tests.support.market import flat_market
from worker import WorkerSettings

NOW = 1_700_000_000.0 + 100 * 3_600
ALLOWED = TransferPolicy(allowed=True, addresses=frozenset({"home"}))


async def withdrawn(folder: Path, *texts: str, policy: TransferPolicy = ALLOWED) -> Invoked:
    market = flat_market(folder, start=1_700_000_000 // 3_600 * 3_600, BTC=50_000)
    services = Services(settings=EngineSettings(transfers=policy))
    run = Invoked(paper(scripts(*texts), {"USDT": 1000}, recorded={"folder": market}), services)
    await run.invoke(now=NOW)
    return run


def elements(run: Invoked) -> dict[str, Any]:
    found: dict[str, Any] = run.state["automation"]["exchange_account_elements"]
    return found


async def test_a_withdrawal_leaves_the_account_and_is_recorded(tmp_path: Path) -> None:
    run = await withdrawn(tmp_path, "withdraw('USDT', 'TRX', 'home', 10)")

    assert elements(run)["portfolio"]["content"]["USDT"] == {"available": "990", "total": "990"}
    (sent,) = elements(run)["transactions"]
    assert (sent["kind"], sent["amount"], sent["address_to"], sent["network"]) == (
        "withdrawal",
        "10",
        "home",
        "TRX",
    )
    assert run.result("a0")["withdrawal"]["txid"] == sent["txid"]


async def test_all_is_what_no_open_order_locks(tmp_path: Path) -> None:
    run = await withdrawn(
        tmp_path, "limit('buy', 'BTC/USDT', '100q', '-10%')", "withdraw('USDT', 'TRX', 'home', 'all')"
    )

    usdt = elements(run)["portfolio"]["content"]["USDT"]
    assert "available" not in usdt
    assert 99 < float(usdt["total"]) < 101


@pytest.mark.parametrize(
    "policy", [TransferPolicy(), TransferPolicy(allowed=True), TransferPolicy(addresses=frozenset({"home"}))]
)
async def test_nothing_leaves_unless_the_worker_allows_it_and_the_address(
    tmp_path: Path, policy: TransferPolicy
) -> None:
    run = await withdrawn(tmp_path, "withdraw('USDT', 'TRX', 'home', 10)", policy=policy)

    assert run.statuses == ["disabled_funds_transfer_error"]
    assert elements(run)["portfolio"]["content"]["USDT"]["total"] == "1000"


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("5000", "not_enough_funds"),
        ("'10%'", "dsl_execution_error"),
        ("0", "dsl_execution_error"),
        ("None", "dsl_execution_error"),
    ],
)
async def test_an_amount_that_cannot_be_sent_is_refused(tmp_path: Path, amount: str, status: str) -> None:
    run = await withdrawn(tmp_path, f"withdraw('USDT', 'TRX', 'home', {amount})")

    assert run.statuses == [status]
    assert "transactions" not in elements(run)


def test_only_the_environment_of_a_worker_allows_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WorkerSettings().services().settings.transfers == TransferPolicy()

    monkeypatch.setenv("OCTOFLOW_WORKER_ALLOW_TRANSFERS", "true")
    monkeypatch.setenv("OCTOFLOW_WORKER_TRANSFER_ADDRESSES", '["home"]')

    assert WorkerSettings().services().settings.transfers == ALLOWED
