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

__all__ = ["load_automation", "operator", "ActionStatus", "ConfigurationError", "DslError"]
__all__ += ["OctoflowError", "PostponedError", "RetryableError", "AutomationJob", "EngineSettings"]
__all__ += ["InvocationOutcome", "InvocationRequest", "InvocationStatus", "Services", "AutomationState"]
