"""One invocation: a request comes in, what is ready runs, and the new state goes out."""

from engine.job.configuration import apply_configuration
from engine.job.edit import ActionChanges, apply_edit
from engine.job.effects import shown
from engine.job.job import AutomationJob
from engine.job.outcome import ExecutedAction, InvocationOutcome, InvocationStatus, PendingEffect
from engine.job.request import InvocationRequest
from engine.job.services import MAX_STATE_BYTES, EngineSettings, Services

__all__ = ["apply_configuration", "ActionChanges", "apply_edit", "shown", "AutomationJob"]
__all__ += ["ExecutedAction", "InvocationOutcome", "InvocationStatus", "PendingEffect", "InvocationRequest"]
__all__ += ["EngineSettings", "MAX_STATE_BYTES", "Services"]
