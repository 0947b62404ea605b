"""How a package tests its operators: `pytest` in this folder, beside an installed Octoflow."""

from __future__ import annotations

from decimal import Decimal

import pytest

from example_operators import SET
from octoflow import DslError
from octoflow.testing import NOW, AutomationUnderTest, MemoryMarket, evaluate

HOUR = 3_600


def test_the_newest_value_is_measured_against_its_period() -> None:
    assert evaluate("round(zscore([1, 2, 3, 2, 1, 9], 5)[-1], 3)", SET) == 1.951


def test_candles_are_fetched_for_it() -> None:
    market = MemoryMarket().add_candles("BTC/USDT", "4h", [100, 101, 100, 101, 80])
    assert evaluate("zscore(close('BTC/USDT', '4h'), 5)[-1] < -1.9", SET, market=market)


def test_a_period_of_one_has_no_deviation() -> None:
    with pytest.raises(DslError, match="period must be a whole number, at least 2") as refused:
        evaluate("zscore([1, 2], 1)", SET)
    assert refused.value.code == "invalid_parameters"


@pytest.mark.parametrize(("hour", "expected"), [(12, False), (13, True), (19, True), (20, False)])
def test_a_session_ends_before_its_closing_hour(hour: int, expected: bool) -> None:
    assert evaluate("in_session(13, 20)", SET, now=NOW + hour * HOUR) is expected


def test_there_is_no_session_at_the_weekend() -> None:
    saturday = NOW + 3 * 24 * HOUR
    assert not evaluate("in_session(0, 24)", SET, now=saturday)


AUTOMATION = """
name: Buys weakness in the session
exchange: binance
symbol: BTC/USDT
time_frame: 4h
portfolio: {USDT: 1000}
actions:
  open: loop_until(in_session(13, 20), 3600)
  buy: market('buy', 'BTC/USDT', '100%') if $open and zscore(close, 5)[-1] < -1.9 else None
"""


def test_an_automation_buys_when_the_session_opens() -> None:
    prices = [100, 101, 100, 101, 100, 101, 80]  # the last one from 12:00 on
    market = MemoryMarket().add_candles("BTC/USDT", "4h", prices, start=NOW - 12 * HOUR)
    automation = AutomationUnderTest(AUTOMATION, SET, market=market)
    assert automation.run().status == "finished"
    assert automation.now == NOW + 13 * HOUR
    assert automation.holdings["BTC"] == Decimal("12.5") * Decimal("0.999")
