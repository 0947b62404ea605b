"""Live public data: the real ccxt class against an exchange on loopback."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import ConfigurationError, RetryableError
from engine.exchanges.client import close_client, make_client
from engine.market.download import fetch_recording
from engine.market.public_funding import Hours, fetch_funding
from engine.market.recordings import list_recorded
from engine.market.sources import open_source
from engine.state import ExchangeDetails
from engine.types import Symbol, TimeFrame
from tests.support.public_exchange import PublicExchange, Shared, serving

BTC, ETH = Symbol("BTC/USDT"), Symbol("ETH/USDT")
PERPETUAL = Symbol("BTC/USDT:USDT")
HOUR = TimeFrame("1h")
START = 1_700_002_800
NOW = START + 9.5 * 3_600


@pytest.fixture
async def exchange() -> AsyncIterator[PublicExchange]:
    """Ten hourly candles, the last of which runs; lows rise from 90, closes from 100."""
    async with serving("BTC", "ETH") as served:
        served.candles = [
            ((START + index * 3_600) * 1_000, "100", "110", str(90 + index), str(100 + index), "5")
            for index in range(10)
        ]
        yield served


async def test_markets_have_the_exchanges_rules(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    markets = await source.markets()
    await source.close()
    assert markets[BTC].amount_tick == Decimal("0.00001")
    assert markets[BTC].cost.minimum == 5
    assert markets[BTC].fee_asset("buy") == "BTC"


async def test_candles_come_oldest_first_with_the_running_one_last(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    candles = await source.candles(BTC, HOUR, now=NOW, count=3)
    await source.close()
    assert candles.time.tolist() == [START + hour * 3_600 for hour in (7, 8, 9)]
    assert candles.close.tolist() == [107, 108, 109]


async def test_a_hundred_invocations_on_one_pair_cost_one_request_each(exchange: PublicExchange) -> None:
    shared = Shared(exchange)

    async def invocation() -> None:
        source = shared.source()
        try:
            await source.candles(BTC, HOUR, now=NOW, count=5)
            await source.tickers([BTC], now=NOW)
        finally:
            await source.close()

    await asyncio.gather(*(invocation() for _ in range(100)))

    assert exchange.requests == {"exchangeInfo": 1, "klines": 1, "24hr": 1}


async def test_candles_are_fetched_again_when_one_closed_or_after_a_minute(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    for now in (NOW, NOW + 59, NOW + 61, START + 10 * 3_600 - 1, START + 10 * 3_600):
        await source.candles(BTC, HOUR, now=now, count=5)
    await source.close()
    assert exchange.requests["klines"] == 4


async def test_more_candles_than_cached_are_fetched(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    assert len(await source.candles(BTC, HOUR, now=NOW, count=2)) == 2
    assert len(await source.candles(BTC, HOUR, now=NOW, count=8)) == 8
    assert len(await source.candles(BTC, HOUR, now=NOW, count=3)) == 3
    await source.close()
    assert exchange.requests["klines"] == 2


FUNDED = START - START % 28_800
"""Full hours on which the exchange settles funding."""


async def test_funding_is_asked_for_once_for_all_invocations_between_two_full_hours(
    exchange: PublicExchange,
) -> None:
    exchange.funding = [((FUNDED + 3_600 * hour) * 1_000 + 3, "0.0001", "101.5") for hour in range(0, 17, 8)]
    shared = Shared(exchange, exchange_type="future")
    source = shared.source()

    async def funding(since: float, now: float) -> list[tuple[float, str, str]]:
        found = await source.funding(PERPETUAL, since=FUNDED + since, now=FUNDED + now)
        return [(one.time - FUNDED, str(one.rate), str(one.mark_price)) for one in found]

    assert await funding(-100, 59) == [], "not listed yet"
    assert await funding(59, 61) == [(0, "0.0001", "101.5")]
    assert await funding(61, 3_600) == []
    assert await funding(-500, 3_000) == [(0, "0.0001", "101.5")]
    assert exchange.requests["fundingRate"] == 1
    assert [time for time, *_ in await funding(-500, 17 * 3_600)] == [0, 28_800, 57_600]
    await source.close()
    assert exchange.requests["fundingRate"] == 2


async def test_funding_over_a_long_time_is_fetched_page_by_page(exchange: PublicExchange) -> None:
    exchange.funding = [((FUNDED + 3_600 * hour) * 1_000, "0.0001", "100") for hour in range(1, 251)]
    source = Shared(exchange, exchange_type="future").source()
    found = await source.funding(PERPETUAL, since=FUNDED + 60, now=FUNDED + 240 * 3_600 + 60)
    await source.close()
    assert [one.time for one in found] == [FUNDED + 3_600 * hour for hour in range(1, 241)]
    assert exchange.requests["fundingRate"] == 3


async def test_there_is_no_funding_where_the_exchange_has_none_or_does_not_know_the_symbol(
    exchange: PublicExchange,
) -> None:
    client = make_client(ExchangeDetails(internal_name="kraken"))
    assert await fetch_funding(client, PERPETUAL, Hours(0, 1)) == ()
    await close_client(client)

    source = Shared(exchange, exchange_type="future").source()
    assert await source.funding(Symbol("OLD/USDT:USDT"), since=FUNDED - 1, now=FUNDED + 60) == []
    await source.close()
    assert exchange.requests["fundingRate"] == 0


async def test_funding_that_the_exchange_does_not_answer_for_is_asked_for_again(
    exchange: PublicExchange,
) -> None:
    source = Shared(exchange, exchange_type="future").source()
    await source.markets()
    exchange.failure = 500
    with pytest.raises(RetryableError):
        await source.funding(PERPETUAL, since=FUNDED - 1, now=FUNDED + 60)
    exchange.failure, exchange.funding = None, [(FUNDED * 1_000, "0.0001", "100")]
    assert len(await source.funding(PERPETUAL, since=FUNDED - 1, now=FUNDED + 60)) == 1
    await source.close()


async def test_only_missing_tickers_are_fetched(exchange: PublicExchange) -> None:
    source = Shared(exchange).source()
    await source.tickers([BTC], now=NOW)
    exchange.price = "200"
    prices = await source.tickers([BTC, ETH], now=NOW + 30)
    later = await source.tickers([BTC, ETH], now=NOW + 61)
    await source.close()
    assert (prices[BTC].close, prices[ETH].close) == (Decimal(100), Decimal(200))
    assert (later[BTC].close, later[BTC].bid) == (Decimal(200), Decimal(99))
    assert exchange.requests["24hr"] == 3


async def test_tickers_of_sixty_pairs_do_not_push_each_other_out(exchange: PublicExchange) -> None:
    exchange.bases = tuple(f"C{number}" for number in range(60))
    symbols = [Symbol(f"{base}/USDT") for base in exchange.bases]
    source = Shared(exchange).source()
    for _ in range(3):
        for symbol in symbols:
            await source.tickers([symbol], now=NOW)
    await source.close()
    assert exchange.requests["24hr"] == 60


async def test_without_a_ticker_the_newest_candle_tells_the_price(exchange: PublicExchange) -> None:
    exchange.price = ""
    source = Shared(exchange).source()
    tickers = await source.tickers([BTC, ETH], now=NOW)
    exchange.candles = []
    nothing = await source.tickers([BTC], now=NOW + 120)
    await source.close()
    assert tickers[BTC].close == 109
    assert nothing == {BTC: tickers[BTC]}, "an older price serves"


async def test_an_older_price_serves_while_the_exchange_does_not_answer(exchange: PublicExchange) -> None:
    shared = Shared(exchange)
    source = shared.source()
    await source.tickers([BTC], now=NOW)
    exchange.failure = 503

    shared.clock.now = 299
    assert (await source.tickers([BTC], now=NOW + 299))[BTC].close == 100
    shared.clock.now = 301
    with pytest.raises(RetryableError, match="binance does not answer"):
        await source.tickers([BTC], now=NOW + 301)
    await source.close()


async def test_an_exchange_that_does_not_answer_is_worth_another_try(exchange: PublicExchange) -> None:
    exchange.failure = 503
    source = Shared(exchange).source()
    with pytest.raises(RetryableError, match="binance does not answer"):
        await source.markets()
    exchange.failure = None
    assert BTC in await source.markets()
    await source.close()


async def test_a_symbol_that_is_not_in_the_list_loads_it_again_once(exchange: PublicExchange) -> None:
    source, dot, typo = Shared(exchange).source(), Symbol("DOT/USDT"), Symbol("DTO/USDT")
    await source.markets()
    exchange.bases = ("BTC", "ETH", "DOT")
    assert dot not in await source.markets()
    assert dot in await source.markets([dot])
    assert exchange.requests["exchangeInfo"] == 2
    for _ in range(3):
        assert typo not in await source.markets([typo])
    assert exchange.requests["exchangeInfo"] == 3
    await source.close()


@pytest.mark.parametrize("name", ["nosuchexchange", "base", "no such", "Binance"])
async def test_an_unknown_exchange_is_refused(name: str) -> None:
    source = open_source(ExchangeDetails(internal_name=name))
    with pytest.raises(ConfigurationError, match=f"no exchange `{name}`"):
        await source.markets()
    await source.close()


def test_only_the_module_of_the_wanted_exchange_is_imported() -> None:
    script = (
        "import sys\n"
        "from engine.exchanges.client import make_client\n"
        "from engine.state import ExchangeDetails\n"
        "assert not any(name.startswith('ccxt') for name in sys.modules)\n"
        "make_client(ExchangeDetails(internal_name='kraken'))\n"
        "assert 'ccxt.async_support.kraken' in sys.modules\n"
        "assert 'ccxt.async_support.binance' not in sys.modules\n"
        "assert 'ccxt.binance' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


async def test_a_market_can_be_recorded_and_read_back(exchange: PublicExchange, tmp_path: Path) -> None:
    await fetch_recording("binance", [BTC, ETH], HOUR, 500, tmp_path, url=exchange.url)

    details = ExchangeDetails.model_validate(
        {"internal_name": "binance", "recorded": {"folder": str(tmp_path)}}
    )
    source = open_source(details)
    markets = await source.markets()
    candles = await source.candles(BTC, HOUR, now=START + 9 * 3_600 - 1, count=200)

    assert [one.symbol for one in list_recorded(tmp_path, "binance")] == [BTC, ETH]
    assert markets[ETH].amount_tick == Decimal("0.00001")
    assert len(candles) == 9, "the running candle is not recorded"
    assert candles.close.tolist()[:2] == [100, 101]


async def test_recording_without_a_network_fails_fast(tmp_path: Path) -> None:
    with pytest.raises(RetryableError, match=r"127\.0\.0\.1 cannot be reached"):
        await fetch_recording("binance", [BTC], HOUR, 500, tmp_path, timeout=0.5, url="http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="no recorded market"):
        list_recorded(tmp_path, "binance")
