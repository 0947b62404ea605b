"""What an API key may do, and which keys are not taken."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.live.venue.api import KeyRights
from engine.live.venue.key_rights import check_rights, read_key_rights


class Client:
    """A client that answers any question with one thing."""

    def __init__(self, exchange_id: str, told: Any, kind: str = "spot") -> None:
        self.id, self.told, self.options = exchange_id, told, {"defaultType": kind}

    def __getattr__(self, name: str) -> Any:
        async def answer() -> Any:
            return self.told

        return answer


BINANCE = {
    "enableReading": True,
    "enableSpotAndMarginTrading": True,
    "enableFutures": False,
    "enableWithdrawals": False,
    "ipRestrict": "true",
}
BYBIT = {"readOnly": 0, "ips": ["*"], "permissions": {"Spot": ["SpotTrade"], "Wallet": ["Withdraw"]}}


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client("binance", BINANCE), KeyRights(read=True, trade=True, withdraw=False, ip_restricted=True)),
        (
            Client("binance", BINANCE, kind="swap"),
            KeyRights(read=True, trade=False, withdraw=False, ip_restricted=True),
        ),
        (
            Client("okx", {"data": [{"perm": "read_only,trade", "ip": "1.2.3.4"}]}),
            KeyRights(read=True, trade=True, withdraw=False, ip_restricted=True),
        ),
        (
            Client("bybit", {"result": BYBIT}),
            KeyRights(read=True, trade=True, withdraw=True, ip_restricted=False),
        ),
        (
            Client("bybit", {"result": BYBIT | {"readOnly": 1, "permissions": {}}}),
            KeyRights(read=True, trade=False, withdraw=False, ip_restricted=False),
        ),
        (Client("kraken", {}), KeyRights()),
    ],
)
async def test_rights_are_read_in_the_words_of_each_exchange(client: Client, expected: KeyRights) -> None:
    assert await read_key_rights(client) == expected


class Key:
    """An account whose key may withdraw, or not, or does not tell."""

    def __init__(self, withdraw: bool | None) -> None:
        self.withdraw = withdraw

    async def key_rights(self) -> KeyRights:
        return KeyRights(withdraw=self.withdraw)


async def test_a_key_that_may_withdraw_is_taken_only_where_transfers_are_allowed() -> None:
    await check_rights(Key(False), transfers_allowed=False)
    await check_rights(Key(None), transfers_allowed=False)
    await check_rights(Key(True), transfers_allowed=True)
    with pytest.raises(ConfigurationError, match="OCTOFLOW_WORKER_ALLOW_TRANSFERS") as refused:
        await check_rights(Key(True), transfers_allowed=False)
    assert refused.value.code == "withdrawal_rights"
