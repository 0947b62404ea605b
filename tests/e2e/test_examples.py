"""Each example runs to its end on an embedded server, over real candles where there are some."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.timeout(150)

START_USDT = Decimal(1000)


class Ended:
    """The final state of an example."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.status = document["status"]
        automation = document["state"]["automation"]
        self.actions = {action["id"]: action for action in automation["actions_dag"]["actions"]}
        self.elements = automation["exchange_account_elements"]
        self.trades = self.elements.get("trades", [])
        self.open_orders = self.elements.get("orders", {}).get("open_orders", [])

    def total(self, asset: str) -> Decimal:
        """What the account holds of an asset."""
        content = self.elements["portfolio"]["content"]
        return Decimal(content.get(asset, {}).get("total", "0"))

    def books_balance(self) -> bool:
        """Whether the trades explain, to the last digit, what the account holds."""
        held = {"USDT": START_USDT}
        for trade in self.trades:
            base, quote = trade["symbol"].split("/")
            sign = 1 if trade["side"] == "buy" else -1
            held[base] = held.get(base, Decimal(0)) + sign * Decimal(trade["amount"])
            held[quote] = held.get(quote, Decimal(0)) - sign * Decimal(trade["cost"])
            fee = trade["fee"]
            held[fee["currency"]] -= Decimal(fee["cost"])
        return all(self.total(asset) == amount for asset, amount in held.items())


@pytest.fixture
def run(installation: Installation, market_data: Path) -> Any:
    def run_example(name: str) -> Ended:
        finished = installation.run("run", f"examples/{name}.yaml", "--market", str(market_data), "--json")
        assert finished.exit_code == 0, finished.err
        return Ended(finished.documents[-1])

    return run_example


def test_the_dip_buyer_buys_the_dip_and_sells_the_recovery(run: Any) -> None:
    ended = run("dip_buyer")

    assert ended.status == "finished"
    assert [trade["side"] for trade in ended.trades] == ["buy", "sell"]
    bought, sold = (trade["timestamp"] for trade in ended.trades)
    assert sold - bought >= 6 * 3600
    assert ended.total("BTC") < Decimal("0.0001")
    assert ended.books_balance()
    assert set(ended.actions["report"]["result"]) == {"bought at", "sold at", "USDT"}


def test_daily_savings_buy_ten_times_a_day_apart(run: Any) -> None:
    ended = run("dca")

    assert ended.status == "finished"
    assert [trade["symbol"] for trade in ended.trades] == ["BTC/USDT", "ETH/USDT"] * 10
    days = sorted({trade["timestamp"] for trade in ended.trades})
    assert [later - earlier for earlier, later in pairwise(days)] == [86_400.0] * 9
    assert START_USDT - 352 < ended.total("USDT") < START_USDT - 330
    assert ended.books_balance()


def test_the_limit_ladder_leaves_no_order_behind(run: Any) -> None:
    ended = run("limit_ladder")

    assert ended.status == "finished"
    assert ended.open_orders == []
    report = ended.actions["report"]["result"]
    assert report["filled"] == len(ended.trades)
    assert report["cancelled"] >= 1
    assert report["filled"] >= 1
    assert ended.books_balance()
