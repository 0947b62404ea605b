"""How OKX's REST API v5 words orders, markets and errors.

Source: OKX's API documentation v5: "Order Book Trading", "Trading Account", "Error Code".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tests.support.loopback.accounts import Account, BookOrder, Fill, Kind, Milliseconds, Side, Status
from tests.support.loopback.dialect import Answer, waiting
from tests.support.loopback.faults import Trouble
from tests.support.loopback.markets import Listing
from tests.support.loopback.refusals import Reason, Refused

REFUSALS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.INSUFFICIENT_FUNDS: ("51008", "Order failed. Insufficient balance in account."),
    Reason.DUPLICATE_CLIENT_ID: ("51016", "Client order ID already exists."),
    Reason.UNKNOWN_MARKET: ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    Reason.UNKNOWN_ORDER: ("51603", "Order does not exist"),
    Reason.NOTHING_TO_CANCEL: (
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    ),
    Reason.WOULD_TAKE: ("51000", "Parameter ordType error"),
    Reason.WOULD_TRIGGER: ("51000", "Parameter ordType error"),
    Reason.NOT_PERMITTED: ("50120", "This API key doesn't have permission to use this function."),
}

_FILTERS: Final[Mapping[str, tuple[str, str]]] = {
    "PRICE_FILTER": ("51000", "Parameter px error"),
    "PERCENT_PRICE": ("51006", "Order price is not within the price limit."),
    "LOT_SIZE": ("51121", "Order quantity must be a multiple of the lot size."),
    "MARKET_LOT_SIZE": ("51202", "Market order amount exceeds the maximum amount."),
    "NOTIONAL": ("51020", "Your order should meet or exceed the minimum order amount."),
}
_TOO_MANY: Final = ("51174", "The number of pending orders reached the upper limit.")

TROUBLES: Final[Mapping[Trouble, tuple[int, str, str]]] = {
    Trouble.RATE_LIMITED: (429, "50011", "Too Many Requests"),
    Trouble.BANNED: (429, "50011", "Too Many Requests"),
    Trouble.TOO_MANY_ORDERS: (429, "50061", "You've reached the maximum order rate limit for this account."),
    Trouble.UNAVAILABLE: (503, "50013", "Systems are busy. Please try again later."),
    Trouble.OVERLOADED: (503, "50013", "Systems are busy. Please try again later."),
    Trouble.UNEXPECTED_RESPONSE: (500, "50026", "System error. Try again later"),
    Trouble.TIMEOUT: (
        400,
        "50004",
        "API endpoint request timeout (does not mean that the request was successful or failed, "
        "please check the request result).",
    ),
    Trouble.MAINTENANCE: (503, "50001", "Service temporarily unavailable. Please try again later."),
    Trouble.DUPLICATE: (200, *REFUSALS[Reason.DUPLICATE_CLIENT_ID]),
    Trouble.INVALID_KEY: (401, "50111", "Invalid OK-ACCESS-KEY."),
}
"""HTTP status, code and message; a bad gateway answers HTML."""

_STATES: Final = {
    Status.NEW: "live",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}
_KINDS: Final = {Kind.MARKET: "market", Kind.LIMIT: "limit", Kind.LIMIT_MAKER: "post_only"}


def data(entries: Sequence[Any]) -> Answer:
    """Return what was asked for."""
    return Answer({"code": "0", "msg": "", "data": list(entries)})


def error(code: str, message: str, status: int = 200, retry_after: float | None = None) -> Answer:
    """Return an error as OKX words it."""
    return Answer({"code": code, "msg": message, "data": []}, status, waiting(retry_after))


def refusal(refused: Refused) -> tuple[str, str]:
    """Return code and message of a refusal."""
    if refused.reason is Reason.FILTER:
        return _FILTERS.get(refused.detail, _TOO_MANY)
    return REFUSALS[refused.reason]


def results(entries: Sequence[Mapping[str, str]]) -> Answer:
    """Return what became of orders and cancellations, whose own code says whether they worked."""
    worked = any(entry["sCode"] == "0" for entry in entries)
    return Answer(
        {"code": "0" if worked else "1", "msg": "" if worked else "All operations failed", "data": entries}
    )


def result(order_id: str = "", client_id: str = "", code: str = "0", message: str = "") -> Mapping[str, str]:
    """Return what became of one order or cancellation."""
    return {"ordId": order_id, "clOrdId": client_id, "tag": "", "sCode": code, "sMsg": message}


def instrument_id(listing: Listing) -> str:
    """Return a market's name."""
    return f"{listing.base}-{listing.quote}"


def instrument(listing: Listing) -> dict[str, Any]:
    """Return an entry of `public/instruments`."""
    return {
        "instType": "SPOT",
        "instId": instrument_id(listing),
        "baseCcy": listing.base,
        "quoteCcy": listing.quote,
        "tickSz": f"{listing.tick:f}",
        "lotSz": f"{listing.step:f}",
        "minSz": f"{listing.min_amount:f}",
        "maxLmtSz": f"{listing.max_amount:f}",
        "maxMktSz": f"{listing.max_market_amount:f}",
        "lever": "",
        "ctVal": "",
        "state": "live",
        "listTime": "1548133413000",
        "expTime": "",
    }


def ticker(listing: Listing, price: Decimal, now: Milliseconds) -> dict[str, str]:
    """Return a day's statistics of a market that stood still all day."""
    last = f"{price:f}"
    return {
        "instType": "SPOT",
        "instId": instrument_id(listing),
        "last": last,
        "lastSz": "1",
        "askPx": last,
        "askSz": "1000",
        "bidPx": last,
        "bidSz": "1000",
        "open24h": last,
        "high24h": last,
        "low24h": last,
        "volCcy24h": f"{price * 1000:f}",
        "vol24h": "1000",
        "ts": str(now),
    }


def candle(opened: int, price: Decimal, *, closed: bool) -> list[str]:
    """Return a candle of a market that stood still."""
    last = f"{price:f}"
    return [str(opened), last, last, last, last, "1", last, last, "1" if closed else "0"]


def balance(account: Account, now: Milliseconds) -> dict[str, Any]:
    """Return `account/balance`."""
    details = [
        {
            "ccy": asset,
            "eq": f"{held.free + held.locked:f}",
            "cashBal": f"{held.free + held.locked:f}",
            "availBal": f"{held.free:f}",
            "availEq": "",
            "frozenBal": f"{held.locked:f}",
            "ordFrozen": f"{held.locked:f}",
            "uTime": str(now),
        }
        for asset, held in account.balances.items()
    ]
    return {"uTime": str(now), "totalEq": "", "details": details}


def config(account: Account) -> dict[str, str]:
    """Return `account/config`, with what the key may do."""
    may = {"read_only": True, "trade": account.rights.trade, "withdraw": account.rights.withdraw}
    return {
        "uid": "1",
        "mainUid": "1",
        "acctLv": "1",
        "posMode": "net_mode",
        "perm": ",".join(name for name, allowed in may.items() if allowed),
        "ip": "127.0.0.1" if account.rights.ip_restricted else "",
    }


def order(one: BookOrder, listing: Listing) -> dict[str, str]:
    """Return an order as it is answered to a query; fees are negative."""
    request, last = one.request, one.fills[-1] if one.fills else None
    limited = request.time_in_force != "GTC"
    return {
        "instType": "SPOT",
        "instId": instrument_id(listing),
        "ordId": str(one.id),
        "clOrdId": one.client_id,
        "tag": "",
        "px": f"{request.price:f}" if request.kind.has_price else "",
        "sz": f"{request.amount:f}",
        "ordType": request.time_in_force.lower() if limited else _KINDS[request.kind],
        "side": request.side.value.lower(),
        "posSide": "net",
        "tdMode": "cash",
        "tgtCcy": "base_ccy" if request.kind is Kind.MARKET else "",
        "accFillSz": f"{one.filled:f}",
        "avgPx": f"{one.cost / one.filled:f}" if one.filled else "",
        "fillPx": f"{last.price:f}" if last else "",
        "fillSz": f"{last.amount:f}" if last else "0",
        "fillTime": str(last.time) if last else "",
        "tradeId": str(last.id) if last else "",
        "state": _STATES[one.status],
        "fee": f"{-sum(fill.fee for fill in one.fills):f}" if last else "0",
        "feeCcy": last.fee_asset if last else listing.base if request.side is Side.BUY else listing.quote,
        "cTime": str(one.created_at),
        "uTime": str(one.updated_at),
    }


def fill(one: Fill, client_id: str, listing: Listing) -> dict[str, str]:
    """Return an entry of `trade/fills`; fees are negative."""
    return {
        "instType": "SPOT",
        "instId": instrument_id(listing),
        "tradeId": str(one.id),
        "billId": str(one.id),
        "ordId": str(one.order_id),
        "clOrdId": client_id,
        "fillPx": f"{one.price:f}",
        "fillSz": f"{one.amount:f}",
        "side": one.side.value.lower(),
        "posSide": "net",
        "execType": "M" if one.maker else "T",
        "fee": f"{-one.fee:f}",
        "feeCcy": one.fee_asset,
        "ts": str(one.time),
        "fillTime": str(one.time),
    }
