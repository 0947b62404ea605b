"""Binance's spot REST API over the books: routes, signatures and parameters."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any, Final

from tests.support.loopback import binance_words as words
from tests.support.loopback.accounts import (
    ZERO,
    Account,
    ApiKey,
    Kind,
    MarketId,
    Milliseconds,
    OrderRequest,
    Side,
)
from tests.support.loopback.books import Books
from tests.support.loopback.dialect import BAD_GATEWAY, Answer, Request, form, waiting
from tests.support.loopback.faults import Trouble
from tests.support.loopback.refusals import Reason, Refused

RECEIVE_WINDOW: Final = 5_000
"""Milliseconds, when a request does not say."""
LONGEST_RECEIVE_WINDOW: Final = 60_000
AHEAD: Final = 1_000
"""Milliseconds by which a timestamp may be ahead of the exchange's clock."""

LENGTHS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_CLIENT_ID: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"


class Problem(Exception):
    """A request that is answered with an error before it reaches the books."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.answer = words.error(code, message, status)


@dataclass(frozen=True, slots=True)
class _Route:
    """What answers a path; signed ones need a key."""

    handler: Callable[[BinanceDialect, Request], Any]
    signed: bool = False


class BinanceDialect:
    """Speaks as `api.binance.com` does for spot accounts."""

    def __init__(self, books: Books, clock: Callable[[], Milliseconds]) -> None:
        self._books = books
        self._now = clock

    def parameters(self, query: str, body: str) -> Mapping[str, str]:
        """Return the fields of the query and of the form in the body, which Binance treats alike."""
        return {**form(query), **form(body)}

    def is_private(self, path: str) -> bool:
        """Whether a path needs a key and a signature."""
        return any(route.signed for (_, known), route in _ROUTES.items() if known == path)

    def key(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key that a request was sent with."""
        return headers.get("X-MBX-APIKEY")

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for."""
        route = _ROUTES.get((request.method, request.path))
        if route is None:
            return Answer("<html><body><h2>404 Not found</h2></body></html>", 404)
        try:
            if route.signed:
                self._check_signature(request)
            return Answer(route.handler(self, request))
        except Problem as problem:
            return problem.answer
        except Refused as refused:
            code, message = words.REFUSALS[refused.reason]
            return words.error(code, message.format(detail=refused.detail))

    def trouble(self, trouble: Trouble, retry_after: float | None) -> Answer:
        """Return an error of Binance's infrastructure."""
        if trouble is Trouble.BAD_GATEWAY:
            return BAD_GATEWAY
        status, code, message = words.TROUBLES[trouble]
        return Answer({"code": code, "msg": message}, status, waiting(retry_after))

    def exchange_info(self, request: Request) -> Any:
        """All markets, or those that are asked for."""
        asked = _symbols(request) or self._books.listings
        return {
            "timezone": "UTC",
            "serverTime": self._now(),
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            ],
            "exchangeFilters": [],
            "symbols": [words.market(self._books.listing(name)) for name in asked],
        }

    def time(self, request: Request) -> Any:
        """The exchange's clock."""
        return {"serverTime": self._now()}

    def day(self, request: Request) -> Any:
        """`ticker/24hr` of one market, of several, or of all."""
        return self._per_symbol(
            request, lambda name, price: words.ticker(self._books.listing(name), price, self._now())
        )

    def price(self, request: Request) -> Any:
        """`ticker/price`."""
        return self._per_symbol(request, lambda name, price: {"symbol": name, "price": words.figure(price)})

    def book_ticker(self, request: Request) -> Any:
        """`ticker/bookTicker`: bid and ask are the one price there is."""

        def described(name: str, price: Decimal) -> Any:
            shown = words.figure(price)
            return {"symbol": name, "bidPrice": shown, "bidQty": "1000", "askPrice": shown, "askQty": "1000"}

        return self._per_symbol(request, described)

    def klines(self, request: Request) -> Any:
        """Candles of a market that always stood where it stands now."""
        price = self._books.prices[self._books.listing(_required(request, "symbol")).id]
        interval = _required(request, "interval")
        length = int(interval[:-1]) * LENGTHS[interval[-1]]
        limit = min(int(request.params.get("limit", 500)), 1000)
        running = self._now() // length * length
        first = max(int(request.params.get("startTime", 0)), running - (limit - 1) * length)
        opened = range(-(-first // length) * length, running + 1, length)
        return [words.candle(one, length, price) for one in opened[:limit]]

    def account(self, request: Request) -> Any:
        """Balances of the key's account."""
        return words.account(self._account(request), self._now())

    def create_order(self, request: Request) -> Any:
        """Take an order."""
        account, params = self._account(request), request.params
        if not account.rights.trade:
            raise Refused(Reason.NOT_PERMITTED)
        order = self._books.create(
            account, self._order_request(request), fill=request.fill, params=_unsigned(params)
        )
        kind = order.request.kind
        default = "FULL" if kind in (Kind.MARKET, Kind.LIMIT) else "ACK"
        return words.created(order, params.get("newOrderRespType", default))

    def query_order(self, request: Request) -> Any:
        """One order, by its id or its client id."""
        return words.order(self._named_order(request))

    def cancel_order(self, request: Request) -> Any:
        """Cancel one order."""
        try:
            order = self._named_order(request)
        except Refused as refused:
            if refused.reason is Reason.UNKNOWN_ORDER:
                raise Refused(Reason.NOTHING_TO_CANCEL) from None
            raise
        return words.cancelled(self._books.cancel(self._account(request), order))

    def open_orders(self, request: Request) -> Any:
        """Open orders of one market, or of all."""
        market = request.params.get("symbol")
        orders = self._books.orders_of(
            self._account(request), self._books.listing(market).id if market else None
        )
        return [words.order(order) for order in orders if order.is_open]

    def all_orders(self, request: Request) -> Any:
        """Orders of a market, open or not, oldest first."""
        market = self._books.listing(_required(request, "symbol")).id
        orders = list(self._books.orders_of(self._account(request), market))
        first_id = int(request.params.get("orderId", 0))
        found = [
            words.order(order)
            for order in orders
            if order.id >= first_id and _within(request, order.created_at)
        ]
        return _limited(request, found, from_start="startTime" in request.params or first_id > 0)

    def my_trades(self, request: Request) -> Any:
        """Fills of a market, oldest first."""
        market = self._books.listing(_required(request, "symbol")).id
        only = request.params.get("orderId")
        first_id = int(request.params.get("fromId", 0))
        found = [
            words.trade(fill)
            for fill in self._account(request).fills
            if fill.market == market
            and only in (None, str(fill.order_id))
            and fill.id >= first_id
            and _within(request, fill.time)
        ]
        return _limited(request, found, from_start="startTime" in request.params or first_id > 0)

    def key_rights(self, request: Request) -> Any:
        """What the key may do."""
        return words.rights(self._account(request), self._now())

    def coins(self, request: Request) -> Any:
        """Coins and their networks."""
        assets = {name for listing in self._books.listings.values() for name in (listing.base, listing.quote)}
        return [words.coin(asset) for asset in sorted(assets)]

    def margin_pairs(self, request: Request) -> Any:
        """Pairs for margin trading, of which there are none."""
        return []

    def withdraw(self, request: Request) -> Any:
        """Send funds away."""
        coin = _required(request, "coin")
        sent = self._books.withdraw(
            self._account(request),
            coin,
            _decimal(request, "amount"),
            _required(request, "address"),
            client_id=request.params.get("withdrawOrderId", ""),
            network=request.params.get("network", coin),
        )
        return {"id": sent.id}

    def withdrawals(self, request: Request) -> Any:
        """What was sent away, newest first."""
        params = request.params
        found = [
            words.withdrawal(one)
            for one in self._account(request).withdrawals
            if params.get("coin") in (None, one.asset)
            and params.get("withdrawOrderId") in (None, one.client_id)
            and _within(request, one.time)
        ]
        return found[::-1]

    def _check_signature(self, request: Request) -> None:
        """Check key, signature and time, in Binance's order ("SIGNED endpoint security")."""
        key = request.headers.get("X-MBX-APIKEY", "")
        if not key:
            raise Problem(-2014, "API-key format invalid.", 401)
        account = self._books.accounts.get(ApiKey(key))
        if account is None:
            raise Problem(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        signed, _, signature = (request.query + request.body).rpartition("&signature=")
        expected = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise Problem(-1022, "Signature for this request is not valid.")
        timestamp = int(_required(request, "timestamp"))
        window = float(request.params.get("recvWindow", RECEIVE_WINDOW))
        if window > LONGEST_RECEIVE_WINDOW:
            raise Problem(-1131, "recvWindow must be less than 60000.")
        now = self._now()
        if timestamp >= now + AHEAD:
            raise Problem(-1021, f"Timestamp for this request was {AHEAD}ms ahead of the server's time.")
        if now - timestamp > window:
            raise Problem(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _account(self, request: Request) -> Account:
        return self._books.accounts[ApiKey(request.headers["X-MBX-APIKEY"])]

    def _named_order(self, request: Request) -> Any:
        params, market = request.params, self._books.listing(_required(request, "symbol")).id
        order_id, client_id = params.get("orderId", ""), params.get("origClientOrderId", "")
        if not order_id and not client_id:
            raise Problem(
                -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            )
        return self._books.find(self._account(request), market, order_id=order_id, client_id=client_id)

    def _order_request(self, request: Request) -> OrderRequest:
        params, listing = request.params, self._books.listing(_required(request, "symbol"))
        client_id = params.get("newClientOrderId", "")
        if client_id and not re.match(_CLIENT_ID, client_id):
            raise Problem(
                -1100,
                f"Illegal characters found in parameter 'newClientOrderId'; legal range is '{_CLIENT_ID}'.",
            )
        kind = _member(Kind, request, "type", -1116, "Invalid orderType.")
        timed = kind.has_price and kind is not Kind.LIMIT_MAKER
        if not timed and "timeInForce" in params:
            raise Problem(-1106, "Parameter 'timeInForce' sent when not required.")
        if "quoteOrderQty" in params and kind is Kind.MARKET:
            bought = _decimal(request, "quoteOrderQty") / self._books.prices[listing.id]
            amount = (bought / listing.step).to_integral_value(ROUND_DOWN) * listing.step
        else:
            amount = _decimal(request, "quantity")
        return OrderRequest(
            market=listing.id,
            side=_member(Side, request, "side", -1117, "Invalid side."),
            kind=kind,
            amount=amount,
            client_id=client_id,
            price=_decimal(request, "price") if kind.has_price else ZERO,
            stop_price=_decimal(request, "stopPrice") if kind.waits else ZERO,
            time_in_force=_time_in_force(request) if timed else "GTC",
        )

    def _per_symbol(self, request: Request, describe: Callable[[MarketId, Decimal], Any]) -> Any:
        if "symbol" in request.params:
            market = self._books.listing(request.params["symbol"]).id
            return describe(market, self._books.prices[market])
        asked = [self._books.listing(name).id for name in _symbols(request) or self._books.listings]
        return [describe(market, self._books.prices[market]) for market in asked]


_ROUTES: Final[Mapping[tuple[str, str], _Route]] = {
    ("GET", "/api/v3/exchangeInfo"): _Route(BinanceDialect.exchange_info),
    ("GET", "/api/v3/time"): _Route(BinanceDialect.time),
    ("GET", "/api/v3/ticker/24hr"): _Route(BinanceDialect.day),
    ("GET", "/api/v3/ticker/price"): _Route(BinanceDialect.price),
    ("GET", "/api/v3/ticker/bookTicker"): _Route(BinanceDialect.book_ticker),
    ("GET", "/api/v3/klines"): _Route(BinanceDialect.klines),
    ("GET", "/api/v3/account"): _Route(BinanceDialect.account, signed=True),
    ("POST", "/api/v3/order"): _Route(BinanceDialect.create_order, signed=True),
    ("GET", "/api/v3/order"): _Route(BinanceDialect.query_order, signed=True),
    ("DELETE", "/api/v3/order"): _Route(BinanceDialect.cancel_order, signed=True),
    ("GET", "/api/v3/openOrders"): _Route(BinanceDialect.open_orders, signed=True),
    ("GET", "/api/v3/allOrders"): _Route(BinanceDialect.all_orders, signed=True),
    ("GET", "/api/v3/myTrades"): _Route(BinanceDialect.my_trades, signed=True),
    ("GET", "/sapi/v1/account/apiRestrictions"): _Route(BinanceDialect.key_rights, signed=True),
    ("GET", "/sapi/v1/capital/config/getall"): _Route(BinanceDialect.coins, signed=True),
    ("GET", "/sapi/v1/margin/allPairs"): _Route(BinanceDialect.margin_pairs, signed=True),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): _Route(BinanceDialect.margin_pairs, signed=True),
    ("POST", "/sapi/v1/capital/withdraw/apply"): _Route(BinanceDialect.withdraw, signed=True),
    ("GET", "/sapi/v1/capital/withdraw/history"): _Route(BinanceDialect.withdrawals, signed=True),
}


def _required(request: Request, name: str) -> str:
    value = request.params.get(name, "")
    if not value:
        raise Problem(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def _decimal(request: Request, name: str) -> Decimal:
    try:
        value = Decimal(_required(request, name))
    except InvalidOperation:
        raise Problem(-1100, f"Illegal characters found in parameter '{name}'.") from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -8:
        raise Problem(-1111, f"Parameter '{name}' has too much precision.")
    return value


def _member(words_of: type[Any], request: Request, name: str, code: int, message: str) -> Any:
    value = _required(request, name)
    if value not in {member.value for member in words_of}:
        raise Problem(code, message)
    return words_of(value)


def _time_in_force(request: Request) -> str:
    value = _required(request, "timeInForce")
    if value not in ("GTC", "IOC", "FOK"):
        raise Problem(-1115, "Invalid timeInForce.")
    return value


def _symbols(request: Request) -> list[str]:
    named: list[str] = json.loads(request.params.get("symbols", "[]"))
    return [request.params["symbol"]] if "symbol" in request.params else named


def _within(request: Request, time: int) -> bool:
    first, last = request.params.get("startTime", "0"), request.params.get("endTime")
    return int(first) <= time and (last is None or time <= int(last))


def _limited(request: Request, found: list[Any], *, from_start: bool) -> list[Any]:
    """Cut a list as Binance does: its beginning where one was named, else its end."""
    limit = min(int(request.params.get("limit", 500)), 1000)
    return found[:limit] if from_start else found[-limit:]


def _unsigned(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name != "signature"}
