"""Where the market data of an exchange comes from."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError
from engine.market.market_protocols import MarketSource
from engine.market.public import PublicSource
from engine.market.recorded import RecordedSource
from engine.state import ExchangeDetails


def open_source(details: ExchangeDetails) -> MarketSource:
    """Return the recorded market that the details name, else the exchange's public data.

    Raises:
        ConfigurationError: the details name no exchange.
    """
    if details.internal_name is None:
        raise ConfigurationError("the account names no exchange; set `exchange: binance` or another ccxt id")
    if details.recorded is not None:
        return RecordedSource(Path(details.recorded.folder).expanduser(), details.internal_name)
    return PublicSource(details)
