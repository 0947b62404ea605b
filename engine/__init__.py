"""The engine: executes one invocation of an automation at a time, and keeps nothing in between."""

from engine.automation_file import load_automation
from engine.dsl import operator
from engine.errors import (
    ActionStatus,
    ConfigurationError,
    DslError,
    OctoflowError,
    PostponedError,
    RetryableError,
)
from engine.job import (
    AutomationJob,
    EngineSettings,
    InvocationOutcome,
    InvocationRequest,
    InvocationStatus,
    Services,
)
from engine.state import AutomationState

__all__ = [
    "ActionStatus",
    "AutomationJob",
    "AutomationState",
    "ConfigurationError",
    "DslError",
    "EngineSettings",
    "InvocationOutcome",
    "InvocationRequest",
    "InvocationStatus",
    "OctoflowError",
    "PostponedError",
    "RetryableError",
    "Services",
    "load_automation",
    "operator",
]
