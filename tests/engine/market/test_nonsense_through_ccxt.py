"""Any field of a public answer may be anything: what comes of it is data, or an error of the engine's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OctoflowError
from engine.exchanges.imports import exchange_class
from engine.market.market_protocols import Ticker
from engine.market.public import PublicSource
from engine.market.public_cache import PublicCaches
from engine.state import ExchangeDetails
from engine.types import Symbol, TimeFrame
from tests.support.builders import Invoked, action, automation, paper
from tests.support.public_answers import (
    EXCHANGES,
    HOUR,
    MISSING,
    NOW,
    START,
    Place,
    Spoken,
    answering,
    changed,
    places,
)


@pytest.fixture(autouse=True, scope="module")
def at_full_speed() -> Iterator[None]:
    """Let ccxt ask as fast as it can: an exchange on loopback has no limits."""

    async def go_on(*_: Any, **__: Any) -> None:
        return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange_class("binance").__mro__[1], "throttle", go_on)
        yield


VALUES: tuple[Any, ...] = (None, "", 0, "0", -1, "text", [], {}, True, "NaN", 1e400, [None], MISSING)


def changes(spoken: Spoken) -> Iterator[tuple[str, Place]]:
    for name, answer in spoken.answers.items():
        for place in places(answer):
            yield name, place


async def asked(spoken: Spoken, url: str) -> dict[str, Any]:
    """Ask for everything that a source gives; what fails as it may is an error's class."""
    details = ExchangeDetails(internal_name=spoken.exchange_id, url=url, exchange_type=spoken.kind)
    source, symbol = PublicSource(details, PublicCaches()), Symbol(spoken.symbol)
    requests: dict[str, Callable[[], Awaitable[Any]]] = {
        "markets": source.markets,
        "tickers": lambda: source.tickers([symbol], now=NOW),
        "candles": lambda: source.candles(symbol, TimeFrame("1h"), now=NOW, count=5),
        "history": lambda: source.history(symbol, since=START + HOUR, now=NOW),
    }
    if spoken.kind == "future":
        requests["funding"] = lambda: source.funding(symbol, since=START, now=NOW)
    found: dict[str, Any] = {}
    try:
        for name, request in requests.items():
            try:
                found[name] = await request()
            except OctoflowError as error:
                found[name] = error
    finally:
        await source.close()
    return found


def is_usable(found: dict[str, Any]) -> bool:
    """Whether what is given can be traded by: prices above zero, candles in order."""
    prices = [ticker.close for ticker in found["tickers"].values()] if _given(found["tickers"]) else []
    for name in ("candles", "history"):
        if _given(found[name]):
            given = found[name]
            time = given.time if name == "candles" else given.closed
            assert (time[1:] >= time[:-1]).all()
            prices += [*given.open.tolist(), *given.high.tolist(), *given.low.tolist(), *given.close.tolist()]
    return all(0 < price < 1e12 for price in prices)


def _given(found: Any) -> bool:
    return not isinstance(found, OctoflowError)


@pytest.mark.parametrize("name", EXCHANGES)
async def test_the_answers_as_they_should_be_are_read(name: str) -> None:
    spoken = EXCHANGES[name]
    async with answering(spoken.answers) as exchange:
        found = await asked(spoken, exchange.url)

    symbol = Symbol(spoken.symbol)
    assert symbol in found["markets"]
    ticker = found["tickers"][symbol]
    assert isinstance(ticker, Ticker)
    assert ticker.close == 100
    assert [ticker.bid, ticker.ask] in ([Decimal(99), Decimal(101)], [None, None])
    assert found["candles"].close.tolist() == [101] * 5
    assert set(found["history"].low.tolist()) == {90}
    assert spoken.kind == "spot" or len(found["funding"]) == 2


@pytest.mark.parametrize("value", [None, "text"], ids=["null", "text"])
@pytest.mark.parametrize("name", EXCHANGES)
async def test_every_single_field_may_be_null_or_text(name: str, value: Any) -> None:
    spoken = EXCHANGES[name]
    async with answering(spoken.answers) as exchange:
        for answer, place in changes(spoken):
            exchange.answers = {**spoken.answers, answer: changed(spoken.answers[answer], place, value)}
            assert is_usable(await asked(spoken, exchange.url)), (answer, place)


@pytest.mark.parametrize("name", EXCHANGES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
async def test_several_fields_may_be_anything(name: str, data: st.DataObject) -> None:
    spoken = EXCHANGES[name]
    answers = dict(spoken.answers)
    for answer, place in data.draw(
        st.lists(st.sampled_from(list(changes(spoken))), min_size=1, max_size=3, unique_by=lambda one: one[0])
    ):
        answers[answer] = changed(answers[answer], place, data.draw(st.sampled_from(VALUES)))
    async with answering(answers) as exchange:
        assert is_usable(await asked(spoken, exchange.url))


SCRIPTS = {
    "price": "price('{symbol}')",
    "close": "close('{symbol}', '1h')[-1]",
    "average": "ma(close('{symbol}', '1h'), 3)[-1]",
    "order": "limit('buy', '{symbol}', '20%', '-20%')",
    "now": "market('buy', '{symbol}', '10%')",
    "value": "total('BTC')",
}


@pytest.mark.parametrize("name", EXCHANGES)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
async def test_only_errors_of_the_engine_come_out_of_an_invocation(name: str, data: st.DataObject) -> None:
    spoken = EXCHANGES[name]
    answer, place = data.draw(st.sampled_from(list(changes(spoken))))
    value = data.draw(st.sampled_from(VALUES))
    quote = spoken.symbol.partition("/")[2].partition(":")[0]
    state = automation(*(action(key, script.format(symbol=spoken.symbol)) for key, script in SCRIPTS.items()))
    async with answering(spoken.answers) as exchange:
        details = {"internal_name": spoken.exchange_id, "url": exchange.url, "exchange_type": spoken.kind}
        invoked = Invoked(paper(state, {quote: 1_000}, **details))
        if data.draw(st.booleans()):  # with open orders
            await invoked.invoke(NOW)
        exchange.answers[answer] = changed(exchange.answers[answer], place, value)
        try:
            await invoked.invoke(NOW + 400)
        except OctoflowError:
            return
