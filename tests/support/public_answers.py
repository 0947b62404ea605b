"""Public answers of several exchanges in their own words, and a server for them that changes as a test likes.

Sources: the exchanges' public API documents, "Market data": Binance (spot and USD-M futures), OKX v5, Kraken
and Bitfinex v2.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

HOUR = 3_600
START = 1_700_002_800
NOW = START + 4.5 * HOUR

Place = tuple[str | int, ...]
"""Where in an answer a field stands: keys and indexes from the outside in."""

MISSING = object()


def _filters() -> list[dict[str, str]]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
    ]


def _binance_candle(index: int) -> list[Any]:
    opened = (START + index * HOUR) * 1_000
    return [opened, "100", "110", "90", "101", "5", opened + HOUR * 1_000 - 1, "500", 7, "2", "200", "0"]


BINANCE: Mapping[str, Any] = {
    "exchangeInfo": {
        "symbols": [
            {
                "symbol": f"{base}USDT",
                "status": "TRADING",
                "baseAsset": base,
                "quoteAsset": "USDT",
                "isSpotTradingAllowed": True,
                "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS"],
                "permissionSets": [["SPOT"]],
                "filters": _filters(),
            }
            for base in ("BTC", "ETH")
        ]
    },
    "24hr": {
        "symbol": "BTCUSDT",
        "lastPrice": "100",
        "bidPrice": "99",
        "askPrice": "101",
        "highPrice": "110",
        "lowPrice": "90",
        "volume": "5",
        "closeTime": 1_700_000_000_000,
    },
    "klines": [_binance_candle(index) for index in range(5)],
}

BINANCE_FUTURES: Mapping[str, Any] = {
    "exchangeInfo": {
        "symbols": [
            {
                "symbol": "BTCUSDT",
                "status": "TRADING",
                "contractType": "PERPETUAL",
                "baseAsset": "BTC",
                "quoteAsset": "USDT",
                "marginAsset": "USDT",
                "deliveryDate": 4_133_404_800_000,
                "filters": _filters()[:2],
            }
        ]
    },
    "24hr": {"symbol": "BTCUSDT", "lastPrice": "100", "closeTime": 1_700_000_000_000},
    "klines": [_binance_candle(index) for index in range(5)],
    "fundingRate": [
        {
            "symbol": "BTCUSDT",
            "fundingTime": (START + HOUR * hour) * 1_000,
            "fundingRate": "0.0001",
            "markPrice": "100",
        }
        for hour in (1, 2)
    ],
}


def _okx(data: Sequence[Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


OKX: Mapping[str, Any] = {
    "instruments": _okx(
        [
            {
                "instType": "SPOT",
                "instId": f"{base}-USDT",
                "baseCcy": base,
                "quoteCcy": "USDT",
                "tickSz": "0.1",
                "lotSz": "0.0001",
                "minSz": "0.0001",
                "state": "live",
            }
            for base in ("BTC", "ETH")
        ]
    ),
    "ticker": _okx(
        [
            {
                "instType": "SPOT",
                "instId": "BTC-USDT",
                "last": "100",
                "askPx": "101",
                "bidPx": "99",
                "high24h": "110",
                "low24h": "90",
                "vol24h": "5",
                "ts": "1700000000000",
            }
        ]
    ),
    "candles": _okx(
        [
            [str((START + index * HOUR) * 1_000), "100", "110", "90", "101", "5", "500", "500", "1"]
            for index in reversed(range(5))
        ]
    ),
}

KRAKEN: Mapping[str, Any] = {
    "AssetPairs": {
        "error": [],
        "result": {
            "XXBTZUSD": {
                "altname": "XBTUSD",
                "wsname": "XBT/USD",
                "base": "XXBT",
                "quote": "ZUSD",
                "pair_decimals": 1,
                "lot_decimals": 8,
                "fees": [[0, 0.4]],
                "fees_maker": [[0, 0.25]],
                "leverage_buy": [2],
                "ordermin": "0.0001",
                "costmin": "0.5",
                "tick_size": "0.1",
                "status": "online",
            }
        },
    },
    "Assets": {"error": [], "result": {"XXBT": {"altname": "XBT", "decimals": 10, "status": "enabled"}}},
    "Ticker": {
        "error": [],
        "result": {
            "XXBTZUSD": {
                "a": ["101", "1", "1.0"],
                "b": ["99", "1", "1.0"],
                "c": ["100", "0.1"],
                "v": ["5", "5"],
                "p": ["100", "100"],
                "t": [7, 7],
                "l": ["90", "90"],
                "h": ["110", "110"],
                "o": "100",
            }
        },
    },
    "OHLC": {
        "error": [],
        "result": {
            "XXBTZUSD": [
                [START + index * HOUR, "100", "110", "90", "101", "100", "5", 7] for index in range(5)
            ],
            "last": START,
        },
    },
}

_BITFINEX_TICKER = [99, 5, 101, 5, 1, 0.01, 100, 5, 110, 90]
BITFINEX: Mapping[str, Any] = {
    "pub:info:pair,pub:info:pair:futures,pub:list:pair:securities,pub:list:pair:margin": [
        [["BTCUSD", [None, None, None, "0.00004", "2000.0", None, None, None, 0.2, 0.1]]],
        [],
        [],
        ["BTCUSD"],
    ],
    "tBTCUSD": _BITFINEX_TICKER,
    "hist": [[(START + index * HOUR) * 1_000, 100, 101, 110, 90, 5] for index in range(5)],
}


@dataclass(frozen=True)
class Spoken:
    """What one exchange answers, and what can be asked of it."""

    exchange_id: str
    symbol: str
    answers: Mapping[str, Any]
    kind: str = "spot"


EXCHANGES: Mapping[str, Spoken] = {
    "binance": Spoken("binance", "BTC/USDT", BINANCE),
    "binance futures": Spoken("binance", "BTC/USDT:USDT", BINANCE_FUTURES, "future"),
    "okx": Spoken("okx", "BTC/USDT", OKX),
    "kraken": Spoken("kraken", "BTC/USD", KRAKEN),
    "bitfinex": Spoken("bitfinex", "BTC/USD", BITFINEX),
}


@dataclass
class AnsweringExchange:
    """Answers by the last part of a path; a test changes `answers` as it goes, and may say what comes before.

    Attributes:
        url: where it listens.
        answers: by the end of the path; anything else is answered with an empty list.
        instead: gives another response to a path, or None.
        requests: paths that were asked for.
    """

    answers: dict[str, Any]
    url: str = ""
    instead: Callable[[web.Request], web.Response | None] = lambda _request: None
    requests: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        self.requests.append(name)
        other = self.instead(request)
        return other if other is not None else web.json_response(self.answers.get(name, []))


@asynccontextmanager
async def answering(answers: Mapping[str, Any]) -> AsyncIterator[AnsweringExchange]:
    """Serve answers on a port of their own."""
    exchange = AnsweringExchange(copy.deepcopy(dict(answers)))
    app = web.Application()
    app.router.add_get("/{path:.*}", exchange.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        exchange.url = f"http://{host}:{port}"
        yield exchange
    finally:
        await runner.cleanup()


def places(answer: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where an answer has anything, itself first; of long lists the first and the last element."""
    yield at
    if isinstance(answer, Mapping):
        for key in answer:
            yield from places(answer[key], (*at, key))
    elif isinstance(answer, Sequence) and not isinstance(answer, str):
        for index in sorted({0, len(answer) - 1} & set(range(len(answer)))):
            yield from places(answer[index], (*at, index))


def changed(answer: Any, place: Place, value: Any) -> Any:
    """Return an answer with one field replaced, or without it."""
    if not place:
        return {} if value is MISSING else value
    copied = copy.deepcopy(answer)
    inside = copied
    for step in place[:-1]:
        inside = inside[step]
    if value is MISSING:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return copied
