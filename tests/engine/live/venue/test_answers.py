"""Error bodies of real exchanges, read by the real classes of ccxt, and what they mean for an effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import ActionStatus
from engine.exchanges.client import make_client
from engine.exchanges.imports import Client
from engine.exchanges.table import capabilities_of
from engine.live.venue.answers import answer_to_cancel, answer_to_change, answer_to_create, answer_to_withdraw
from engine.live.venue.api import Absent, Confirmed, Duplicate, Refused, Unclear
from engine.state import ExchangeDetails

ORDER_URLS = {
    "binance": "https://api.binance.com/api/v3/order",
    "okx": "https://www.okx.com/api/v5/trade/order",
    "bybit": "https://api.bybit.com/v5/order/create",
    "kraken": "https://api.kraken.com/0/private/AddOrder",
    "kucoin": "https://api.kucoin.com/api/v1/hf/orders",
}

_clients: dict[str, Client] = {}


def client_of(exchange_id: str) -> Client:
    """A client that is never connected."""
    if exchange_id not in _clients:
        _clients[exchange_id] = make_client(ExchangeDetails(internal_name=exchange_id))
    return _clients[exchange_id]


def raised(exchange_id: str, status: int, body: str) -> Exception:
    """What ccxt raises about an answer to a new order."""
    client = client_of(exchange_id)
    url, reason = ORDER_URLS[exchange_id], "Reason"
    try:
        response = json.loads(body)
    except ValueError:
        response = None
    try:
        client.handle_errors(status, reason, url, "POST", {}, body, response, {}, None)
        client.handle_http_status_code(status, reason, url, "POST", body)
    except Exception as error:
        return error
    raise AssertionError(f"{exchange_id} finds nothing wrong with {body}")


def okx(code: str, text: str) -> str:
    entry = {"clOrdId": "c", "ordId": "", "sCode": code, "sMsg": text, "tag": ""}
    return json.dumps({"code": "1", "data": [entry], "msg": "All operations failed"}, separators=(",", ":"))


def binance(code: int, text: str) -> str:
    return json.dumps({"code": code, "msg": text})


def bybit(code: int, text: str) -> str:
    body = {"retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": 1700000000000}
    return json.dumps(body, separators=(",", ":"))


def kraken(text: str) -> str:
    return json.dumps({"error": [text]})


POOR = "Account has insufficient balance for requested action."
FORBIDDEN = "symbol_incompatible_with_account"

DUPLICATES = [
    ("binance", 400, binance(-2010, "Duplicate order sent.")),
    ("binance", 400, binance(-4116, "ClientOrderId is duplicated.")),
    ("okx", 200, okx("51016", "Client order ID already exists.")),
    ("okx", 200, okx("51065", "algoClOrdId already exists.")),
    ("bybit", 200, bybit(110072, "OrderLinkedID is duplicate")),
    ("bybit", 200, bybit(170141, "Duplicate clientOrderId")),
    ("kucoin", 200, '{"code":"126044","msg":"clientOid duplicate"}'),
]

REFUSALS = [
    ("binance", 400, binance(-2010, POOR), "not_enough_funds"),
    ("okx", 200, okx("51008", "Order failed. Insufficient balance."), "not_enough_funds"),
    ("bybit", 200, bybit(170131, "Balance insufficient"), "not_enough_funds"),
    ("kraken", 200, kraken("EOrder:Insufficient funds"), "not_enough_funds"),
    ("binance", 400, binance(-1121, "Invalid symbol."), "missing_symbol"),
    ("okx", 200, okx("51001", "Instrument ID does not exist"), "missing_symbol"),
    ("bybit", 200, bybit(10005, "Permission denied, please check your API key permissions."), FORBIDDEN),
    ("kraken", 200, kraken("EGeneral:Permission denied"), FORBIDDEN),
    ("binance", 400, binance(-1013, "Filter failure: LOT_SIZE"), "invalid_order"),
    ("binance", 400, binance(-1013, "Filter failure: NOTIONAL"), "invalid_order"),
    ("binance", 400, binance(-1111, "Precision is over the maximum defined."), "invalid_order"),
    ("binance", 400, binance(-2010, "Order would immediately match and take."), "invalid_order"),
    ("okx", 200, okx("51020", "Your order should meet or exceed the minimum order amount."), "invalid_order"),
    ("kraken", 200, kraken("EOrder:Order minimum not met"), "invalid_order"),
]  # fmt: skip

UNCLEAR = [
    ("kraken", 200, kraken("EQuery:Unknown asset pair")),
    ("binance", 503, binance(-1006, "An unexpected response was received. Execution status unknown.")),
    ("binance", 408, binance(-1007, "Timeout. Send status unknown; execution status unknown.")),
    ("binance", 500, binance(-1000, "An unknown error occured while processing the request.")),
    ("binance", 502, "<html><body>502 Bad Gateway</body></html>"),
    ("binance", 400, binance(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")),
    ("binance", 400, binance(-99999, "Something that nobody documented.")),
    ("binance", 403, "<html>Request blocked</html>"),
    ("okx", 200, '{"code":"50004","data":[],"msg":"Endpoint request timeout (check the order status)"}'),
    ("okx", 200, '{"code":"99999","data":[],"msg":"new in this release"}'),
    ("okx", 401, '{"code":"50102","data":[],"msg":"Timestamp request expired"}'),
    ("bybit", 200, bybit(10016, "Internal server error")),
    ("kraken", 200, kraken("EService:Timeout")),
    ("kraken", 200, kraken("EAPI:Invalid nonce")),
    ("kraken", 520, "<html>Web server is returning an unknown error</html>"),
    ("binance", 400, binance(-1013, "Market is closed.")),
]  # fmt: skip

POSTPONED = [
    ("binance", 401, binance(-2015, "Invalid API-key, IP, or permissions for action."), "authentication"),
    ("binance", 401, binance(-2014, "API-key format invalid."), "authentication"),
    ("okx", 401, '{"code":"50111","data":[],"msg":"Invalid OK-ACCESS-KEY"}', "authentication"),
    ("bybit", 200, bybit(10003, "API key is invalid."), "authentication"),
    ("kraken", 200, kraken("EAPI:Invalid key"), "authentication"),
    ("okx", 200, '{"code":"50001","data":[],"msg":"Service temporarily unavailable."}', "maintenance"),
    ("binance", 200, binance(1, "System is under maintenance."), "maintenance"),
]

RATE_LIMITED = [
    ("binance", 429, binance(-1003, "Too much request weight used.")),
    ("binance", 418, binance(-1003, "Way too much request weight used; IP banned until 1700000000000.")),
    ("okx", 429, '{"code":"50011","data":[],"msg":"Too Many Requests"}'),
    ("bybit", 200, bybit(10006, "Too many visits!")),
    ("kraken", 200, kraken("EAPI:Rate limit exceeded")),
]


@pytest.mark.parametrize(("exchange_id", "status", "body"), DUPLICATES)
def test_a_used_client_id_is_looked_up(exchange_id: str, status: int, body: str) -> None:
    error = raised(exchange_id, status, body)
    assert isinstance(answer_to_create(error, str(error), capabilities_of(exchange_id)), Duplicate)


@pytest.mark.parametrize(("exchange_id", "status", "body", "expected"), REFUSALS)
def test_a_definite_refusal_ends_the_order(exchange_id: str, status: int, body: str, expected: str) -> None:
    error = raised(exchange_id, status, body)
    answer = answer_to_create(error, str(error), capabilities_of(exchange_id))
    assert answer == Refused(ActionStatus(expected), str(error))


@pytest.mark.parametrize(("exchange_id", "status", "body"), UNCLEAR)
def test_everything_else_may_have_happened(exchange_id: str, status: int, body: str) -> None:
    error = raised(exchange_id, status, body)
    assert answer_to_create(error, str(error), capabilities_of(exchange_id)) == Unclear(str(error))


@pytest.mark.parametrize(("exchange_id", "status", "body", "reason"), POSTPONED)
def test_what_cannot_pass_within_minutes_is_unclear_and_postpones(
    exchange_id: str, status: int, body: str, reason: Any
) -> None:
    error = raised(exchange_id, status, body)
    answer = answer_to_create(error, str(error), capabilities_of(exchange_id))
    assert answer == Unclear(str(error), postpone=reason)


@pytest.mark.parametrize(("exchange_id", "status", "body"), RATE_LIMITED)
def test_a_rate_limit_is_unclear_and_says_when_to_go_on(exchange_id: str, status: int, body: str) -> None:
    error = raised(exchange_id, status, body)
    answer = answer_to_create(error, str(error), capabilities_of(exchange_id), retry_after=7)
    assert answer == Unclear(str(error), retry_after=7)


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError("reset by peer"), KeyError("orderId")]
)
def test_what_is_not_ccxts_may_have_happened(error: Exception) -> None:
    assert answer_to_create(error, "no answer", capabilities_of("binance")) == Unclear("no answer")


class InsufficientFunds(Exception):
    """Named like one of ccxt's."""


def test_a_class_that_is_only_named_like_ccxts_is_not_definite() -> None:
    assert isinstance(answer_to_create(InsufficientFunds(), "no", capabilities_of("okx")), Unclear)


@pytest.mark.parametrize(
    ("exchange_id", "status", "body"),
    [
        ("binance", 400, binance(-2011, "Unknown order sent.")),
        ("okx", 200, okx("51400", "Cancellation failed as the order does not exist.")),
        ("bybit", 200, bybit(110001, "order not exists or too late to cancel")),
        ("kraken", 200, kraken("EOrder:Unknown order")),
    ],
)
def test_an_order_that_is_not_there_needs_no_cancelling(exchange_id: str, status: int, body: str) -> None:
    error = raised(exchange_id, status, body)
    assert answer_to_cancel(error, str(error)) == Absent(str(error))


def test_other_answers_to_a_cancellation_are_those_of_orders() -> None:
    refused = raised("binance", 400, binance(-1121, "Invalid symbol."))
    assert answer_to_cancel(refused, "no") == Refused(ActionStatus.MISSING_SYMBOL, "no")
    lost = raised("binance", 503, "<html>unknown order of things</html>")
    assert answer_to_cancel(lost, "unknown order of things") == Unclear("unknown order of things")


def test_a_leverage_that_is_set_already_is_done() -> None:
    unchanged = raised("bybit", 200, bybit(110043, "Set leverage has not been modified."))
    assert answer_to_change(unchanged, str(unchanged)) == Confirmed()
    refused = raised("bybit", 200, bybit(110013, "Cannot set leverage due to risk limit level."))
    assert isinstance(answer_to_change(refused, str(refused)), Refused)


def test_a_key_that_may_not_withdraw_moves_no_funds() -> None:
    error = raised("kraken", 200, kraken("EGeneral:Permission denied"))
    answer = answer_to_withdraw(error, "no", capabilities_of("kraken"))
    assert answer == Refused(ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR, "no")
