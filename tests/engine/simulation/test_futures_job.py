"""An automation that holds a future: the market can liquidate it while no action asks for its account."""

from __future__ import annotations

from decimal import Decimal

from engine.services import Services
from tests.support.builders import NOW, Invoked, action, automation, paper
from tests.support.memory_market import MemoryMarket

PERPETUAL = "BTC/USDT:USDT"


async def test_a_position_is_settled_in_every_invocation() -> None:
    market = MemoryMarket({PERPETUAL: "100"})
    state = automation(
        action("leverage", f"set_leverage('{PERPETUAL}', 10)"),
        action("buy", f"market('buy', '{PERPETUAL}', 1)", "leverage"),
        action("pause", "wait(3600)", "buy"),
    )
    run = Invoked(
        paper(state, {"USDT": 100}, exchange_type="future"), Services(market_source=lambda _: market)
    )
    await run.invoke(now=NOW)
    elements = run.state["automation"]["exchange_account_elements"]
    assert [held["side"] for held in elements["positions"]] == ["long"]

    market.prices = dict.fromkeys(market.prices, Decimal(85))
    outcome = await run.invoke(now=NOW + 3_600)

    assert outcome.changed_elements == ["portfolio", "positions", "trades"]
    elements = run.state["automation"]["exchange_account_elements"]
    assert elements["portfolio"]["content"]["USDT"]["total"] == "89.9"
    assert elements["trades"][-1]["tag"] == "liquidation"
