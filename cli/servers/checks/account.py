"""Checks of a live account: the clock that signs its requests, the rights of its key, its balances."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from cli.servers.checks.finding import Check, Finding, failed, ok, warning
from engine.exchanges import KeyRights
from engine.live import LiveExchange, LiveSettings, TradingApi
from engine.state import ExchangeAccountDetails
from engine.types import Seconds

CLOCK_FINE: Final[Seconds] = 1.0
"""Binance refuses requests whose timestamp is further in its future."""

CLOCK_HOPELESS: Final[Seconds] = 10.0
"""A worker signs orders only while so much of its heartbeat timeout is left, counted by its own clock."""


@dataclass(frozen=True, slots=True)
class PrivateSide:
    """An exchange as the owner of an account sees it.

    Attributes:
        name: of the exchange.
        api: its private side; nothing is ever sent through it that changes anything.
        transfers_allowed: whether workers with these settings may withdraw.
    """

    name: str
    api: TradingApi
    transfers_allowed: bool


@asynccontextmanager
async def private_side(
    details: ExchangeAccountDetails,
    open_live: Callable[[ExchangeAccountDetails, LiveSettings], LiveExchange],
    *,
    transfers_allowed: bool,
) -> AsyncIterator[PrivateSide]:
    """Open the private side of an account.

    Raises:
        ConfigurationError: the credentials cannot be found, or ccxt does not know the exchange.
    """
    exchange = open_live(details, LiveSettings())
    try:
        name = details.exchange_details.internal_name or ""
        yield PrivateSide(name, exchange.api, transfers_allowed)
    finally:
        await exchange.close()


async def _clock(account: PrivateSide) -> Sequence[Finding]:
    difference = await account.api.clock_difference()
    off = abs(difference)
    way = "ahead of" if difference > 0 else "behind"
    says = f"{off * 1_000:,.0f} ms {way} {account.name}'s"
    advice = "Let the machine set its clock by the network (NTP)."
    if off <= CLOCK_FINE:
        return [ok(f"{says}, which is counted in")]
    if off <= CLOCK_HOPELESS:
        return [warning(f"{says}: it is counted in, but such a clock does not stay where it is", advice)]
    return [
        failed(f"{says}: orders are held back, since their time would be over before they are sent", advice)
    ]


async def _rights(account: PrivateSide) -> Sequence[Finding]:
    rights = await account.api.key_rights()
    return [_reading(rights), _trading(rights), _withdrawing(rights, account), _address(rights, account.name)]


def _reading(rights: KeyRights) -> Finding:
    if rights.read is False:
        return failed("the key may not read the account", "Allow it on the exchange's page of API keys.")
    return ok("the key may read the account" if rights.read else "the exchange does not tell about reading")


def _trading(rights: KeyRights) -> Finding:
    if rights.trade is False:
        return failed("the key may not trade", "Allow trading on the exchange's page of API keys.")
    return ok("the key may trade" if rights.trade else "the exchange does not tell whether the key may trade")


def _withdrawing(rights: KeyRights, account: PrivateSide) -> Finding:
    if rights.withdraw is None:
        says = f"{account.name} does not tell whether the key may withdraw"
        return warning(says, "Make sure on the exchange's page of API keys that it may not.")
    if not rights.withdraw:
        return ok("the key may not withdraw")
    if account.transfers_allowed:
        return warning(
            "the key may withdraw, and workers allow transfers", "Keep the list of addresses short."
        )
    return failed(
        "the key may withdraw, which nothing here needs",
        "Take the right from it on the exchange's page of API keys; or allow transfers on the worker "
        "(OCTOFLOW_WORKER_ALLOW_TRANSFERS).",
    )


def _address(rights: KeyRights, name: str) -> Finding:
    if rights.ip_restricted is False:
        says = "the key works from any address"
        return warning(says, "Bind it to the addresses of your workers: a stolen key is useless then.")
    if rights.ip_restricted is None:
        return ok(f"{name} does not tell whether the key is bound to addresses")
    return ok("the key is bound to addresses")


async def _balances(account: PrivateSide) -> Sequence[Finding]:
    content = (await account.api.portfolio()).content
    assets = sorted(asset for asset, balance in content.items() if balance.total)
    named = f": {', '.join(assets[:10])}{', …' if len(assets) > 10 else ''}" if assets else ""
    return [ok(f"{len(assets)} asset{'' if len(assets) == 1 else 's'}{named}")]


CHECKS: Final[Sequence[Check[PrivateSide]]] = (
    Check("clock", _clock),
    Check("key", _rights),
    Check("balances", _balances),
)
