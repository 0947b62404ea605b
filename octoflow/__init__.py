"""The public face of Octoflow: what operator packages and other programs import.

```python
import octoflow

state = octoflow.load_automation(text)
job = octoflow.AutomationJob(octoflow.InvocationRequest(state=state, now=1_700_000_000))
outcome = await job.run()
state = job.dump()
```

Names that stand here keep their meaning within a major version; what other packages of this distribution
have besides is internal. `octoflow.testing` has what tests of operators need. Nothing of Temporal is loaded
before `connect`, `start_automation` or `automation_handle` is asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from engine.automation_file import AutomationFileError, load_automation
from engine.dsl import (
    Choice,
    Defaults,
    ExpressionText,
    Kind,
    Lazy,
    LazyValue,
    Limits,
    Notify,
    Number,
    OperatorContext,
    OperatorRegistry,
    OperatorSet,
    Range,
    ReCallingOperatorResult,
    Series,
    StopAutomation,
    SymbolParam,
    TimeFrameParam,
    Unit,
    operator,
)
from engine.effects import (
    Applied,
    Cancelled,
    Dropped,
    Outcome,
    Placed,
    Planned,
    Refusal,
    Sent,
    TransferPolicy,
)
from engine.errors import (
    ActionStatus,
    ConfigurationError,
    DslError,
    OctoflowError,
    OperatorError,
    PostponedError,
    RetryableError,
)
from engine.job import (
    AutomationJob,
    EngineSettings,
    ExecutedAction,
    InvocationOutcome,
    InvocationRequest,
    InvocationStatus,
    PendingEffect,
    Services,
)
from engine.market import Bars, Candles, FundingRate, Market, MarketData, MarketSource, Ticker
from engine.operators import default_registry, done, later
from engine.orders import Account, OrderFilter, OrderRequest
from engine.state import (
    AutomationState,
    Order,
    Position,
    Trade,
    Transaction,
    TriggerReason,
    dump_state,
    load_state,
)
from engine.types import ActionId, Asset, OrderId, Symbol, TimeFrame

if TYPE_CHECKING:
    from octoflow.running import AutomationHandle, automation_handle, connect, start_automation

__all__ = [
    # An automation, one invocation at a time
    "AutomationJob",
    "AutomationState",
    "load_automation",
    "load_state",
    "dump_state",
    "InvocationRequest",
    "TriggerReason",
    "InvocationOutcome",
    "InvocationStatus",
    "ExecutedAction",
    "PendingEffect",
    # What an invocation is given from outside
    "Services",
    "EngineSettings",
    "Limits",
    "TransferPolicy",
    "OperatorRegistry",
    "default_registry",
    # An automation on a server
    "connect",
    "start_automation",
    "automation_handle",
    "AutomationHandle",
    # Operators
    "operator",
    "OperatorSet",
    "Kind",
    "OperatorContext",
    "Defaults",
    "ReCallingOperatorResult",
    "Notify",
    "StopAutomation",
    # Their parameters
    "Choice",
    "ExpressionText",
    "Lazy",
    "LazyValue",
    "Number",
    "Range",
    "Series",
    "SymbolParam",
    "TimeFrameParam",
    "Unit",
    # The market
    "MarketSource",
    "MarketData",
    "Market",
    "Candles",
    "Bars",
    "Ticker",
    "FundingRate",
    # The account
    "Account",
    "OrderFilter",
    "OrderRequest",
    "Order",
    "Trade",
    "Position",
    "Transaction",
    # Effects on a live account
    "Planned",
    "later",
    "done",
    "Outcome",
    "Placed",
    "Cancelled",
    "Applied",
    "Sent",
    "Refusal",
    "Dropped",
    # Errors, by the reaction that they ask for
    "OctoflowError",
    "ConfigurationError",
    "AutomationFileError",
    "RetryableError",
    "PostponedError",
    "DslError",
    "OperatorError",
    "ActionStatus",
    # Names of plain values
    "ActionId",
    "Asset",
    "OrderId",
    "Symbol",
    "TimeFrame",
    "__version__",
]

_RUNNING: Final = frozenset({"AutomationHandle", "automation_handle", "connect", "start_automation"})
"""Names of `octoflow.running`, which loads Temporal's SDK: half a second that only some programs need."""

__version__: str


def __getattr__(name: str) -> Any:
    if name in _RUNNING:
        return getattr(import_module("octoflow.running"), name)
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'octoflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    try:
        return version("octoflow")
    except PackageNotFoundError:  # the bare source is on the path, not an installation
        return "0+unknown"
