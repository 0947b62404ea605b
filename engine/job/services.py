"""What an invocation needs from outside its request; every part has a working default."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.community import CommunityAuthenticatorFactory, NoCommunity
from engine.dsl import Limits, OperatorRegistry
from engine.effects import TransferPolicy
from engine.live import UNLIMITED, Lease, LiveExchange, LiveSettings, open_live
from engine.market import MarketSource, open_source
from engine.operators import default_registry
from engine.state import ExchangeAccountDetails, ExchangeDetails
from engine.types import Seconds

MAX_RESULT_BYTES: Final = 64 * 1024
MAX_STATE_BYTES: Final = 1_000_000
"""JSON of the largest state that an invocation takes; what carries it has room for twice as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Bounds and rates that an operator of Octoflow may change.

    Attributes:
        limits: bounds of one script.
        max_actions: actions after which an invocation ends and is due again at once.
        max_result_bytes: size of the largest result an action may keep.
        max_state_bytes: size of the JSON of a state that may still plan effects on a live account.
        slippage: share of the price by which paper market orders fill worse; 0.001 is 0.1 %.
        transfers: whether, and where to, funds may leave accounts.
        live: how careful live trading is.
    """

    limits: Limits = field(default_factory=Limits)
    max_actions: int = 1_000
    max_result_bytes: int = MAX_RESULT_BYTES
    max_state_bytes: int = MAX_STATE_BYTES
    slippage: Decimal = Decimal(0)
    transfers: TransferPolicy = field(default_factory=TransferPolicy)
    live: LiveSettings = field(default_factory=LiveSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The seams of the engine.

    Attributes:
        registry: the operators that scripts may call.
        market_source: opens the public data of an exchange.
        live_exchange: opens the exchange of an account with credentials.
        lease: how long this process may act for the automation.
        community: opens sessions with those that leaders publish to.
        settings: bounds and rates.
        stopwatch: seconds of a clock that only measures; durations never enter the state.
    """

    registry: OperatorRegistry = field(default_factory=default_registry)
    market_source: Callable[[ExchangeDetails], MarketSource] = open_source
    live_exchange: Callable[[ExchangeAccountDetails, LiveSettings], LiveExchange] = open_live
    lease: Lease = UNLIMITED
    community: CommunityAuthenticatorFactory = field(default_factory=NoCommunity)
    settings: EngineSettings = field(default_factory=EngineSettings)
    stopwatch: Callable[[], Seconds] = time.perf_counter
