"""A live automation through everything: command line, server, worker, ccxt's own class, an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.conftest import Finished, Installation
from tests.support.loopback import LoopbackExchange, serving_binance
from tests.support.loopback.accounts import Account

pytestmark = pytest.mark.timeout(150)

KEY, SECRET = "canary-of-the-key", "canary-of-the-secret"

ACTIONS = """
actions:
  buy: market('buy', 'BTC/USDT', '10%')
  low: {run: "limit('buy', 'BTC/USDT', '10%', '-5%')", after: buy}
  pause: {run: wait(1), after: low}
  cancel: {run: cancel_order('BTC/USDT'), after: pause}
"""


@pytest.fixture
async def exchange() -> AsyncIterator[LoopbackExchange]:
    async with serving_binance() as running:
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange) -> Account:
    return exchange.books.add_account(KEY, SECRET, {"USDT": 2_000, "BTC": 1})


@pytest.fixture
def owner(installation: Installation, account: Account) -> Installation:
    """A user whose worker finds the keys in its environment."""
    return Installation({**installation.environment, "CANARY_API_KEY": KEY, "CANARY_API_SECRET": SECRET})


@pytest.fixture
def file(exchange: LoopbackExchange, tmp_path: Path) -> str:
    path = tmp_path / "bot.yaml"
    path.write_text(
        f"name: bot\nexchange: {{id: binance, url: '{exchange.url}'}}\ncredentials: env:CANARY\n{ACTIONS}"
    )
    return str(path)


async def ran(owner: Installation, *arguments: str) -> Finished:
    """Run a command beside the exchange that its worker talks to."""
    return await asyncio.to_thread(owner.run, *arguments)


async def test_what_a_live_automation_did_is_what_the_exchange_s_books_say(
    owner: Installation, account: Account, file: str, octoflow_home: Path
) -> None:
    finished = await ran(owner, "run", file, "--yes", "--json")

    assert finished.exit_code == 0, finished.err
    last = finished.documents[-1]
    assert last["status"] == "finished"
    assert [order.status.name for order in account.orders] == ["FILLED", "CANCELED"]
    elements = last["state"]["automation"]["exchange_account_elements"]
    assert [Decimal(trade["amount"]) for trade in elements["trades"]] == [
        fill.amount for fill in account.fills
    ]
    held = {asset: Decimal(held["total"]) for asset, held in elements["portfolio"]["content"].items()}
    assert held == {asset: balance.free for asset, balance in account.balances.items()}
    assert elements.get("orders", {}).get("open_orders", []) == []
    assert secrets_in(octoflow_home, finished) == []


def secrets_in(home: Path, finished: Finished) -> list[str]:
    """Where a secret can be read: in the server's database, in logs, in what a command said."""
    texts = {str(file): file.read_bytes() for file in home.rglob("*") if file.is_file()}
    texts |= {"output": finished.out.encode(), "errors": finished.err.encode()}
    assert any(name.endswith("temporal.db") for name in texts)
    return [name for name, text in texts.items() if SECRET.encode() in text or KEY.encode() in text]
