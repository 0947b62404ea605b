"""Public data: trading rules, candles, prices and funding, from an exchange or a recording."""

from engine.market.bars import Bars, finished_bars, join_bars, price_now
from engine.market.candles import Candles
from engine.market.download import fetch_recording
from engine.market.funding import NO_FUNDING, Funding, FundingRate
from engine.market.histories import told
from engine.market.market import Liquidity, Market, generic_market
from engine.market.market_protocols import MarketData, MarketSource, Ticker
from engine.market.public import PublicSource
from engine.market.public_cache import PROCESS_CACHES, CacheScope, PublicCaches, scope_of
from engine.market.public_markets import MarketList, fetch_market_list
from engine.market.recordings import Recording, list_recorded
from engine.market.requirements import CandleKey, wanted
from engine.market.sample_market import SAMPLE_SEED, write_sample_market
from engine.market.script_market import ScriptMarket, as_one_script_sees
from engine.market.snapshot import MarketSnapshot
from engine.market.sources import open_source
from engine.market.time_frames import candles_later, closes_at, most_candles, opening

__all__ = ["Bars", "finished_bars", "join_bars", "price_now", "Candles", "fetch_recording", "Funding"]
__all__ += ["FundingRate", "NO_FUNDING", "told", "Liquidity", "Market", "generic_market", "MarketData"]
__all__ += ["MarketSource", "Ticker", "PublicSource", "CacheScope", "PROCESS_CACHES", "PublicCaches"]
__all__ += ["scope_of", "MarketList", "fetch_market_list", "Recording", "list_recorded", "CandleKey"]
__all__ += ["wanted", "SAMPLE_SEED", "write_sample_market", "ScriptMarket", "as_one_script_sees"]
__all__ += ["MarketSnapshot", "open_source", "candles_later", "closes_at", "most_candles", "opening"]
