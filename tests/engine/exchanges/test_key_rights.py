"""What an API key may do, in the words of the exchanges that tell."""

from __future__ import annotations

from typing import Any

import pytest

from engine.exchanges.key_rights import KeyRights
from engine.exchanges.table import EXCHANGES, capabilities_of


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
    ],
)
async def test_rights_are_read_in_the_words_of_each_exchange(client: Client, expected: KeyRights) -> None:
    reader = capabilities_of(client.id).key_rights
    assert reader is not None
    assert await reader(client) == expected


def test_most_exchanges_do_not_tell_what_a_key_may_do() -> None:
    assert [exchange_id for exchange_id, row in EXCHANGES.items() if row.key_rights is not None] == [
        "binance",
        "binanceusdm",
        "bybit",
        "okx",
        "okxus",
        "myokx",
    ]
