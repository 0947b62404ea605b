"""How Binance's spot REST API words orders, markets and errors.

Source: Binance's REST API documentation for spot: "Public API Endpoints", "Filters", "Error codes".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tests.support.loopback.accounts import Account, BookOrder, Fill, Milliseconds, Side, Withdrawal
from tests.support.loopback.dialect import Answer
from tests.support.loopback.faults import Trouble
from tests.support.loopback.markets import Listing
from tests.support.loopback.refusals import Reason


def error(code: int, message: str, status: int = 400) -> Answer:
    """Return an error as Binance words it."""
    return Answer({"code": code, "msg": message}, status)


REFUSALS: Final[Mapping[Reason, tuple[int, str]]] = {
    Reason.INSUFFICIENT_FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Reason.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Reason.UNKNOWN_MARKET: (-1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (-2013, "Order does not exist."),
    Reason.NOTHING_TO_CANCEL: (-2011, "Unknown order sent."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.FILTER: (-1013, "Filter failure: {detail}"),
    Reason.NOT_PERMITTED: (-2015, "Invalid API-key, IP, or permissions for action."),
}

TROUBLES: Final[Mapping[Trouble, tuple[int, int, str]]] = {
    Trouble.RATE_LIMITED: (
        429,
        -1003,
        "Too many requests; current limit of IP is 6000 request weight per 1 MINUTE.",
    ),
    Trouble.BANNED: (
        418,
        -1003,
        "Way too many requests; IP banned until later. Please use WebSocket Streams.",
    ),
    Trouble.TOO_MANY_ORDERS: (429, -1015, "Too many new orders; current limit is 50 orders per 10 SECOND."),
    Trouble.UNAVAILABLE: (
        503,
        -1001,
        "Internal error; unable to process your request. Please try again.",
    ),
    Trouble.OVERLOADED: (
        503,
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    Trouble.UNEXPECTED_RESPONSE: (
        503,
        -1006,
        "An unexpected response was received from the message bus. Execution status unknown.",
    ),
    Trouble.TIMEOUT: (
        503,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    Trouble.MAINTENANCE: (503, 1, "System is under maintenance."),
    Trouble.DUPLICATE: (400, -2010, "Duplicate order sent."),
    Trouble.INVALID_KEY: (401, -2015, "Invalid API-key, IP, or permissions for action."),
}
"""HTTP status, code and message; a bad gateway answers HTML."""

_ORDER_TYPES: Final = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)


def figure(value: Decimal) -> str:
    """Return an amount or a price with the eight decimals that Binance writes."""
    return f"{value:.8f}"


def market(listing: Listing) -> dict[str, Any]:
    """Return an entry of `exchangeInfo`."""
    filters: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": figure(listing.tick),
            "maxPrice": "1000000.00000000",
            "tickSize": figure(listing.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": figure(listing.min_amount),
            "maxQty": figure(listing.max_amount),
            "stepSize": figure(listing.step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": figure(listing.max_market_amount),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": str(listing.multiplier_up),
            "multiplierDown": str(listing.multiplier_down),
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": figure(listing.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": listing.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": listing.max_stops},
    ]
    return {
        "symbol": listing.id,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(_ORDER_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def ticker(listing: Listing, price: Decimal, now: Milliseconds) -> dict[str, Any]:
    """Return a day's statistics of a market that stood still all day."""
    last = figure(price)
    return {
        "symbol": listing.id,
        "priceChange": "0.00000000",
        "priceChangePercent": "0.000",
        "weightedAvgPrice": last,
        "prevClosePrice": last,
        "lastPrice": last,
        "lastQty": "1.00000000",
        "bidPrice": last,
        "bidQty": "1000.00000000",
        "askPrice": last,
        "askQty": "1000.00000000",
        "openPrice": last,
        "highPrice": last,
        "lowPrice": last,
        "volume": "1000.00000000",
        "quoteVolume": figure(price * 1000),
        "openTime": now - 86_400_000,
        "closeTime": now,
        "firstId": 1,
        "lastId": 1,
        "count": 1,
    }


def candle(opened: int, length: int, price: Decimal) -> list[Any]:
    """Return a candle of a market that stood still."""
    last = figure(price)
    return [opened, last, last, last, last, "1.0", opened + length - 1, last, 1, "0.5", last, "0"]


def order(one: BookOrder) -> dict[str, Any]:
    """Return an order as it is answered to a query."""
    request = one.request
    return {
        **_body(one),
        "stopPrice": figure(request.stop_price),
        "icebergQty": "0.00000000",
        "time": one.created_at,
        "updateTime": one.updated_at,
        "isWorking": not one.waiting,
        "workingTime": -1 if one.waiting else one.created_at,
    }


def created(one: BookOrder, detail: str) -> dict[str, Any]:
    """Return the answer to an order that was taken.

    Args:
        detail: ACK, RESULT or FULL, as `newOrderRespType` asks for.
    """
    receipt = {
        "symbol": one.request.market,
        "orderId": one.id,
        "orderListId": -1,
        "clientOrderId": one.client_id,
        "transactTime": one.updated_at,
    }
    if detail == "ACK":
        return receipt
    result = {**_body(one), **receipt}
    if one.request.kind.waits:
        result["stopPrice"] = figure(one.request.stop_price)
    return result if detail == "RESULT" else {**result, "fills": [_part(fill) for fill in one.fills]}


def cancelled(one: BookOrder) -> dict[str, Any]:
    """Return the answer to a cancellation, which carries a client id of its own."""
    return {
        **_body(one),
        "origClientOrderId": one.client_id,
        "clientOrderId": f"cancel{one.id}",
        "transactTime": one.updated_at,
    }


def trade(fill: Fill) -> dict[str, Any]:
    """Return an entry of `myTrades`."""
    return {
        "symbol": fill.market,
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": figure(fill.price),
        "qty": figure(fill.amount),
        "quoteQty": figure(fill.price * fill.amount),
        "commission": figure(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def account(one: Account, now: Milliseconds) -> dict[str, Any]:
    """Return `account`, assets without holdings included."""
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "canTrade": one.rights.trade,
        "canWithdraw": one.rights.withdraw,
        "canDeposit": True,
        "updateTime": now,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": figure(balance.free), "locked": figure(balance.locked)}
            for asset, balance in one.balances.items()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def rights(one: Account, now: Milliseconds) -> dict[str, Any]:
    """Return what a key may do."""
    return {
        "ipRestrict": one.rights.ip_restricted,
        "createTime": now,
        "enableReading": True,
        "enableSpotAndMarginTrading": one.rights.trade,
        "enableWithdrawals": one.rights.withdraw,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
    }


def withdrawal(one: Withdrawal) -> dict[str, Any]:
    """Return an entry of the withdrawal history; status 6 is completed."""
    return {
        "id": one.id,
        "amount": str(one.amount),
        "transactionFee": "0",
        "coin": one.asset,
        "status": 6,
        "address": one.address,
        "txId": f"0x{one.id}",
        "applyTime": datetime.fromtimestamp(one.time / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "network": one.network,
        "transferType": 0,
        "withdrawOrderId": one.client_id,
    }


def coin(asset: str) -> dict[str, Any]:
    """Return an entry of `capital/config/getall`: one network, named as the coin."""
    network = {
        "network": asset,
        "coin": asset,
        "name": asset,
        "isDefault": True,
        "depositEnable": True,
        "withdrawEnable": True,
        "withdrawFee": "0",
        "withdrawMin": "0.00000001",
        "withdrawMax": "9999999",
        "withdrawIntegerMultiple": "0.00000001",
    }
    return {
        "coin": asset,
        "name": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "isLegalMoney": False,
        "trading": True,
        "networkList": [network],
    }


def _body(one: BookOrder) -> dict[str, Any]:
    request = one.request
    return {
        "symbol": request.market,
        "orderId": one.id,
        "orderListId": -1,
        "clientOrderId": one.client_id,
        "price": figure(request.price),
        "origQty": figure(request.amount),
        "executedQty": figure(one.filled),
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": figure(one.cost),
        "status": one.status.value,
        "timeInForce": request.time_in_force,
        "type": request.kind.value,
        "side": request.side.value,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def _part(fill: Fill) -> dict[str, Any]:
    return {
        "price": figure(fill.price),
        "qty": figure(fill.amount),
        "commission": figure(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }
