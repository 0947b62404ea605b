"""The engine: executes one invocation of an automation at a time, and keeps nothing in between."""

from engine.automation_file.compile import load_automation
from engine.dsl import operator
from engine.errors import (
    ActionStatus,
    ConfigurationError,
    DslError,
    OctoflowError,
    PostponedError,
    RetryableError,
)
from engine.job.job import AutomationJob
from engine.job.request import InvocationOutcome, InvocationRequest, InvocationStatus
from engine.job.services import EngineSettings, Services
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
