"""Indicators against numbers worked out elsewhere, and against plain definitions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dsl import Defaults, compile_script
from engine.errors import DslError
from engine.operators import default_registry
from engine.operators.indicators import atr, ema, ma, macd, rsi
from tests.support.memory_market import MemoryMarket
from tests.support.paper import run_script

PRICES = [
    81.59, 81.06, 82.87, 83.0, 83.61, 83.15, 82.84, 83.99,
    84.55, 84.36, 85.53, 86.54, 86.89, 87.77, 87.29, 87.18,
    87.01, 89.02, 89.68, 90.36, 92.83, 93.37, 93.02, 93.45,
    94.13, 93.12, 93.18, 92.08, 92.82, 92.92, 92.25, 92.22,
]  # fmt: skip


async def value(script: str) -> Any:
    """The value of a script in which `prices` are the closes above."""
    result = (await run_script(f"prices = {PRICES}\n{script}", MemoryMarket({}), {})).value
    return result.tolist() if hasattr(result, "tolist") else result


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ma([1, 2, 3, 4], 2)", [1.5, 2.5, 3.5]),
        ("ma([1, 2, 3, 4], 2.9)", [1.5, 2.5, 3.5]),
        ("ma([1, 2, 3, 4], 1)", [1, 2, 3, 4]),
        ("ma(prices, 14)[:4]", [84.125, 84.53214285714286, 84.96928571428572, 85.265]),
        ("ema([1, 2, 3, 4], 1)", [1, 2, 3, 4]),
        ("ema(prices, 14)[:4]", [81.59, 81.51933333333334, 81.69942222222222, 81.8728325925926]),
        ("vwma([1, 2, 3, 4], [1, 1, 1, 1], 2)", [1.5, 2.5, 3.5]),
        ("vwma([1, 3], [3, 1], 2)", [1.5]),
        ("rsi([1, 2, 3], 2)", [100]),
        ("[round(rsi(prices, 26)[-1] - rsi(prices, 14)[-1], 2)]", [6.74]),
        (
            "macd(prices, 12, 26, 9)",
            [0, -0.0334138526187191, -0.14251221731962938, -0.18284964725799746, -0.2158375755250761,
             -0.28820990740817143, -0.34256128869911695],
        ),
        (
            "macd(prices, 9, 26, 9)",
            [0, -0.0909642597738185, -0.29218134704312204, -0.359686484018388, -0.40706291880759826,
             -0.5158574374368539, -0.588114703266243],
        ),
    ],
)  # fmt: skip
async def test_known_numbers(script: str, expected: Sequence[float]) -> None:
    assert await value(script) == pytest.approx(expected, abs=1e-9)


async def test_the_newest_value_is_the_last_and_the_warm_up_is_dropped() -> None:
    assert [
        len(await value(script)) for script in ("rsi(prices, 14)", "ma(prices, 14)", "ema(prices, 14)")
    ] == [
        len(PRICES) - 14,
        len(PRICES) - 13,
        len(PRICES),
    ]


async def test_while_nothing_moves_there_is_no_strength() -> None:
    flat_then_moving = await value("rsi([5, 5, 5, 5, 6, 7], 2)")
    assert [math.isnan(strength) for strength in flat_then_moving] == [True, True, False, False]
    assert all(map(math.isnan, await value("rsi([5, 5, 5], 1)")))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("highest([1, 3, 2, 1], 2)", [3, 3, 2]),
        ("lowest([1, 3, 2, 1], 2)", [1, 2, 1]),
        ("stddev([1, 3, 3], 2)", [1, 0]),
        ("change([1, 3, 2, 7])", [2, -1, 5]),
        ("change([1, 3, 2, 7], 2)", [1, 4]),
        ("atr([2, 3, 9], [1, 1, 3], [1, 2, 4], 2)", [4.5]),
        ("bollinger([1, 3, 3], 2)['upper']", [4, 3]),
        ("bollinger([1, 3, 3], 2, 1)['lower']", [1, 3]),
        ("stochastic([2, 4, 4], [1, 1, 2], [1, 4, 3], 2, 1, 2)['k']", [100, 100 * 2 / 3]),
        ("stochastic([2, 4, 4], [1, 1, 2], [1, 4, 3], 2, 1, 2)['d']", [250 / 3]),
        ("[crossover([1, 3], [2, 2]), crossover([1, 3], 2), crossover([3, 4], 2)]", [True, True, False]),
        ("[crossunder([3, 1], [2, 2]), crossunder([3, 1], 2), crossunder([2, 2], 2)]", [True, True, False]),
        ("[crossover([1, 2, 3], [9, 2, 2])]", [True]),
    ],
)
async def test_small_examples_worked_out_by_hand(script: str, expected: Sequence[float]) -> None:
    assert await value(script) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("crossover([1], [2])", "evaluation"),
        ("atr([1, 2], [1], [1, 2], 1)", "invalid_parameters"),
        ("rsi(prices, 999999)", "evaluation"),
        ("rsi([1, 2, 3, 4], 4)", "evaluation"),
        ("rsi(prices, -1)", "evaluation"),
        ("ma(prices, 0)", "evaluation"),
        ("ema([], 2)", "evaluation"),
        ("rsi([1, 2, 'a'], 2)", "evaluation"),
        ("ma([1, '2', 3], 2)", "evaluation"),
        ("macd([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 4, 2, 2)", "evaluation"),
        ("macd(prices, 12, 26, 0)", "evaluation"),
        ("ma([1, 2, 3, 4], '2')", "invalid_parameters"),
        ("rsi('a', 14)", "invalid_parameters"),
        ("vwma([1, 2, 3, 4], [1, 1], 2)", "invalid_parameters"),
        ("vwma(prices, 14, 20)", "invalid_parameters"),
        ("ema(prices)", "invalid_parameters"),
    ],
)
async def test_what_cannot_be_computed_is_refused(script: str, code: str) -> None:
    with pytest.raises(DslError) as refused:
        await value(script)
    assert refused.value.code == code


@settings(deadline=None)  # the first example imports numpy and TA-Lib
@given(
    prices=st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=3, max_size=60),
    period=st.integers(min_value=1, max_value=60),
)
def test_averages_follow_their_definitions(prices: list[float], period: int) -> None:
    period = min(period, len(prices))
    windows = [prices[end - period : end] for end in range(period, len(prices) + 1)]
    means = [math.fsum(one) / period for one in windows]
    assert np.asarray(ma(prices, period)).tolist() == pytest.approx(means, rel=1e-6)
    factor, average = 2 / (period + 1), prices[0]
    expected = [average := average + factor * (price - average) for price in prices]
    assert np.asarray(ema(prices, period)).tolist() == pytest.approx(expected, rel=1e-6)


def _walk(seed: int, count: int, start: float) -> list[float]:
    dice, price = random.Random(seed), start
    return [price := price * (1 + dice.gauss(0, 0.01)) for _ in range(count)]


RECURSIVE: Mapping[str, Callable[[Any, int], Any]] = {
    "ema(close, n)": ema,
    "rsi(close, n)": rsi,
    "atr(high, low, close, n)": lambda close, n: atr(close * 1.01, close * 0.99, close, n),
    "macd(close, n, n, n)": lambda close, n: macd(close, n, n, n),
    "macd(close, 1, n, 3)": lambda close, n: macd(close, 1, n, 3),
    "macd(close, 12, 26, 9)": lambda close, _: macd(close, 12, 26, 9),
    "ema(rsi(close, n), 9)": lambda close, n: ema(rsi(close, n), 9),
    "rsi(ema(close, n), 9)": lambda close, n: rsi(ema(close, n), 9),
    "macd(ema(close, 5), 2, n, n)": lambda close, n: macd(ema(close, 5), 2, n, n),
}


@pytest.mark.parametrize("script", RECURSIVE)
@pytest.mark.parametrize("period", [2, 3, 14, 50, 200])
@pytest.mark.parametrize("past", [5.0, 100.0, 2_000.0])
def test_what_lies_before_its_window_does_not_move_an_indicator(
    script: str, period: int, past: float
) -> None:
    compiled = compile_script(f"n = {period}\n{script}[-1]", default_registry())
    (need,) = {one.least for one in compiled.dependencies(Defaults("BTC/USDT", "1h"))}
    recent, compute = _walk(1, need, 100.0), RECURSIVE[script]

    alone = float(compute(np.array(recent), period)[-1])
    behind = float(compute(np.array([*_walk(2, 1_000, past), *recent]), period)[-1])

    # A histogram crosses zero, a strength comes near it: a thousandth of their scale counts.
    assert behind == pytest.approx(alone, rel=1e-6, abs=0 if script.startswith(("ema", "atr")) else 1e-7)
