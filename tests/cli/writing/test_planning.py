"""`octoflow plan` says what would happen, and does none of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Octoflow
from tests.conftest import REPOSITORY

SAMPLE = str(REPOSITORY / "examples" / "sample_market")
AUTOMATION = """
name: bot
exchange: binance
portfolio: {USDT: 1000}
actions:
  now: market('buy', 'BTC/USDT', '100q')
  later: limit('buy', 'BTC/USDT', '100q', '-5%', take_profit_prices=['5%'], stop_loss_price='-5%')
  pause: {run: wait(3600), after: now}
  sell: {run: "market('sell', 'BTC/USDT', '100%')", after: pause}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bot.yaml"
    path.write_text(AUTOMATION)
    return path


def test_orders_waits_and_the_portfolio_are_shown(octoflow: Octoflow, file: Path) -> None:
    ran = octoflow("plan", str(file), "--market", SAMPLE)
    assert ran.exit_code == 0, ran
    for words in (
        "would fill at once",
        "would wait for its price",
        "would appear when the one above fills",
        "would wait",
        "not yet",
        "Portfolio afterwards",
        "Next invocation",
    ):
        assert words in ran.out


def test_programs_get_it_as_json_and_the_same_again(octoflow: Octoflow, file: Path) -> None:
    first, second = (octoflow("plan", "--json", str(file), "--market", SAMPLE).json for _ in range(2))
    assert [action["status"] for action in first["actions"]] == ["done", "done", "waiting", "pending"]
    assert [trade["side"] for trade in first["trades"]] == ["buy"]
    (order,) = first["open_orders"]
    assert [one["type"] for one in order["chained"]] == ["stop_loss", "limit"]
    assert first["portfolio"] == second["portfolio"]
    assert file.read_text() == AUTOMATION


def test_a_live_account_is_planned_on_paper(octoflow: Octoflow, file: Path) -> None:
    live = "name: bot\nexchange: binance\ncredentials: env:BINANCE\nactions: {p: price('BTC/USDT')}\n"
    file.write_text(live)
    assert "would be done" in octoflow("plan", str(file), "--market", SAMPLE).out


def test_an_action_that_would_fail_is_a_failure(octoflow: Octoflow, file: Path) -> None:
    file.write_text(AUTOMATION.replace("'100q')", "'5000q')", 1))
    octoflow.fails("plan", str(file), "--market", SAMPLE, code=1, saying=["these actions would fail: now"])
