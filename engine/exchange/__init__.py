"""Exchange data and accounts: what an invocation sees of an exchange, and how it acts on it.

`ExchangeContext`, which puts the parts together with the paper exchange, is imported from its own module
`engine.exchange.context`: the paper exchange itself builds on this package.
"""

from engine.exchange.candles import Candles
from engine.exchange.download import fetch_recording
from engine.exchange.funding import FundingRate
from engine.exchange.market import Bounds, Market
from engine.exchange.protocols import Account, MarketData, MarketSource, OrderFilter, OrderRequest, Ticker
from engine.exchange.recorded import RecordedSource
from engine.exchange.recordings import Recording, list_recorded, recorded_range
from engine.exchange.repositories import ExchangeRepositoryFactory
from engine.exchange.sources import open_source

__all__ = [
    "Account",
    "Bounds",
    "Candles",
    "ExchangeRepositoryFactory",
    "FundingRate",
    "Market",
    "MarketData",
    "MarketSource",
    "OrderFilter",
    "OrderRequest",
    "RecordedSource",
    "Recording",
    "Ticker",
    "fetch_recording",
    "list_recorded",
    "open_source",
    "recorded_range",
]
