"""An exchange on loopback that answers public requests in the way of Binance, and counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web

from engine.market.public import PublicSource
from engine.market.public_cache import PublicCaches
from engine.state import ExchangeDetails

Candle = tuple[int, str, str, str, str, str]
"""Open time in ms, open, high, low, close, volume."""

Funding = tuple[int, str, str]
"""Time in ms, rate, mark price."""


class PublicExchange:
    """What the exchange answers; a test changes it as it goes.

    Attributes:
        candles: of every symbol, and of every time frame that `longer` does not name.
        longer: candles of further time frames, by name.
        page: the most candles that it gives in one answer.
        price: last price of every symbol.
        funding: of every perpetual future.
        failure: HTTP status of every answer, when set.
        requests: how often each path was asked for.
    """

    def __init__(self, *bases: str) -> None:
        self.url = ""
        self.bases = bases
        self.candles: Sequence[Candle] = ()
        self.longer: dict[str, Sequence[Candle]] = {}
        self.page = 1_000
        self.price = "100"
        self.funding: Sequence[Funding] = ()
        self.failure: int | None = None
        self.requests: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        self.requests[name] += 1
        if self.failure is not None:
            return web.json_response({"code": -1000, "msg": "not now"}, status=self.failure)
        handler = getattr(self, f"_{name.lower()}", None)
        return web.json_response(handler(request) if handler else {})

    def _exchangeinfo(self, request: web.Request) -> Any:
        describe = self._perpetual if "/fapi/" in request.path else self._symbol
        return {"symbols": [describe(base) for base in self.bases]}

    def _klines(self, request: web.Request) -> Any:
        limit = min(int(request.query.get("limit", 500)), self.page)
        rows = self.longer.get(request.query["interval"], self.candles)
        if "startTime" in request.query:
            since = int(request.query["startTime"])
            rows = [row for row in rows if row[0] >= since][:limit]
        return [[*candle, candle[0] + 1, "0", 1, "0", "0", "0"] for candle in rows[-limit:]]

    def _fundingrate(self, request: web.Request) -> Any:
        since, limit = int(request.query["startTime"]), int(request.query["limit"])
        later = [row for row in self.funding if row[0] >= since]
        return [
            {"symbol": request.query["symbol"], "fundingTime": time, "fundingRate": rate, "markPrice": mark}
            for time, rate, mark in later[:limit]
        ]

    def _24hr(self, request: web.Request) -> Any:
        if "symbol" in request.query:
            return self._ticker(request.query["symbol"])
        return [self._ticker(f"{base}USDT") for base in self.bases]

    def _ticker(self, symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "lastPrice": self.price, "bidPrice": "99", "closeTime": 1_700_000_000_000}

    def _symbol(self, base: str) -> dict[str, Any]:
        return {
            "symbol": f"{base}USDT",
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": "USDT",
            "isSpotTradingAllowed": True,
            "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
                {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
            ],
        }

    def _perpetual(self, base: str) -> dict[str, Any]:
        return {
            "symbol": f"{base}USDT",
            "status": "TRADING",
            "contractType": "PERPETUAL",
            "baseAsset": base,
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "deliveryDate": 4_133_404_800_000,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"},
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            ],
        }


@asynccontextmanager
async def serving(*bases: str) -> AsyncIterator[PublicExchange]:
    """Run the exchange with BASE/USDT markets, on a port of its own."""
    exchange = PublicExchange(*bases)
    app = web.Application()
    app.router.add_get("/{path:.*}", exchange.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    exchange.url = f"http://{host}:{port}"
    try:
        yield exchange
    finally:
        await runner.cleanup()


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shared:
    """Sources that share their caches, as in one process."""

    def __init__(
        self, exchange: PublicExchange, *, exchange_type: Literal["spot", "future"] = "spot"
    ) -> None:
        self.clock = Clock()
        self._caches = PublicCaches(self.clock)
        self._details = ExchangeDetails(
            internal_name="binance", url=exchange.url, exchange_type=exchange_type
        )

    def source(self) -> PublicSource:
        return PublicSource(self._details, self._caches)
