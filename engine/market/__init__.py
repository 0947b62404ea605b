"""Public data: trading rules, candles, prices and funding, from an exchange or a recording."""

from engine.market.bars import Bars, finished_bars, join_bars, price_now
from engine.market.candles import Candles
from engine.market.download import fetch_recording
from engine.market.funding import NO_FUNDING, Funding, FundingRate
from engine.market.market import Liquidity, Market, generic_market
from engine.market.market_protocols import MarketData, MarketSource, Ticker
from engine.market.public import PublicSource
from engine.market.public_cache import PROCESS_CACHES, CacheScope, PublicCaches, scope_of
from engine.market.public_markets import MarketList, fetch_market_list
from engine.market.recordings import Recording, list_recorded
from engine.market.requirements import CandleKey, wanted
from engine.market.sample_market import SAMPLE_SEED, write_sample_market
from engine.market.snapshot import MarketSnapshot
from engine.market.sources import open_source

__all__ = [
    "Bars",
    "CandleKey",
    "Candles",
    "Funding",
    "FundingRate",
    "Liquidity",
    "Market",
    "MarketData",
    "MarketList",
    "MarketSnapshot",
    "MarketSource",
    "NO_FUNDING",
    "PROCESS_CACHES",
    "PublicCaches",
    "PublicSource",
    "Recording",
    "SAMPLE_SEED",
    "CacheScope",
    "Ticker",
    "fetch_market_list",
    "fetch_recording",
    "finished_bars",
    "generic_market",
    "join_bars",
    "list_recorded",
    "open_source",
    "price_now",
    "scope_of",
    "wanted",
    "write_sample_market",
]
