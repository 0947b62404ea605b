"""Opening the exchange of a live account: its own keys, its own client, nothing requested yet."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from engine.errors import ConfigurationError
from engine.live.settings import LiveSettings
from engine.live.venue.opening import open_live
from engine.market.public_cache import PublicCaches
from engine.masking import mask, masking
from engine.state import AuthDetails, ExchangeAccountDetails, ExchangeDetails
from engine.types import Asset
from tests.support.live import TestPace, live_details, live_exchange
from tests.support.loopback import serving_binance

KEYS = {"api_key": "canary-key-1234", "api_secret": "canary-secret-5678"}


def details(exchange_id: str | None, **auth: str) -> ExchangeAccountDetails:
    return ExchangeAccountDetails(
        exchange_details=ExchangeDetails(internal_name=exchange_id),
        auth_details=AuthDetails.model_validate(auth or KEYS),
    )


@pytest.mark.parametrize(
    ("account", "code", "said"),
    [
        (details(None), "invalid_configuration", "names no exchange"),
        (details("nowhere"), "unknown_exchange", "ccxt knows no exchange `nowhere`"),
        (details("hyperliquid"), "exchange_refused", "which nobody planned"),
        (details("okx"), "invalid_credentials", "okx also needs `api_password`"),
        (details("binance", api_key="canary-key-1234"), "invalid_credentials", "`api_secret`"),
        (details("binance", credential_ref="env:NOBODY"), "invalid_credentials", "NOBODY_API_KEY"),
    ],
)
def test_an_account_that_cannot_be_opened_is_told_why(
    account: ExchangeAccountDetails, code: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_live(account, LiveSettings(), environment={})
    assert refused.value.code == code
    assert said in refused.value.message
    assert "canary" not in refused.value.message


async def test_opening_requests_nothing_and_masks_the_keys_in_its_job() -> None:
    async with serving_binance() as exchange:
        account = exchange.books.add_account("canary-key-1234", "canary-secret-5678", {})
        with masking():
            async with live_exchange(live_details(exchange.url, account), TestPace().pace) as live:
                assert "canary" not in repr(live)
                assert mask("canary-secret-5678") == "***"
        assert exchange.requests == []


async def test_jobs_side_by_side_use_their_own_keys_and_share_only_public_data() -> None:
    caches = PublicCaches()
    async with serving_binance() as exchange:
        accounts = [
            exchange.books.add_account(f"key-{number}", f"secret-{number}", {"USDT": number})
            for number in (1, 2, 3)
        ]

        async def job(number: int) -> Decimal:
            account = live_details(exchange.url, accounts[number - 1])
            async with live_exchange(account, TestPace().pace, caches) as live:
                await live.source.markets()
                return (await live.api.portfolio()).content[Asset("USDT")].total

        assert await asyncio.gather(*map(job, (1, 2, 3))) == [1, 2, 3]
        assert exchange.counts["GET /api/v3/exchangeInfo"] == 1
        assert exchange.counts["GET /api/v3/time"] == 1
        assert sorted(str(request.key) for request in exchange.private_requests) == [
            "key-1",
            "key-2",
            "key-3",
        ]
