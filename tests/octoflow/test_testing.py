"""What plug-in authors test with does what the engine would do."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest

from engine.state import OrderType
from octoflow import (
    Account,
    ActionStatus,
    Applied,
    DslError,
    Kind,
    OperatorContext,
    OperatorError,
    OperatorSet,
    OrderRequest,
    Placed,
    Planned,
    ReCallingOperatorResult,
    Symbol,
    SymbolParam,
    done,
    later,
    operator,
)
from octoflow.testing import NOW, AutomationUnderTest, MemoryMarket, evaluate, registry_with, run_script

HOUR = 3_600
BTC = Symbol("BTC/USDT")
SET = OperatorSet("tested", "Operators of these tests.")


@operator(SET, kind=Kind.READ, suspends=True, example="twice()")
def twice(context: OperatorContext) -> Any:
    """Be called again, after a minute and then after an hour."""
    seen = (context.last_execution_result or {}).get("seen", 0)
    return seen if seen == 2 else ReCallingOperatorResult("twice", [60.0, 3600.0][seen], {"seen": seen + 1})


@operator(SET, kind=Kind.READ, example="refuse()")
def refuse(context: OperatorContext) -> None:
    """Refuse."""
    raise OperatorError(ActionStatus.NOT_ENOUGH_FUNDS)


@operator(SET, kind=Kind.EFFECT, source="orders", example="buy_one('BTC/USDT')")
def buy_one(
    context: OperatorContext, symbol: Annotated[str, SymbolParam()], price: Decimal | None = None
) -> Any:
    """Buy one, at the market or at a price."""
    placed = done(context, Placed)
    if placed is not None:
        return [one.order.status for one in placed]
    kind: OrderType = "market" if price is None else "limit"
    request = OrderRequest(kind, "buy", Symbol(symbol), Decimal(1), price)
    orders = context.service(Account).place(request, context.key)
    return later(context, orders) if isinstance(orders, Planned) else [order.status for order in orders]


@operator(SET, kind=Kind.EFFECT, source="orders", example="forgetful('BTC/USDT')")
def forgetful(context: OperatorContext, symbol: Annotated[str, SymbolParam()]) -> None:
    """Place an order and never ask what became of it."""
    context.service(Account).place(OrderRequest("market", "buy", Symbol(symbol), Decimal(1)), context.key)


@operator(SET, kind=Kind.EFFECT, source="orders", example="double('BTC/USDT:USDT')")
def double(context: OperatorContext, symbol: Annotated[str, SymbolParam()]) -> Any:
    """Set the leverage to two."""
    if done(context, Applied):
        return "done"
    set_to = context.service(Account).set_leverage(Symbol(symbol), Decimal(2), context.key)
    return later(context, set_to) if isinstance(set_to, Planned) else "done"


# Scripts


def test_waits_take_no_time_and_are_told() -> None:
    ran = run_script("[twice(), now()]", SET)
    assert ran.value == [2, NOW + 60 + 3600]
    assert ran.waits == (60.0, 3600.0)
    assert ran.ended_at == NOW + 3660


def test_a_script_that_never_ends_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="loop_until\\(\\) still waits after 5 waits"):
        run_script("loop_until(False, 60)", max_waits=5)


def test_errors_are_those_of_the_engine() -> None:
    with pytest.raises(OperatorError) as refused:
        evaluate("refuse()", SET)
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS
    with pytest.raises(DslError, match="line 1, column 5") as wrong:
        evaluate("1 + nonsense()", SET)
    assert wrong.value.code == "unknown_operator"


def test_what_the_script_asks_of_the_job_is_told() -> None:
    ran = run_script("[notify('look'), stop_automation()]")
    assert ran.notes == ("look",)
    assert ran.stops


def test_without_a_market_there_is_no_exchange() -> None:
    with pytest.raises(DslError, match="needs an exchange account"):
        evaluate("total('BTC')")
    assert evaluate("total('BTC')", holdings={"BTC": "0.5"}) == Decimal("0.5")


def test_a_set_that_is_installed_counts_once() -> None:
    registry = registry_with(SET)
    assert registry.get("twice") is not None
    assert [one for one in registry.sets() if one is SET] == [SET]


# Markets


def test_prices_stand_still_until_they_are_set() -> None:
    market = MemoryMarket({"BTC/USDT": "50000.5"})
    assert evaluate("price('BTC/USDT')", market=market) == Decimal("50000.5")
    assert list(evaluate("close('BTC/USDT', '4h')[-3:]", market=market)) == [50000.5] * 3
    assert evaluate("price('BTC/USDT')", market=market.set_price("BTC/USDT", 7)) == 7


def test_the_last_candle_runs_now_and_the_price_stands_still_behind_it() -> None:
    market = MemoryMarket().add_candles("BTC/USDT", "1h", [100, 104, 96, 102])
    for now, expected in [(NOW - HOUR, [100, 104, 96]), (NOW, [104, 96, 102]), (NOW + HOUR, [96, 102, 102])]:
        assert list(evaluate("close('BTC/USDT', '1h')[-3:]", market=market, now=now)) == expected
        assert evaluate("price('BTC/USDT')", market=market, now=now) == expected[-1]
    assert list(evaluate("high('BTC/USDT', '1h')", market=market)) == [100, 104, 104, 102]


def test_whole_candles_can_be_given() -> None:
    rows = [(1, 4, 0.5, 2), (2, 3, 1, 1.5, 7)]
    market = MemoryMarket().add_candles("BTC/USDT", "1h", rows)
    assert evaluate("[low('BTC/USDT', '1h')[0], volume('BTC/USDT', '1h')[1]]", market=market) == [0.5, 7]
    with pytest.raises(ValueError, match="a candle has open, high, low and close"):
        MemoryMarket().add_candles("BTC/USDT", "1h", [(1, 2)])
    with pytest.raises(ValueError, match="'1x' is no time frame"):
        MemoryMarket().add_candles("BTC/USDT", "1x", [1])
    with pytest.raises(ValueError, match="no candles were given"):
        MemoryMarket().add_candles("BTC/USDT", "1h", [])


def test_what_was_not_given_is_said() -> None:
    market = MemoryMarket().add_candles("BTC/USDT", "1h", [100])
    with pytest.raises(DslError, match="in 1h, and none in 4h"):
        evaluate("close('BTC/USDT', '4h')", market=market)
    with pytest.raises(DslError, match="begin after"):
        evaluate("close('BTC/USDT', '1h')", market=market, now=NOW - 2 * HOUR)
    with pytest.raises(DslError, match="ETH/USDT"):
        evaluate("price('ETH/USDT')", market=market)


# Effects


def test_orders_fill_where_the_market_reaches_them() -> None:
    market = MemoryMarket().add_candles(
        "BTC/USDT", "1h", [(100, 100, 100, 100), (100, 100, 89, 95), (95, 95, 95, 95)], start=NOW
    )
    script = "[limit('buy', 'BTC/USDT', 1, 90), wait(7200), total('BTC')]"
    ran = run_script(script, market=market, holdings={"USDT": 100})
    assert ran.value[2] == Decimal("0.999")
    assert ran.holdings == {"USDT": 10, "BTC": Decimal("0.999")}
    assert [trade.price for trade in ran.trades] == [90]
    assert ran.orders == ()


@pytest.mark.parametrize("plans", [False, True])
def test_the_same_happens_at_once_and_when_it_is_planned_first(plans: bool) -> None:
    market = MemoryMarket({"BTC/USDT": 100})
    script = "[buy_one('BTC/USDT'), buy_one('BTC/USDT', 90)]"
    ran = run_script(script, SET, market=market, holdings={"USDT": 1000}, plans=plans)
    assert ran.value == [["closed"], ["open"]]
    assert ran.holdings["USDT"] == 900
    assert [order.price for order in ran.orders] == [90]
    assert ran.waits == ((0, 0) if plans else ())


@pytest.mark.parametrize("plans", [False, True])
def test_a_refusal_is_raised_by_the_operator(plans: bool) -> None:
    market = MemoryMarket({"BTC/USDT": 100})
    with pytest.raises(OperatorError) as refused:
        run_script("buy_one('BTC/USDT')", SET, market=market, holdings={"USDT": 1}, plans=plans)
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS


def test_an_operator_that_does_not_wait_for_its_effects_is_caught() -> None:
    market = MemoryMarket({"BTC/USDT": 100})
    assert run_script("forgetful('BTC/USDT')", SET, market=market, holdings={"USDT": 1000}).trades
    with pytest.raises(DslError, match="did not wait for them"):
        run_script("forgetful('BTC/USDT')", SET, market=market, holdings={"USDT": 1000}, plans=True)


@pytest.mark.parametrize("plans", [False, True])
@pytest.mark.parametrize(
    ("script", "symbol"),
    [
        ("double('BTC/USDT:USDT')", "BTC/USDT:USDT"),
        ("limit('buy', 'BTC/USDT', 1, 90) and cancel_order('BTC/USDT')", "BTC/USDT"),
        ("market('buy', 'BTC/USDT', 1)", "BTC/USDT"),
    ],
)
def test_built_in_effects_can_be_planned_too(script: str, symbol: str, plans: bool) -> None:
    market = MemoryMarket({symbol: 100})
    ran = run_script(script, SET, market=market, holdings={"USDT": 1000}, plans=plans)
    assert ran.value
    assert ran.orders == ()


# Automations

FILE = """
name: Buys later
exchange: binance
symbol: BTC/USDT
portfolio: {USDT: 1000}
actions:
  rest: twice()
  buy: {run: "market('buy', 'BTC/USDT', 1)", after: rest}
"""


def test_an_automation_runs_to_its_end() -> None:
    automation = AutomationUnderTest(FILE, SET, market=MemoryMarket({"BTC/USDT": 100}))
    assert automation.run().status == "finished"
    assert automation.result("rest") == 2
    assert automation.now == NOW + 3660
    assert automation.holdings["BTC"] == Decimal("0.999")


def test_it_can_be_left_before_that() -> None:
    automation = AutomationUnderTest(FILE, SET, market=MemoryMarket({"BTC/USDT": 100}))
    assert automation.run(until=NOW + 600).next_due_at == NOW + 3660
    assert automation.now == NOW + 600
    with pytest.raises(AssertionError, match="rest has not completed"):
        automation.result("rest")
    question = {"id": "question", "dsl_script": "total('USDT')"}
    assert automation.invoke(priority_actions=[question]).values == {"question": "1000"}
    automation.invoke(forced=True)
    assert automation.result("rest") == 2


def test_an_action_that_failed_fails_the_test() -> None:
    automation = AutomationUnderTest(automation_of("refuse()"), SET)
    automation.run()
    with pytest.raises(AssertionError, match="a failed \\(not_enough_funds\\)"):
        automation.result("a")
    with pytest.raises(KeyError):
        automation.result("nonsense")


def test_an_automation_without_end_fails_the_test() -> None:
    automation = AutomationUnderTest(automation_of("loop_until(False, 60)"))
    with pytest.raises(AssertionError, match="did not end within 3 invocations"):
        automation.run(max_invocations=3)


def test_real_funds_are_refused() -> None:
    live = FILE.replace("portfolio: {USDT: 1000}", "credentials: env:BINANCE")
    with pytest.raises(ValueError, match="tests are made on paper"):
        AutomationUnderTest(live, SET)


def automation_of(script: str) -> dict[str, Any]:
    """A state with one action."""
    return {
        "schema_version": 1,
        "automation": {
            "metadata": {"automation_id": "test", "seed": "seed"},
            "actions_dag": {"actions": [{"id": "a", "dsl_script": script}]},
        },
    }
