"""The commands about live accounts, with ccxt's own class on a loopback exchange."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import Octoflow, Ran
from tests.support.loopback import LoopbackExchange, serving_binance
from tests.support.loopback.accounts import Account, Rights

KEY, SECRET = "canary-of-the-key", "canary-of-the-secret"
ROWS, COLUMNS = 60, 160


@pytest.fixture
async def exchange() -> AsyncIterator[LoopbackExchange]:
    async with serving_binance() as running:
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("CANARY_API_KEY", KEY)
    monkeypatch.setenv("CANARY_API_SECRET", SECRET)
    return exchange.books.add_account(KEY, SECRET, {"USDT": 2_000, "BTC": 1})


@pytest.fixture
def file(exchange: LoopbackExchange, account: Account, tmp_path: Path) -> str:
    path = tmp_path / "bot.yaml"
    path.write_text(
        f"name: bot\nexchange: {{id: binance, url: '{exchange.url}'}}\ncredentials: env:CANARY\n"
        "actions: {buy: \"limit('buy', 'BTC/USDT', '10%', '-2%')\"}\n"
    )
    return str(path)


async def ran(octoflow: Octoflow, *arguments: str) -> Ran:
    """Run a command beside the exchange that it talks to."""
    finished = await asyncio.to_thread(octoflow, *arguments)
    assert SECRET not in finished.out + finished.err
    assert KEY not in finished.out + finished.err
    return finished


async def test_the_doctor_finds_a_sound_account(octoflow: Octoflow, file: str) -> None:
    findings = (await ran(octoflow, "doctor", file, "--json")).json
    by_name = {finding["check"]: finding for finding in findings}

    assert [finding["says"] for finding in findings if finding["health"] == "failed"] == []
    assert "binance" in by_name["clock"]["says"]
    assert "BTC/USDT: at least" in by_name["markets"]["says"]
    assert by_name["balances"]["says"] == "2 assets: BTC, USDT"


async def test_the_doctor_refuses_a_key_that_may_withdraw(
    octoflow: Octoflow, file: str, account: Account
) -> None:
    account.rights = Rights(withdraw=True)
    examined = await ran(octoflow, "doctor", file)
    assert examined.exit_code == 1
    assert "✗ key" in examined.out
    assert "the key may withdraw" in examined.out


async def test_the_doctor_tells_of_a_key_that_the_exchange_does_not_know(
    octoflow: Octoflow, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_API_KEY", "canary-of-another-key")
    examined = await ran(octoflow, "doctor", file)
    assert examined.exit_code == 1
    assert "canary-of-another-key" not in examined.out
    assert "✗ balances" in examined.out


async def test_a_plan_starts_with_the_real_balances_and_sends_nothing(
    octoflow: Octoflow, file: str, account: Account, exchange: LoopbackExchange
) -> None:
    planned = (await ran(octoflow, "plan", file, "--json")).json
    (order,) = planned["open_orders"]
    assert order["side"] == "buy"
    assert planned["portfolio"]["USDT"]["total"] == "2000"
    assert list(exchange.books.orders_of(account)) == []


@pytest.mark.parametrize("answer", ["n\n", "\n"])
async def test_declining_on_a_terminal_starts_nothing(
    octoflow: Octoflow, file: str, octoflow_home: Path, answer: str
) -> None:
    shown, exit_code = await on_terminal("run", file, answer=answer)

    assert "Start trading with real funds on binance? [y/N]" in shown
    assert "would wait for its price" in shown
    assert "Nothing was started." in shown
    assert exit_code == 1
    assert not (octoflow_home / "processes").exists()
    assert SECRET not in shown


async def test_agreeing_goes_on_to_start_it(octoflow: Octoflow, file: str) -> None:
    shown, exit_code = await on_terminal("start", file, answer="y\n")
    assert "no Temporal server answers" in shown
    assert exit_code == 3


async def on_terminal(*arguments: str, answer: str) -> tuple[str, int]:
    """Run `octoflow` on a terminal of its own, where a person types an answer; return what is shown."""
    terminal, its_end = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", *arguments,
        stdin=its_end, stdout=its_end, stderr=its_end,
        env={**os.environ, "COLUMNS": str(COLUMNS), "LINES": str(ROWS), "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(its_end)
    os.write(terminal, answer.encode())
    shown = await asyncio.to_thread(_until_closed, terminal)
    os.close(terminal)
    return shown, await process.wait()


def _until_closed(terminal: int) -> str:
    shown = b""
    while True:
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # as a terminal says that nobody is at its other end any more
            break
        if not read:
            break
        shown += read
    return shown.decode()
