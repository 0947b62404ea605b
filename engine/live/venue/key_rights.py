"""What an API key may do, in the words of the exchanges that tell; one that may do too much is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from engine.errors import ConfigurationError
from engine.exchanges import Client
from engine.live.venue.api import KeyRights

_Reader = Callable[[Client], Awaitable[KeyRights]]


async def read_key_rights(client: Client) -> KeyRights:
    """Return the rights of the client's key; all None where the exchange does not tell.

    Raises:
        BaseError: of ccxt, as every request.
    """
    reader = _READERS.get(client.id)
    return KeyRights() if reader is None else await reader(client)


class KnowsRights(Protocol):
    """The part of a `TradingApi` that is asked."""

    async def key_rights(self) -> KeyRights:
        """Return what the key may do, as far as the exchange tells."""
        ...


async def check_rights(api: KnowsRights, transfers_allowed: bool) -> None:
    """Refuse a key with withdrawal rights, unless the worker allows transfers.

    Raises:
        ConfigurationError: `withdrawal_rights`.
        RetryableError, PostponedError: as reads do.
    """
    if transfers_allowed:
        return
    if (await api.key_rights()).withdraw:
        raise ConfigurationError(
            "this API key may withdraw funds, and this worker moves none: take the right off the key, or use "
            "another one; whoever runs the worker can allow transfers (OCTOFLOW_WORKER_ALLOW_TRANSFERS)",
            code="withdrawal_rights",
        )


async def _binance(client: Client) -> KeyRights:
    """`GET /sapi/v1/account/apiRestrictions` (Binance Wallet, Get API Key Permission)."""
    told = await client.sapi_get_account_apirestrictions()
    futures = client.options.get("defaultType") != "spot"
    return KeyRights(
        read=_flag(told, "enableReading"),
        trade=_flag(told, "enableFutures" if futures else "enableSpotAndMarginTrading"),
        withdraw=_flag(told, "enableWithdrawals"),
        ip_restricted=_flag(told, "ipRestrict"),
    )


async def _okx(client: Client) -> KeyRights:
    """`GET /api/v5/account/config` (OKX API v5, Get account configuration)."""
    told = (await client.private_get_account_config())["data"][0]
    granted = str(told.get("perm", "")).split(",")
    return KeyRights(
        read="read_only" in granted,
        trade="trade" in granted,
        withdraw="withdraw" in granted,
        ip_restricted=bool(told.get("ip")),
    )


async def _bybit(client: Client) -> KeyRights:
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


_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {"binance": _binance, "binanceusdm": _binance, "okx": _okx, "okxus": _okx, "myokx": _okx, "bybit": _bybit}
)
