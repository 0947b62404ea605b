"""Requests of a live account: what is waited for, what is repeated, and what nobody ever reads."""

from __future__ import annotations

import logging
import time as clock
from collections.abc import AsyncIterator
from decimal import getcontext
from email.utils import formatdate

import pytest
from aiohttp import web

from engine.credentials import resolve
from engine.errors import ConfigurationError, PostponedError, RetryableError
from engine.exchanges.client import close_client
from engine.exchanges.failures import LONGEST_MESSAGE, RequestFailure
from engine.exchanges.imports import Client
from engine.live.settings import LiveSettings
from engine.live.venue.client import make_live_client
from engine.live.venue.clock import ExchangeClock
from engine.live.venue.wire import Wire
from engine.market.public_cache import PublicCaches, scope_of
from engine.masking import Secrets, masking
from engine.state import AuthDetails, ExchangeDetails
from tests.support.live import TestPace

KEY, SECRET = "canary-key-1234", "canary-secret-5678"
SLOWEST_SIGNATURE = 2.0


class NoMarkets:
    """A market list that nothing is looked up in."""

    def share_with(self, client: object) -> None:
        return None


class Exchange:
    """Answers every signed request with the next of `answers`, and tells the time."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.signed: list[web.BaseRequest] = []
        self.time_ahead = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.endswith("/time"):
            return web.json_response({"serverTime": int((clock.time() + self.time_ahead) * 1_000)})
        self.signed.append(request)
        return self.answers.pop(0) if self.answers else web.json_response([])

    def will_say(self, status: int, body: object = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(web.json_response(body or {}, status=status, headers=named))


@pytest.fixture
async def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def time() -> TestPace:
    return TestPace()


@pytest.fixture
async def wire(exchange: Exchange, time: TestPace) -> AsyncIterator[Wire]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", exchange.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    details = ExchangeDetails(internal_name="binance", url=f"http://{host}:{port}")
    credentials = resolve(AuthDetails(api_key=KEY, api_secret=SECRET))
    client = make_live_client(details, credentials, LiveSettings(receive_window=3), time.pace.wall)

    async def market_list() -> NoMarkets:
        return NoMarkets()

    yield Wire(
        client,
        clock=ExchangeClock(client, scope_of(details), PublicCaches(lambda: time.ahead), time.pace.wall),
        market_list=market_list,  # type: ignore[arg-type]  # the part that is used
        secrets=Secrets(credentials.secret_values()),
        pace=time.pace,
        slowest_signature=SLOWEST_SIGNATURE,
    )
    await close_client(client)
    await runner.cleanup()


async def read(wire: Wire) -> object:
    return await wire.read(lambda client: client.private_get_openorders())


async def send(wire: Wire) -> object:
    return await wire.send(lambda client: client.private_post_order())


async def test_the_receive_window_is_the_settings(wire: Wire, exchange: Exchange) -> None:
    await read(wire)
    assert exchange.signed[0].query["recvWindow"] == "3000"


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry_After": "12"}, {}, 12),
        ({"Retry_After": "soon"}, {}, None),
        ({}, {"code": -1003, "msg": "Too many requests."}, None),
    ],
)
async def test_a_rate_limit_ends_when_the_header_says(
    wire: Wire, exchange: Exchange, headers: dict[str, str], body: object, seconds: float | None
) -> None:
    exchange.will_say(429, body, **headers)
    with pytest.raises(RetryableError) as limited:
        await read(wire)
    assert limited.value.code == "rate_limited"
    assert limited.value.retry_after == (
        None if seconds is None else pytest.approx(seconds, abs=seconds / 10)
    )
    assert len(exchange.signed) == 1


async def test_a_ban_ends_when_its_text_says(wire: Wire, exchange: Exchange) -> None:
    until = int((clock.time() + 600) * 1_000)
    exchange.will_say(418, {"code": -1003, "msg": f"Way too many requests; IP banned until {until}."})
    answer = await send(wire)
    assert isinstance(answer, RequestFailure)
    assert answer.retry_after == pytest.approx(600, abs=2)


async def test_a_clock_that_stays_refused_is_told_in_plain_words(wire: Wire, exchange: Exchange) -> None:
    exchange.time_ahead = 42
    for _ in range(4):
        exchange.will_say(400, {"code": -1021, "msg": "Timestamp for this request is outside."})
    with pytest.raises(RetryableError) as refused:
        await read(wire)
    assert refused.value.code == "clock_is_off"
    assert "ms behind the exchange's" in refused.value.message
    assert "41" in refused.value.message or "42" in refused.value.message


async def test_a_difference_holds_for_the_job_and_is_measured_anew_after_an_hour(
    wire: Wire, exchange: Exchange, time: TestPace
) -> None:
    exchange.time_ahead = 42
    await read(wire)
    assert wire.clock.now() - clock.time() == pytest.approx(42, abs=1)
    time.ahead = 4_000
    assert wire.clock.now() - clock.time() == pytest.approx(4_042, abs=1)
    await read(wire)
    assert wire.clock.now() - clock.time() == pytest.approx(42, abs=1)


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, PostponedError),
        (400, {"code": -1121, "msg": "Invalid symbol."}, ConfigurationError),
        (500, {"code": -1000, "msg": "An unknown error occured."}, RetryableError),
    ],
)
async def test_no_error_of_a_read_shows_a_secret_or_drags_one_along(
    wire: Wire, exchange: Exchange, status: int, body: dict[str, object], raised: type[Exception]
) -> None:
    for _ in range(3):
        exchange.will_say(status, {**body, "msg": f"{body['msg']} {KEY} {SECRET}"})
    with pytest.raises(raised) as failed:
        await read(wire)
    assert "canary" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


async def test_a_rate_limit_may_end_at_a_date(wire: Wire, exchange: Exchange) -> None:
    exchange.will_say(429, {}, Retry_After=formatdate(clock.time() + 3_600, usegmt=True))
    with pytest.raises(RetryableError) as limited:
        await read(wire)
    assert limited.value.retry_after == pytest.approx(3_600, abs=60)


async def test_ccxt_s_rounding_does_not_reach_the_scripts_of_the_job(wire: Wire) -> None:
    async def rounds(client: Client) -> str:
        rounded: str = client.decimal_to_precision("0.125", 1, 2, 2)
        return rounded

    before = getcontext().copy()
    await wire.read(rounds)
    await wire.send(rounds)

    assert (getcontext().rounding, getcontext().traps) == (before.rounding, before.traps)


async def test_a_process_that_was_frozen_before_it_signed_an_effect_does_not_send_it(
    wire: Wire, exchange: Exchange, time: TestPace
) -> None:
    async def frozen(client: Client) -> object:
        time.ahead += SLOWEST_SIGNATURE + 0.1
        return await client.private_post_order()

    answer = await wire.send(frozen)

    assert isinstance(answer, RequestFailure)
    assert "was not sent" in answer.message
    assert exchange.signed == []


async def test_no_answer_to_an_effect_shows_a_secret_or_a_signature(wire: Wire, exchange: Exchange) -> None:
    exchange.will_say(502, {"page": f"{KEY} {SECRET} " + "x" * 5_000})
    answer = await send(wire)
    assert isinstance(answer, RequestFailure)
    assert "canary" not in answer.message
    assert "signature=" not in answer.message
    assert len(answer.message) <= LONGEST_MESSAGE + 1


async def test_nothing_is_logged_with_keys_in_it(
    wire: Wire, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), masking():
        await read(wire)
    assert KEY not in caplog.text


async def test_an_unforeseen_failure_of_a_class_is_an_answer_too(wire: Wire) -> None:
    async def broken(client: object) -> None:
        raise KeyError("orderId")

    assert isinstance(await wire.send(broken), RequestFailure)
    with pytest.raises(RetryableError):
        await wire.read(broken)
