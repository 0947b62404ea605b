"""An automation that holds a future: the market can liquidate it while no action asks for its account."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from engine.job.services import Services
from engine.market.recorded import RecordedSource
from tests.support.builders import NOW, Invoked, action, automation, paper
from tests.support.market import flat_market
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


async def test_recorded_funding_is_paid_out_of_the_margin(tmp_path: Path) -> None:
    start = NOW - NOW % 3_600
    folder = Path(flat_market(tmp_path, start=start, BTC=100))
    candles = folder / "candles" / "binance"
    (candles / "BTC-USDT-1h.csv").rename(candles / "BTC-USDT_USDT-1h.csv")
    rates = folder / "funding" / "binance" / "BTC-USDT_USDT.csv"
    rates.parent.mkdir(parents=True)
    rates.write_text(f"timestamp,rate\n{int(start + 7_200) * 1_000},0.0001\n")
    state = automation(
        action("buy", f"market('buy', '{PERPETUAL}', 1)"), action("pause", "wait(7200)", "buy")
    )
    source = RecordedSource(folder, "binance")
    run = Invoked(
        paper(state, {"USDT": 200}, exchange_type="future"), Services(market_source=lambda _: source)
    )
    await run.invoke(now=NOW)
    outcome = await run.invoke(now=NOW + 7_200)
    assert outcome.changed_elements == ["portfolio", "positions"]
    elements = run.state["automation"]["exchange_account_elements"]
    assert elements["positions"][0]["margin"] == "99.99"
    assert elements["portfolio"]["content"]["USDT"] == {"available": "99.9", "total": "199.89"}
