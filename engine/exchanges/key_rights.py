"""What an API key may do, read from what the exchanges that tell it answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.exchanges.imports import Client


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an API key may do; None where the exchange does not tell."""

    read: bool | None = None
    trade: bool | None = None
    withdraw: bool | None = None
    ip_restricted: bool | None = None


KeyRightsReader = Callable[[Client], Awaitable[KeyRights]]
"""Asks for the rights of a client's key in one request; raises ccxt's errors, as every request."""


async def binance_key_rights(client: Client) -> KeyRights:
    """`GET /sapi/v1/account/apiRestrictions` (Binance Wallet, Get API Key Permission)."""
    told = await client.sapi_get_account_apirestrictions()
    futures = client.options.get("defaultType") != "spot"
    return KeyRights(
        read=_flag(told, "enableReading"),
        trade=_flag(told, "enableFutures" if futures else "enableSpotAndMarginTrading"),
        withdraw=_flag(told, "enableWithdrawals"),
        ip_restricted=_flag(told, "ipRestrict"),
    )


async def okx_key_rights(client: Client) -> KeyRights:
    """`GET /api/v5/account/config` (OKX API v5, Get account configuration)."""
    told = (await client.private_get_account_config())["data"][0]
    granted = str(told.get("perm", "")).split(",")
    return KeyRights(
        read="read_only" in granted,
        trade="trade" in granted,
        withdraw="withdraw" in granted,
        ip_restricted=bool(told.get("ip")),
    )


async def bybit_key_rights(client: Client) -> KeyRights:
    """`GET /v5/user/query-api` (Bybit API v5, Get API Key Information)."""
    told = (await client.private_get_v5_user_query_api())["result"]
    granted: Mapping[str, Any] = told.get("permissions") or {}
    trades = [*granted.get("Spot", ()), *granted.get("ContractTrade", ())]
    return KeyRights(
        read=True,
        trade=bool(trades) and str(told.get("readOnly")) == "0",
        withdraw="Withdraw" in (granted.get("Wallet") or ()),
        ip_restricted=(told.get("ips") or ["*"]) != ["*"],
    )


def _flag(told: Mapping[str, Any], name: str) -> bool | None:
    value = told.get(name)
    return None if value is None else str(value).lower() == "true"
