"""Which API keys are not taken."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError
from engine.exchanges.key_rights import KeyRights
from engine.live.venue.key_rights import check_rights


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
