"""Opens the exchange of a live account: credentials resolved, one client, nothing requested yet."""

from __future__ import annotations

from engine.errors import ConfigurationError
from engine.exchange.live.api import LiveExchange
from engine.exchange.live.settings import LiveSettings
from engine.state import ExchangeAccountDetails


def open_live(details: ExchangeAccountDetails, settings: LiveSettings) -> LiveExchange:
    """Return the exchange of a live account.

    Raises:
        ConfigurationError: the credentials cannot be resolved, or ccxt does not know the exchange.
    """
    raise ConfigurationError(
        "this release trades on paper only: remove `credentials` from the automation to simulate it",
        code="live_trading_unavailable",
    )
