"""`AutomationJob` with a simulated account on a recorded market: the worked examples of the documentation."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.job.outcome import InvocationStatus
from engine.state import TriggerReason
from tests.support.builders import Invoked, State, action, automation, paper, scripts
from tests.support.market import flat_market, write_candles

HOUR = 3_600
START = 1_700_000_000 - 1_700_000_000 % HOUR
NOW = float(START + 250 * HOUR)


def recorded(state: State, folder: Path, portfolio: dict[str, Any], **prices: float) -> Invoked:
    """An automation on paper; the prices of its market stand still."""
    stands: dict[str, Any] = {**prices} or {"BTC": 50_000, "ETH": 2_000}
    market = flat_market(folder, start=START, **stands)
    return Invoked(paper(state, portfolio, recorded={"folder": market}))


def balance(run: Invoked, asset: str, kind: str = "total") -> Decimal:
    held = run.state["automation"]["exchange_account_elements"]["portfolio"]["content"]
    return Decimal(held.get(asset, {}).get(kind, "0"))


def open_orders(run: Invoked) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = (
        run.state["automation"]["exchange_account_elements"].get("orders", {}).get("open_orders", [])
    )
    return orders


async def test_two_independent_market_buys_run_in_one_invocation(tmp_path: Path) -> None:
    state = scripts("market('buy', 'BTC/USDT', '20q')", "market('buy', 'BTC/USDT', '10q')")
    run = recorded(state, tmp_path, {"USDT": 1000, "ETH": "0.1"})

    outcome = await run.invoke(now=NOW)

    assert outcome.status is InvocationStatus.FINISHED
    assert [entry.effects for entry in outcome.executed] == [1, 1]
    assert 950 < balance(run, "USDT") < 1000
    assert balance(run, "ETH") == Decimal("0.1")
    assert outcome.changed_elements == ["portfolio", "trades"]
    assert len(run.state["automation"]["exchange_account_elements"]["trades"]) == 2


async def test_a_reset_of_the_first_buy_leaves_the_second_completed(tmp_path: Path) -> None:
    state = scripts("market('buy', 'BTC/USDT', '20q')", "market('buy', 'BTC/USDT', '10q')")
    run = recorded(state, tmp_path, {"USDT": 1000})
    await run.invoke(now=NOW)

    await run.invoke(now=NOW + 1, priority_actions=[action("again", "restart('a0', 60)")])
    assert run.completed == ["a1"]
    await run.invoke(now=NOW + 61)

    assert run.completed == ["a0", "a1"]
    assert len(run.state["automation"]["exchange_account_elements"]["trades"]) == 3


async def test_limit_then_wait_then_cancel(tmp_path: Path) -> None:
    state = automation(
        action("buy", "limit('buy', 'BTC/USDT', '10%', '-2%')"),
        action("pause", "wait(50, 100)", "buy"),
        action("cancel", "cancel_order('BTC/USDT')", "pause"),
    )
    run = recorded(state, tmp_path, {"USDT": 1000})

    due = (await run.invoke(now=NOW)).next_due_at
    assert due is not None
    assert 50 <= due - NOW <= 100
    assert len(open_orders(run)) == 1
    assert balance(run, "USDT", "available") < 1000 == balance(run, "USDT")

    forced = await run.invoke(now=NOW + 20, trigger=TriggerReason.FORCED)
    assert forced.next_due_at == due
    assert len(open_orders(run)) == 1

    outcome = await run.invoke(now=due)
    assert outcome.status is InvocationStatus.FINISHED
    assert run.result("pause") is None
    assert len(run.result("cancel")["cancelled_orders"]) == 1
    assert open_orders(run) == []
    assert balance(run, "USDT", "available") == 1000


async def test_a_wait_between_two_orders_places_each_once(tmp_path: Path) -> None:
    script = "[market('buy', 'BTC/USDT', '20q'), wait(60), market('sell', 'BTC/USDT', '100%')]"
    run = recorded(scripts(script), tmp_path, {"USDT": 1000})

    await run.invoke(now=NOW)
    await run.invoke(now=NOW + 30, trigger=TriggerReason.FORCED)
    await run.invoke(now=NOW + 60)

    trades = run.state["automation"]["exchange_account_elements"]["trades"]
    assert [trade["side"] for trade in trades] == ["buy", "sell"]


async def test_one_error_among_eight_leaves_the_others_to_see_each_others_effects(tmp_path: Path) -> None:
    orders = ["market('buy', 'BTC/USDT', '100q')"] * 8
    orders[1] = "error('not_enough_funds', 'Add more funds 2')"
    orders[7] = "total('USDT')"
    run = recorded(scripts(*orders), tmp_path, {"USDT": 1000})

    await run.invoke(now=NOW)

    assert run.statuses == [None, "not_enough_funds", *[None] * 6]
    assert Decimal(run.result("a7")["$dec"]) == balance(run, "USDT") == pytest.approx(Decimal(400), abs=1)


async def test_a_limit_order_fills_while_the_automation_sleeps(tmp_path: Path) -> None:
    rows = [(100, 101, 99, 100)] * 260
    rows[252] = (100, 101, 90, 100)
    write_candles(tmp_path, "BTC/USDT", "1h", rows, start=START)
    state = automation(
        action("buy", "limit('buy', 'BTC/USDT', '1', '95')"),
        action("pause", f"wait({5 * HOUR})", "buy"),
        action("have", "total('BTC')", "pause"),
    )
    run = Invoked(paper(state, {"USDT": 1000}, recorded={"folder": str(tmp_path)}))

    await run.invoke(now=NOW)
    await run.invoke(now=NOW + 5 * HOUR)

    trade = run.state["automation"]["exchange_account_elements"]["trades"][0]
    assert (trade["price"], trade["timestamp"]) == ("95", START + 253 * HOUR)
    assert run.result("have") == {"$dec": "0.999"}


async def test_an_order_is_not_filled_by_prices_from_before_it_existed(tmp_path: Path) -> None:
    rows = [(100, 101, 90, 100)] * 251 + [(100, 101, 99, 100)] * 9
    write_candles(tmp_path, "BTC/USDT", "1h", rows, start=START)
    state = automation(
        action("buy", "limit('buy', 'BTC/USDT', '1', '95')"), action("pause", f"wait({5 * HOUR})", "buy")
    )
    run = Invoked(paper(state, {"USDT": 1000}, recorded={"folder": str(tmp_path)}))

    await run.invoke(now=NOW + 1800)
    await run.invoke(now=NOW + 1800 + 5 * HOUR)

    assert len(open_orders(run)) == 1


async def test_an_indicator_decides_on_the_candles_known_now(tmp_path: Path) -> None:
    rows = [(100 + n, 101 + n, 99 + n, 100.5 + n) for n in range(260)]
    write_candles(tmp_path, "BTC/USDT", "1h", rows, start=START)
    state = scripts("[close[-1], ma(close, 3)[-1]]")
    state["automation"]["defaults"] = {"symbol": "BTC/USDT", "time_frame": "1h"}
    run = Invoked(paper(state, {"USDT": 1000}, recorded={"folder": str(tmp_path)}))

    await run.invoke(now=NOW)

    assert run.result("a0") == [350.0, pytest.approx((348.5 + 349.5 + 350) / 3)]


async def test_an_unknown_symbol_ends_only_the_action_that_names_it(tmp_path: Path) -> None:
    run = recorded(scripts("price('BTX/USDT')", "price('BTC/USDT')"), tmp_path, {"USDT": 1000})

    await run.invoke(now=NOW)

    assert run.statuses == ["dsl_execution_error", None]
    assert "BTC/USDT" in run.action("a0")["error_message"]


async def test_the_end_of_the_recording_is_an_error_that_keeps_the_state(tmp_path: Path) -> None:
    run = recorded(scripts("wait(60)", "price('BTC/USDT')"), tmp_path, {"USDT": 1000})
    before = json.dumps(run.state)

    with pytest.raises(ConfigurationError, match="outside the recording of BTC/USDT"):
        await run.invoke(now=NOW + 1000 * HOUR)

    assert json.dumps(run.state) == before


async def test_two_runs_with_one_seed_are_equal_and_ids_differ_with_another(tmp_path: Path) -> None:
    state = scripts("limit('buy', 'BTC/USDT', '10%', '-2%')")
    first, second = (recorded(state, tmp_path, {"USDT": 1000}) for _ in range(2))
    other = recorded(state, tmp_path, {"USDT": 1000})
    other.state["automation"]["metadata"]["seed"] = "another"
    for run in (first, second, other):
        await run.invoke(now=NOW)

    assert json.dumps(first.state) == json.dumps(second.state)
    assert open_orders(first)[0]["id"] != open_orders(other)[0]["id"]


async def test_credentials_make_an_account_live_and_a_live_account_needs_a_run_key() -> None:
    run = Invoked(paper(scripts("total('BTC')"), {}))
    run.state["exchange_account_details"]["auth_details"] = {"credential_ref": "env:KEYS"}

    with pytest.raises(ConfigurationError, match="run_key") as caught:
        await run.invoke(now=NOW)

    assert caught.value.code == "missing_run_key"
