"""Whether an API key is taken: one that may do too much is refused."""

from __future__ import annotations

from typing import Protocol

from engine.errors import ConfigurationError
from engine.exchanges import KeyRights


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
