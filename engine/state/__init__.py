"""The state of an automation: models, loading, dumping."""

from engine.state.account import (
    LIMIT_TYPES,
    Balance,
    ExchangeAccountElements,
    Fee,
    Order,
    Orders,
    OrderStatus,
    OrderType,
    Origin,
    Portfolio,
    Position,
    Side,
    TimeInForce,
    Trade,
    Transaction,
)
from engine.state.actions import APPLY_CONFIGURATION, DEFINITION, Action, ActionsDag, Dependency
from engine.state.automation import (
    AccountMetadata,
    AuthDetails,
    Automation,
    AutomationState,
    ConfiguredPortfolio,
    DefaultMarket,
    DegradedState,
    EffectKind,
    ExchangeAccountDetails,
    ExchangeDetails,
    Execution,
    ExecutionTrigger,
    Holding,
    Intent,
    IntentStatus,
    Metadata,
    PostActions,
    RecordedMarket,
    Schedule,
    Standstill,
    TriggerReason,
)
from engine.state.base import Money, StateModel
from engine.state.serialization import SCHEMA_VERSION, describe, dump_state, load_state

__all__ = ["Balance", "ExchangeAccountElements", "Fee", "LIMIT_TYPES", "Order", "OrderStatus", "OrderType"]
__all__ += ["Orders", "Origin", "Portfolio", "Position", "Side", "TimeInForce", "Trade", "Transaction"]
__all__ += ["APPLY_CONFIGURATION", "Action", "ActionsDag", "DEFINITION", "Dependency", "AccountMetadata"]
__all__ += ["AuthDetails", "Automation", "AutomationState", "ConfiguredPortfolio", "DefaultMarket"]
__all__ += ["DegradedState", "EffectKind", "ExchangeAccountDetails", "ExchangeDetails", "Execution"]
__all__ += ["ExecutionTrigger", "Holding", "Intent", "IntentStatus", "Metadata", "PostActions"]
__all__ += ["RecordedMarket", "Schedule", "Standstill", "TriggerReason", "Money", "StateModel"]
__all__ += ["SCHEMA_VERSION", "describe", "dump_state", "load_state"]
