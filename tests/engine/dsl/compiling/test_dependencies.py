"""Which market data a script asks for, known before it runs."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dsl import DataDependency, Defaults, compile_script
from engine.errors import DslError
from engine.operators import default_registry

BTC, ETH = "BTC/USDT", "ETH/USDT"


def dependencies(
    text: str, *, symbol: str | None = None, time_frame: str | None = None, **given: Any
) -> object:
    script = compile_script(text, default_registry())
    found = script.dependencies(Defaults(symbol, time_frame), **given)
    return [(one.symbol, one.time_frame, one.source) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 1", []),
        ("price('BTC/USDT')", [(BTC, None, "price")]),
        ("price('BTC' + '/USDT')", [(BTC, None, "price")]),
        ("close('BTC/USDT', '1h')", [(BTC, "1h", "candles")]),
        ("close(time_frame='4h', symbol='BTC/USDT')", [(BTC, "4h", "candles")]),
        ("close(**{'symbol': 'BTC/USDT', 'time_frame': '4h'})", [(BTC, "4h", "candles")]),
        ("price('BTC/USDT') if False else price('ETH/USDT')", [(BTC, None, "price"), (ETH, None, "price")]),
        ("False and price('BTC/USDT')", [(BTC, None, "price")]),
        ("{'a': [price('BTC/USDT')]}['a'][0]", [(BTC, None, "price")]),
        ("price('BTC/USDT') * price('BTC/USDT')", [(BTC, None, "price")]),
        ("if_error(1, \"price('BTC/USDT')\")", [(BTC, None, "price")]),
        ("value_if(1, \" < price('BTC/USDT')\")", [(BTC, None, "price")]),
        ("loop_until(price('BTC/USDT') > 5, 1)", [(BTC, None, "price")]),
        ("s = 'BTC/USDT'\nprice(s)", [(BTC, None, "price")]),
        ("price('BTC/USDT' if now() > 0 else 'ETH/USDT')", [(BTC, None, "price"), (ETH, None, "price")]),
        ("total('BTC')", []),
    ],
)  # fmt: skip
def test_dependencies_are_found_over_all_branches(text: str, expected: object) -> None:
    assert dependencies(text) == expected


def test_the_automations_own_symbol_and_time_frame_stand_in() -> None:
    assert dependencies("close[-1]", symbol=BTC, time_frame="1h") == [(BTC, "1h", "candles")]
    assert dependencies("close(None, '4h')", symbol=BTC, time_frame="1h") == [(BTC, "4h", "candles")]
    assert dependencies("price + close") == []


def test_a_symbol_from_another_action_is_bound_first() -> None:
    assert dependencies("price($pick.symbol)", references={"pick": {"symbol": ETH}}) == [(ETH, None, "price")]
    assert dependencies("price(symbol=UNRESOLVED_PARAMETER)", parameters={"symbol": ETH}) == [
        (ETH, None, "price")
    ]


@pytest.mark.parametrize("text", ["1 + price($pick.symbol)", "price(str(now()))", "price(wait(5))"])
def test_a_symbol_that_cannot_be_known_is_an_error_naming_the_expression(text: str) -> None:
    with pytest.raises(DslError, match=r"the symbol of `price\(.*\)` cannot be known before the script runs"):
        dependencies(text)


def test_an_unknown_time_frame_is_refused() -> None:
    with pytest.raises(DslError, match="must be one of") as caught:
        dependencies("close('BTC/USDT', '9h')")
    assert caught.value.code == "invalid_parameters"


def test_a_compiled_script_knows_what_it_is() -> None:
    text = "x = $buy.amount\nmax(x, round(2.5, digits=UNRESOLVED_PARAMETER))"
    script = compile_script(text, default_registry())
    assert script.references == {"buy"}
    assert script.parameters == {"digits"}
    assert script.operators == ("max", "round")
    assert script.is_static
    assert script.is_plain
    assert not script.calls_effects
    assert not script.needs_exchange
    assert compile_script("total('BTC')", default_registry()).needs_exchange
    assert compile_script("stop_automation()", default_registry()).calls_effects
    assert not compile_script("price()", default_registry()).is_static


EMA, WILDER = 10, 20
"""Periods that recursive indicators run over."""


@pytest.mark.parametrize(
    ("text", "candles"),
    [
        ("close[-1]", 1),
        ("close[-3] + close[-2]", 3),
        ("ma(close, 50)[-1] > ma(close, 300)[-1]", 300),
        ("ma(close - open, 20)[-1]", 20),
        ("mean(close[-3:])", 3),
        ("x = close\ny = ma(x, 30)\ny[-1] - x[-1]", 30),
        ("value_if(1, ' < ma(close, 12)[-1]')", 12),
        ("ma(close if now() > 0 else open, 9)[-1]", 9),
        ("n = 300\nma(close, n)[-2]", 301),
        ("ma(close, $period.value)[-1]", 70),
        ("close[-$period.value]", 70),
        ("close[-$period.value:-5]", 70),
        ("ma(close[:-2], 20)[-1]", 22),
        ("bollinger(close, 300)['upper'][-1]", 300),
        ("stochastic(high, low, close, 300)['d'][-1]", 306),
        ("crossover(ma(close, 300), close)", 301),
        ("1 if crossunder(ma(close, 300), 5) else 2", 301),
    ],
)
def test_the_number_of_candles_is_what_the_newest_values_need(text: str, candles: int) -> None:
    script = compile_script(text, default_registry())
    found = script.dependencies(Defaults(BTC, "1h"), {"period": {"value": 70}})
    assert {(one.candles, one.least) for one in found} == {(candles, candles)}


@pytest.mark.parametrize(
    ("text", "candles"),
    [
        ("ema(close, 9)[-1]", 9 * EMA),
        ("rsi(close, 14)[-1]", 14 * WILDER + 1),
        ("atr(high, low, close, 14)[-1]", 14 * WILDER + 1),
        ("macd(close, 50, 200, 50)[-1]", (200 + 50) * EMA),
        ("ma(rsi(close, 14), 5)[-2]", 14 * WILDER + 1 + 5),
        ("ema(rsi(close, 14), 9)[-1]", 14 * WILDER + 9 * EMA),
        ("ema(ema(close, 9), 5)[-1]", 9 * EMA + 5 * EMA - 1),
        ("crossover(ema(close, 12), ema(close, 26))", 26 * EMA + 1),
        ("crossover(rsi(close, 14), 30) and True", 14 * WILDER + 2),
    ],
)
def test_recursive_indicators_run_over_a_multiple_of_their_periods(text: str, candles: int) -> None:
    script = compile_script(text, default_registry())
    assert {one.least for one in script.dependencies(Defaults(BTC, "1h"))} == {candles}


@pytest.mark.parametrize(
    ("text", "candles", "least"),
    [
        ("close", 200, 1),
        ("close[0]", 200, 1),
        ("mean(close)", 200, 1),
        ("close[5:]", 200, 1),
        ("close[::2]", 200, 1),
        ("close[:-3]", 203, 4),
        ("ma(close, int(now()))[-1]", 200, 1),
        ("ma(close, $later)[-1]", 200, 1),
        ("max(ma(close, 30))", 229, 30),
        ("ema(close, 100)", 100 * EMA + 199, 100 * EMA),
        ("[max(close), close[-500]]", 500, 500),
    ],
)
def test_where_the_number_cannot_be_told_the_newest_200_count(text: str, candles: int, least: int) -> None:
    script = compile_script(text, default_registry())
    found = script.dependencies(Defaults(BTC, "1h"))
    assert {(one.candles, one.least) for one in found} == {(candles, least)}


def test_what_needs_the_most_candles_is_known_by_name() -> None:
    script = compile_script("ema(rsi(close, 14), 9)[-1] + ma(close, 20)[-1] + open[-900]", default_registry())
    both = script.dependencies(Defaults(BTC, "1h"))
    assert [one.shown_reader for one in both] == ["the script"]
    script = compile_script("close[-5] + ema(rsi(close, 14), 9)[-1]", default_registry())
    assert [one.shown_reader for one in script.dependencies(Defaults(BTC, "1h"))] == [
        "ema(rsi(close, 14), 9)"
    ]


def test_equal_dependencies_are_one() -> None:
    assert len({DataDependency(BTC, "1h", "candles"), DataDependency(BTC, "1h", "candles")}) == 1


def test_scripts_are_compiled_once() -> None:
    registry = default_registry()
    assert compile_script("1 + 1", registry) is compile_script("1 + 1", registry)
