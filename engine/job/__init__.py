"""One invocation: a request comes in, what is ready runs, and the new state goes out."""

from engine.job.configuration import apply_configuration
from engine.job.edit import ActionChanges, apply_edit
from engine.job.effects import shown
from engine.job.job import AutomationJob
from engine.job.outcome import ExecutedAction, InvocationOutcome, InvocationStatus, PendingEffect
from engine.job.request import InvocationRequest
from engine.job.services import MAX_STATE_BYTES, EngineSettings, Services

__all__ = [
    "AutomationJob",
    "ActionChanges",
    "EngineSettings",
    "ExecutedAction",
    "InvocationOutcome",
    "InvocationRequest",
    "InvocationStatus",
    "MAX_STATE_BYTES",
    "PendingEffect",
    "Services",
    "apply_configuration",
    "apply_edit",
    "shown",
]
