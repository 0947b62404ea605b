"""What exchanges say besides answers: how long to stay away, for whom, and what is at hand meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from engine.errors import ConfigurationError, OctoflowError, PostponedError, RetryableError
from engine.market.public import PublicSource
from engine.market.public_cache import PublicCaches
from engine.state import ExchangeDetails
from engine.types import Symbol, TimeFrame
from tests.support.builders import Invoked, action, automation, paper
from tests.support.public_answers import BINANCE, NOW, AnsweringExchange, answering

BTC, HOUR = Symbol("BTC/USDT"), TimeFrame("1h")

BANNED: Mapping[str, Any] = {"code": -1003, "msg": "Way too many requests; IP banned until later."}


@pytest.fixture
async def exchange() -> AsyncIterator[AnsweringExchange]:
    async with answering(BINANCE) as served:
        yield served


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def saying(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, path: str = ""
) -> Callable[[web.Request], web.Response | None]:
    def instead(request: web.Request) -> web.Response | None:
        return (
            web.json_response(body, status=status, headers=headers) if request.path.endswith(path) else None
        )

    return instead


async def failure(source: PublicSource, ask: str = "candles") -> OctoflowError:
    requests: dict[str, Callable[[], Awaitable[Any]]] = {
        "candles": lambda: source.candles(BTC, HOUR, now=NOW, count=5),
        "tickers": lambda: source.tickers([BTC], now=NOW),
        "markets": source.markets,
        "history": lambda: source.history(BTC, since=NOW - 7_000, now=NOW),
    }
    with pytest.raises(OctoflowError) as caught:
        await requests[ask]()
    return caught.value


@pytest.mark.parametrize("status", [418, 429])
@pytest.mark.parametrize("ask", ["candles", "tickers", "markets", "history"])
async def test_a_pause_is_told_with_its_length_and_kept_by_all(
    exchange: AnsweringExchange, status: int, ask: str
) -> None:
    clock, details = Clock(), ExchangeDetails(internal_name="binance", url=exchange.url)
    caches = PublicCaches(clock)
    source, other = PublicSource(details, caches), PublicSource(details, caches)
    if ask != "markets":
        await source.markets()
    exchange.instead = saying(status, BANNED, {"Retry-After": "600"})

    error = await failure(source, ask)
    assert isinstance(error, RetryableError)
    assert (error.code, error.retry_after) == ("rate_limited", 600)
    asked = len(exchange.requests)

    clock.now = 400
    for one in (source, other):
        error = await failure(one, ask)
        assert isinstance(error, RetryableError)
        assert (error.code, error.retry_after) == ("rate_limited", 200)
    assert len(exchange.requests) == asked, "nothing was asked during the ban"

    clock.now, exchange.instead = 601, lambda _request: None
    assert len(await other.candles(BTC, HOUR, now=NOW, count=5)) == 5
    await source.close()
    await other.close()


async def test_a_ban_may_end_when_its_text_says(exchange: AnsweringExchange) -> None:
    source = PublicSource(ExchangeDetails(internal_name="binance", url=exchange.url), PublicCaches())
    await source.markets()
    exchange.instead = saying(418, {"code": -1003, "msg": "IP banned until 4000000000000. Please wait."})
    error = await failure(source)
    await source.close()
    assert isinstance(error, RetryableError)
    assert error.retry_after
    assert error.retry_after > 1e8


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (503, {"code": 1, "msg": "System is under maintenance."}, PostponedError, "maintenance"),
        (400, {"code": -1121, "msg": "Invalid symbol."}, ConfigurationError, "exchange_refuses"),
        (503, {"code": -1001, "msg": "Internal error."}, RetryableError, "exchange_unavailable"),
        (200, {"code": "what", "msg": None}, RetryableError, "exchange_unavailable"),
    ],
)
async def test_a_failure_asks_for_its_reaction(
    exchange: AnsweringExchange, status: int, body: Mapping[str, Any], kind: type[OctoflowError], word: str
) -> None:
    source = PublicSource(ExchangeDetails(internal_name="binance", url=exchange.url), PublicCaches())
    await source.markets()
    exchange.instead = saying(status, body)
    error = await failure(source, "tickers")
    await source.close()
    assert type(error) is kind
    assert word in (error.code, getattr(error, "reason", None))


async def test_prices_at_hand_serve_during_a_pause_and_maintenance(exchange: AnsweringExchange) -> None:
    source = PublicSource(ExchangeDetails(internal_name="binance", url=exchange.url), PublicCaches())
    await source.tickers([BTC], now=NOW)
    for body, status in ((BANNED, 418), ({"code": 1, "msg": "System is under maintenance."}, 503)):
        exchange.instead = saying(status, body, {"Retry-After": "600"})
        assert (await source.tickers([BTC], now=NOW + 100))[BTC].close == 100
    await source.close()


async def test_maintenance_postpones_an_automation_on_paper(exchange: AnsweringExchange) -> None:
    exchange.instead = saying(503, {"code": 1, "msg": "System is under maintenance."})
    invoked = Invoked(paper(automation(action("a", "price('BTC/USDT')")), {"USDT": 1_000}, url=exchange.url))
    outcome = await invoked.invoke(NOW)
    assert outcome.status.value == "postponed"
    assert outcome.next_due_at is not None
    assert outcome.next_due_at >= NOW + 60
    assert invoked.completed == []
