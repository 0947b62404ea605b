"""What an action comes to does not depend on its siblings: on what else asks for candles, or asked before."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.builders import Invoked, State, action, automation, paper
from tests.support.market import write_candles
from tests.support.public_exchange import PublicExchange, serving

HOUR = 3_600
COUNT = 3_000
START = 1_600_000_000 - 1_600_000_000 % (24 * HOUR)
NOW = float(START + (COUNT - 1) * HOUR + 1_800)

Row = tuple[float, float, float, float]


def walk(seed: int, count: int) -> list[Row]:
    """Candles whose price falls to a third and comes back, so that what lies far back would be seen."""
    dice, price = random.Random(seed), 300.0
    rows = []
    for number in range(count):
        opened = price
        drift = 0.0008 * math.cos(math.tau * number / count)
        price = opened * (1 - drift + dice.gauss(0, 0.01))
        rows.append((opened, max(opened, price) * 1.004, min(opened, price) * 0.996, price))
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs in candles of an hour, one of them in four hours too."""
    made = tmp_path_factory.mktemp("market")
    write_candles(made, "BTC/USDT", "1h", walk(1, COUNT), start=START)
    write_candles(made, "ETH/USDT", "1h", walk(2, COUNT), start=START)
    write_candles(made, "BTC/USDT", "4h", walk(3, COUNT // 4), start=START)
    return made


# Scripts.

MARKETS = ["'BTC/USDT', '1h'", "'ETH/USDT', '1h'", "'BTC/USDT', '4h'"]
PERIODS = st.sampled_from([1, 2, 5, 9, 14, 26, 60, 200])
SHORT = st.sampled_from([2, 3, 9, 14])


@st.composite
def series(draw: st.DrawFn, market: str, depth: int = 0) -> str:
    """A series: a column, an indicator, or an indicator of an indicator."""
    if depth == 2 or (depth and draw(st.booleans())):
        return f"{draw(st.sampled_from(['close', 'open', 'high', 'volume']))}({market})"
    inner, period = draw(series(market, depth + 1)), draw(PERIODS if not depth else SHORT)
    highs, lows, closes = (f"{name}({market})" for name in ("high", "low", "close"))
    return draw(
        st.sampled_from(
            [
                f"ma({inner}, {period})",
                f"ema({inner}, {period})",
                f"rsi({inner}, {period})",
                f"macd({inner}, {period}, {2 * period}, {period})",
                f"atr({highs}, {lows}, {closes}, {period})",
                f"vwma({closes}, volume({market}), {period})",
                f"bollinger({inner}, {period})['upper']",
                f"stochastic({highs}, {lows}, {closes}, {period})['d']",
                f"highest({inner}, {period})",
                f"lowest({inner}, {period})",
                f"stddev({inner}, {period})",
                f"change({inner}, {period})",
            ]
        )
    )


@st.composite
def script(draw: st.DrawFn) -> str:
    """A script that looks at a series in one of many ways."""
    market = draw(st.sampled_from(MARKETS))
    one, other = draw(series(market)), draw(series(market))
    number = draw(st.integers(1, 600))
    return draw(
        st.sampled_from(
            [
                f"{one}[-1]",
                f"{one}[-{number}]",
                f"{one}[-3:]",
                f"mean({one}[-{number}:])",
                f"max({one})",
                f"{one}[0]",
                f"{one}[:-2][-1]",
                f"len({one})",
                f"len(close({market}))",
                f"first(close({market}))",
                f"crossover({one}, {other})",
                f"crossunder({one}, {number})",
                f"n = {number}\nma(close({market}), n)[-1]",
                f"x = {one}\ny = ma(x, 5)\n[x[-1] - y[-1], x[-2] > y[-2]]",
                f"price('BTC/USDT') + {one}[-1]",
            ]
        )
    )


# Running them.


@dataclass(frozen=True)
class Place:
    """Where the market comes from."""

    details: dict[str, Any]

    async def values(self, *texts: str) -> list[Any]:
        """What each script comes to, as actions of one automation: its result, or its error."""
        state: State = automation(*(action(f"a{number}", text) for number, text in enumerate(texts)))
        run = Invoked(paper(state, {"USDT": 1_000}, **self.details))
        await run.invoke(now=NOW)
        stored = [run.action(f"a{number}") for number in range(len(texts))]
        return [(one.get("result"), one.get("error_status"), one.get("error_message")) for one in stored]


SIBLINGS = [
    "close('BTC/USDT', '1h')[-499]",
    "ma(close('BTC/USDT', '1h'), 999)[-1]",
    "ema(close('ETH/USDT', '1h'), 99)[-1]",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(script(), min_size=2, max_size=3))
async def test_a_script_comes_to_the_same_alone_and_beside_others(folder: Path, texts: list[str]) -> None:
    market = Place({"recorded": {"folder": str(folder)}})
    alone = [(await market.values(text))[0] for text in texts]
    assert await market.values(*texts) == alone
    assert await market.values(*reversed(texts)) == alone[::-1]
    assert (await market.values(*SIBLINGS, *texts))[len(SIBLINGS) :] == alone


@pytest.mark.parametrize(
    "text",
    ["ema(close, 200)[-1]", "macd(close, 50, 200, 50)[-1]", "rsi(close, 14)[-1]", "max(ema(close, 100))"],
)
async def test_the_examples_that_depended_on_siblings(folder: Path, text: str) -> None:
    market = Place({"recorded": {"folder": str(folder)}})
    text = text.replace("close", "close('BTC/USDT', '1h')")
    alone = await market.values(text)
    assert (await market.values(text, *SIBLINGS))[:1] == alone


# The same over an exchange, whose candles the process shares.

TEXTS = [
    "ema(close('BTC/USDT', '1h'), 100)[-1]",
    "rsi(close('BTC/USDT', '1h'), 14)[-1]",
    "macd(close('BTC/USDT', '1h'), 50, 200, 50)[-1]",
    "ma(close('BTC/USDT', '1h'), 450)[-1]",
    "[len(close('BTC/USDT', '1h')), close('BTC/USDT', '1h')[0]]",
]


@pytest.fixture
async def exchange() -> Any:
    async with serving("BTC", "ETH") as served:
        served.candles = [
            ((START + number * HOUR) * 1_000, str(opening), str(high), str(low), str(close), "100")
            for number, (opening, high, low, close) in enumerate(walk(1, COUNT))
        ]
        yield served


def place(exchange: PublicExchange, fresh: Iterator[int] = itertools.count()) -> Place:
    """The exchange under an address of its own, of which nothing is cached yet."""
    return Place({"url": f"{exchange.url}/{next(fresh)}"})


@pytest.mark.parametrize("page", [300, 1_000])
async def test_what_the_process_has_cached_changes_nothing(exchange: PublicExchange, page: int) -> None:
    exchange.page = page
    alone = [(await place(exchange).values(text))[0] for text in TEXTS]
    assert await place(exchange).values(*TEXTS) == alone
    assert await place(exchange).values(*reversed(TEXTS)) == alone[::-1]
    for order in (TEXTS, TEXTS[::-1]):
        shared = place(exchange)
        each = {text: (await shared.values(text))[0] for text in order}
        assert [each[text] for text in TEXTS] == alone, "automations of one process share its caches"


async def test_an_exchange_that_answers_in_pages_gives_what_a_recording_gives(
    exchange: PublicExchange, folder: Path
) -> None:
    recorded = Place({"recorded": {"folder": str(folder)}})
    exchange.page = 300
    for (found, *_), (expected, *_) in zip(
        await place(exchange).values(*TEXTS[:4]), await recorded.values(*TEXTS[:4]), strict=True
    ):
        # The recorded running candle is its open, the exchange's is the price now.
        assert found == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("ema({close}, 400)[-1]", "'a0': ema({close}, 400) has 3,000 of 4,000 candles of BTC/USDT 1h"),
        (
            "ema({close}, 400)[-1] + {close}[-9]",
            "'a0': ema({close}, 400) has 3,000 of 4,000 candles of BTC/USDT 1h",
        ),
        ("len({close}[-3500:])", "'a0': the script has 3,000 of 3,500 candles of BTC/USDT 1h"),
        ("max({close}) + ema({close}, 200)[-1]", None),
        ("ema({close}, 400)[-1] if price('BTC/USDT') < 0 else 1", None),
    ],
)
async def test_what_there_is_too_little_of_is_said_once(folder: Path, text: str, note: str | None) -> None:
    close = "close('BTC/USDT', '1h')"
    state = automation(action("a0", text.replace("{close}", close)))
    run = Invoked(paper(state, {"USDT": 1_000}, recorded={"folder": str(folder)}))
    outcome = await run.invoke(now=NOW)
    assert outcome.error_count == 0
    assert outcome.notes == ([note.replace("{close}", close)] if note else [])


# What fills.

ENTRY = "limit('buy', 'BTC/USDT', 1, 60)"
READS = ["close('BTC/USDT', '1d')[-1]", "close('BTC/USDT', '1m')[-1]", "ma(close('BTC/USDT', '1h'), 300)[-1]"]
AFTER = 33 * HOUR
"""Between the two invocations: 1,980 minutes."""


def minutes(until: float) -> list[Any]:
    """Candles of a minute at 100, but for one that falls to 50 an hour after the order was placed."""
    newest = int(until - until % 60)
    fall = newest - AFTER + HOUR
    return [
        (time * 1_000, "100", "101", "50" if time == fall else "99", "100", "5")
        for time in range(newest - 2_500 * 60, newest + 60, 60)
    ]


@pytest.mark.parametrize("page", [50, 300, 1_000])
@pytest.mark.parametrize("reads", [[], *([one] for one in READS), READS])
async def test_what_fills_depends_on_neither_scripts_nor_pages(
    exchange: PublicExchange, page: int, reads: list[str]
) -> None:
    exchange.candles, exchange.page = minutes(NOW + AFTER), page
    exchange.longer = {
        name: [
            ((int(NOW + AFTER) // length - back) * length * 1_000, "100", "101", "99", "100", "5")
            for back in reversed(range(400))
        ]
        for name, length in (("1h", HOUR), ("1d", 24 * HOUR))
    }
    state = automation(
        action("buy", ENTRY),
        *(action(f"read{number}", f"[wait({AFTER}), {text}]") for number, text in enumerate(reads)),
        action("later", f"wait({AFTER})"),
    )
    run = Invoked(paper(state, {"USDT": 1_000}, **place(exchange).details))
    await run.invoke(now=NOW)
    outcome = await run.invoke(now=NOW + AFTER)

    (trade,) = run.state["automation"]["exchange_account_elements"]["trades"]
    assert trade["price"] == "60"
    assert trade["timestamp"] < NOW + 2 * HOUR
    assert outcome.notes == []


async def test_what_cannot_be_had_of_the_price_is_said(exchange: PublicExchange) -> None:
    every = minutes(NOW + AFTER)
    exchange.candles = every[:-600] + every[-300:]
    for name in ("3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"):
        exchange.longer[name] = []
    state = automation(action("buy", ENTRY), action("later", f"wait({AFTER})"))
    run = Invoked(paper(state, {"USDT": 1_000}, **place(exchange).details))
    await run.invoke(now=NOW)
    outcome = await run.invoke(now=NOW + AFTER)
    (note,) = outcome.notes
    assert note.startswith("BTC/USDT: there are no candles from 2021-01-16T22:31:00Z to 2021-01-17T03:31")
