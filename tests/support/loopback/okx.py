"""OKX's REST API v5 over the books: routes, signatures and parameters, for spot accounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

from tests.support.loopback import okx_words as words
from tests.support.loopback.accounts import (
    ZERO,
    Account,
    ApiKey,
    BookOrder,
    Kind,
    Milliseconds,
    OrderRequest,
    Side,
)
from tests.support.loopback.books import Books
from tests.support.loopback.dialect import BAD_GATEWAY, Answer, Request, form
from tests.support.loopback.faults import Trouble
from tests.support.loopback.markets import Listing
from tests.support.loopback.refusals import Reason, Refused

SIGNATURE_WINDOW: Final = 30_000
"""Milliseconds by which the timestamp of a request may differ from the exchange's clock."""

LENGTHS: Final = {"m": 60_000, "H": 3_600_000, "D": 86_400_000, "W": 604_800_000}
_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9]{1,32}")
_ORDER_TYPES: Final = {
    "market": (Kind.MARKET, "GTC"),
    "limit": (Kind.LIMIT, "GTC"),
    "post_only": (Kind.LIMIT_MAKER, "GTC"),
    "ioc": (Kind.LIMIT, "IOC"),
    "fok": (Kind.LIMIT, "FOK"),
}
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class Problem(Exception):
    """A request that is answered with an error before it reaches the books."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class _Route:
    """What answers a path; signed ones need a key."""

    handler: Callable[[OkxDialect, Request], Answer]
    signed: bool = False


class OkxDialect:
    """Speaks as `www.okx.com/api/v5` does for spot accounts."""

    def __init__(self, books: Books, clock: Callable[[], Milliseconds]) -> None:
        self._books = books
        self._now = clock

    def parameters(self, query: str, body: str) -> Mapping[str, str]:
        """Return the fields of the query, or those of the first object in the body."""
        return {**form(query), **next(iter(_objects(body)), {})}

    def is_private(self, path: str) -> bool:
        """Whether a path needs a key and a signature."""
        return any(route.signed for (_, known), route in _ROUTES.items() if known == path)

    def key(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key that a request was sent with."""
        return headers.get("OK-ACCESS-KEY")

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for."""
        route = _ROUTES.get((request.method, request.path))
        if route is None:
            return words.error("404", "Not Found", 404)
        try:
            if route.signed:
                self._check_signature(request)
            return route.handler(self, request)
        except Problem as problem:
            return words.error(problem.code, problem.message, problem.status)
        except Refused as refused:
            return words.error(*words.refusal(refused))

    def trouble(self, trouble: Trouble, retry_after: float | None) -> Answer:
        """Return an error of OKX's infrastructure."""
        if trouble is Trouble.BAD_GATEWAY:
            return BAD_GATEWAY
        status, code, message = words.TROUBLES[trouble]
        return words.error(code, message, status, retry_after)

    def time(self, request: Request) -> Answer:
        """The exchange's clock."""
        return words.data([{"ts": str(self._now())}])

    def instruments(self, request: Request) -> Answer:
        """All markets of a kind, of which there is only spot."""
        spot = request.params.get("instType") == "SPOT"
        return words.data([words.instrument(one) for one in self._books.listings.values() if spot])

    def ticker(self, request: Request) -> Answer:
        """`market/ticker` of one market."""
        return words.data([self._described(self._listing(request.params))])

    def tickers(self, request: Request) -> Answer:
        """`market/tickers` of all markets."""
        return words.data([self._described(listing) for listing in self._books.listings.values()])

    def candles(self, request: Request) -> Answer:
        """Candles, newest first, of a market that always stood where it stands now."""
        params = request.params
        price = self._books.prices[self._listing(params).id]
        bar = params.get("bar", "1m").removesuffix("utc")
        length = int(bar[:-1]) * LENGTHS[bar[-1]]
        running = self._now() // length * length
        before, after = int(params.get("before", 0)), int(params.get("after", running + length))
        opened = (time for time in range(running, before, -length) if time < after)
        limit = min(int(params.get("limit", 100)), 300)
        found = [words.candle(time, price, closed=time != running) for time in islice(opened, limit)]
        return words.data(found)

    def balance(self, request: Request) -> Answer:
        """Balances of the key's account."""
        return words.data([words.balance(self._account(request), self._now())])

    def config(self, request: Request) -> Answer:
        """What the account is, and what the key may do."""
        return words.data([words.config(self._account(request))])

    def currencies(self, request: Request) -> Answer:
        """Networks of coins, of which none is told."""
        return words.data([])

    def create_orders(self, request: Request) -> Answer:
        """Take an order, or each of a batch."""
        return words.results([self._create(request, asked) for asked in _objects(request.body)])

    def cancel_order(self, request: Request) -> Answer:
        """Cancel one order."""
        account, params = self._account(request), request.params
        try:
            order = self._books.cancel(account, self._order(account, params))
        except Refused as refused:
            unknown = refused.reason is Reason.UNKNOWN_ORDER
            code, message = words.refusal(Refused(Reason.NOTHING_TO_CANCEL) if unknown else refused)
            failed = words.result(params.get("ordId", ""), params.get("clOrdId", ""), code, message)
            return words.results([failed])
        return words.results([words.result(str(order.id), order.client_id)])

    def query_order(self, request: Request) -> Answer:
        """One order, by its id or its client id."""
        return words.data(self._told([self._order(self._account(request), request.params)]))

    def open_orders(self, request: Request) -> Answer:
        """Open orders of one market or of all, newest first."""
        return words.data(self._told(order for order in self._orders(request) if order.is_open))

    def closed_orders(self, request: Request) -> Answer:
        """Filled and cancelled orders, newest first."""
        return words.data(self._told(order for order in self._orders(request) if not order.is_open))

    def fills(self, request: Request) -> Answer:
        """Fills, newest first."""
        account, params = self._account(request), request.params
        names = {order.id: order.client_id for order in account.orders}
        found = [
            words.fill(fill, names[fill.order_id], self._books.listings[fill.market])
            for fill in reversed(account.fills)
            if params.get("ordId") in (None, str(fill.order_id))
            and ("instId" not in params or self._listing(params).id == fill.market)
            and _within(params, fill.time)
        ]
        return words.data(found[: int(params.get("limit", 100))])

    def no_stop(self, request: Request) -> Answer:
        """One stop: there is none; OKX keeps them in a book of their own, and here nobody can place any."""
        self._account(request)
        raise Refused(Reason.UNKNOWN_ORDER)

    def no_stops(self, request: Request) -> Answer:
        """The book of stops, which is empty."""
        self._account(request)
        return words.data([])

    def no_stop_to_cancel(self, request: Request) -> Answer:
        """Cancel a stop: there is none."""
        self._account(request)
        code, message = words.refusal(Refused(Reason.NOTHING_TO_CANCEL))
        return words.results([words.result(request.params.get("algoId", ""), "", code, message)])

    def _create(self, request: Request, asked: Mapping[str, str]) -> Mapping[str, str]:
        account, client_id = self._account(request), asked.get("clOrdId", "")
        try:
            if not account.rights.trade:
                raise Refused(Reason.NOT_PERMITTED)
            wanted = self._order_request(asked)
            order = self._books.create(account, wanted, fill=request.fill, params=asked)
        except Problem as problem:
            return words.result("", client_id, problem.code, problem.message)
        except Refused as refused:
            return words.result("", client_id, *words.refusal(refused))
        return words.result(str(order.id), order.client_id)

    def _order_request(self, asked: Mapping[str, str]) -> OrderRequest:
        listing, client_id = self._listing(asked), asked.get("clOrdId", "")
        if client_id and not _CLIENT_ID.fullmatch(client_id):
            raise Problem("51000", "Parameter clOrdId error")
        if asked.get("tdMode") != "cash":
            raise Problem("51000", "Parameter tdMode error")
        if asked.get("ordType") not in _ORDER_TYPES:
            raise Problem("51000", "Parameter ordType error")
        if asked.get("side") not in _SIDES:
            raise Problem("51000", "Parameter side error")
        kind, time_in_force = _ORDER_TYPES[asked["ordType"]]
        amount = _decimal(asked, "sz")
        if kind is Kind.MARKET and asked.get("tgtCcy") == "quote_ccy":
            bought = amount / self._books.prices[listing.id] / listing.step
            amount = bought.to_integral_value(ROUND_DOWN) * listing.step
        return OrderRequest(
            market=listing.id,
            side=_SIDES[asked["side"]],
            kind=kind,
            amount=amount,
            client_id=client_id,
            price=_decimal(asked, "px") if kind.has_price else ZERO,
            time_in_force=time_in_force,
        )

    def _check_signature(self, request: Request) -> None:
        """Check key, passphrase, time and signature ("REST Authentication")."""
        headers = request.headers
        account = self._books.accounts.get(ApiKey(headers.get("OK-ACCESS-KEY", "")))
        if account is None:
            raise Problem("50111", "Invalid OK-ACCESS-KEY.", 401)
        if headers.get("OK-ACCESS-PASSPHRASE") != account.passphrase:
            raise Problem("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
        timestamp = headers.get("OK-ACCESS-TIMESTAMP", "")
        try:
            signed_at = datetime.fromisoformat(timestamp).timestamp() * 1_000
        except ValueError:
            raise Problem("50112", "Invalid OK-ACCESS-TIMESTAMP.", 401) from None
        if abs(self._now() - signed_at) > SIGNATURE_WINDOW:
            raise Problem("50102", "Timestamp request expired.", 401)
        target = f"{request.path}?{request.query}" if request.query else request.path
        signed = f"{timestamp}{request.method}{target}{request.body}"
        digest = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), headers.get("OK-ACCESS-SIGN", "")):
            raise Problem("50113", "Invalid Sign", 401)

    def _account(self, request: Request) -> Account:
        return self._books.accounts[ApiKey(request.headers["OK-ACCESS-KEY"])]

    def _listing(self, params: Mapping[str, str]) -> Listing:
        base, dash, quote = params.get("instId", "").partition("-")
        if not dash:
            raise Refused(Reason.UNKNOWN_MARKET)
        return self._books.listing(f"{base}{quote}")

    def _order(self, account: Account, params: Mapping[str, str]) -> BookOrder:
        return self._books.find(
            account,
            self._listing(params).id,
            order_id=params.get("ordId", ""),
            client_id=params.get("clOrdId", ""),
        )

    def _orders(self, request: Request) -> Iterable[BookOrder]:
        params = request.params
        market = self._listing(params).id if "instId" in params else None
        orders = self._books.orders_of(self._account(request), market)
        found = [order for order in orders if _within(params, order.created_at)]
        return found[::-1][: int(params.get("limit", 100))]

    def _told(self, orders: Iterable[BookOrder]) -> list[Any]:
        return [words.order(order, self._books.listings[order.request.market]) for order in orders]

    def _described(self, listing: Listing) -> Any:
        return words.ticker(listing, self._books.prices[listing.id], self._now())


_ROUTES: Final[Mapping[tuple[str, str], _Route]] = {
    ("GET", "/api/v5/public/time"): _Route(OkxDialect.time),
    ("GET", "/api/v5/public/instruments"): _Route(OkxDialect.instruments),
    ("GET", "/api/v5/market/ticker"): _Route(OkxDialect.ticker),
    ("GET", "/api/v5/market/tickers"): _Route(OkxDialect.tickers),
    ("GET", "/api/v5/market/candles"): _Route(OkxDialect.candles),
    ("GET", "/api/v5/market/history-candles"): _Route(OkxDialect.candles),
    ("GET", "/api/v5/account/balance"): _Route(OkxDialect.balance, signed=True),
    ("GET", "/api/v5/account/config"): _Route(OkxDialect.config, signed=True),
    ("GET", "/api/v5/asset/currencies"): _Route(OkxDialect.currencies, signed=True),
    ("POST", "/api/v5/trade/order"): _Route(OkxDialect.create_orders, signed=True),
    ("POST", "/api/v5/trade/batch-orders"): _Route(OkxDialect.create_orders, signed=True),
    ("GET", "/api/v5/trade/order"): _Route(OkxDialect.query_order, signed=True),
    ("POST", "/api/v5/trade/cancel-order"): _Route(OkxDialect.cancel_order, signed=True),
    ("GET", "/api/v5/trade/orders-pending"): _Route(OkxDialect.open_orders, signed=True),
    ("GET", "/api/v5/trade/orders-history"): _Route(OkxDialect.closed_orders, signed=True),
    ("GET", "/api/v5/trade/order-algo"): _Route(OkxDialect.no_stop, signed=True),
    ("GET", "/api/v5/trade/orders-algo-pending"): _Route(OkxDialect.no_stops, signed=True),
    ("GET", "/api/v5/trade/orders-algo-history"): _Route(OkxDialect.no_stops, signed=True),
    ("POST", "/api/v5/trade/cancel-algos"): _Route(OkxDialect.no_stop_to_cancel, signed=True),
    ("GET", "/api/v5/trade/fills"): _Route(OkxDialect.fills, signed=True),
    ("GET", "/api/v5/trade/fills-history"): _Route(OkxDialect.fills, signed=True),
}


def _objects(body: str) -> list[dict[str, str]]:
    """Return the objects of a JSON body, which is one or a list of them."""
    given = json.loads(body) if body else []
    return given if isinstance(given, list) else [given]


def _decimal(params: Mapping[str, str], name: str) -> Decimal:
    try:
        return Decimal(params.get(name, ""))
    except InvalidOperation:
        raise Problem("51000", f"Parameter {name} error") from None


def _within(params: Mapping[str, str], time: int) -> bool:
    last = params.get("end")
    return int(params.get("begin", 0)) <= time and (last is None or time <= int(last))
