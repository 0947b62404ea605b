"""Reads in a state what has to be known of an automation before it is started."""

from __future__ import annotations

from engine.errors import NoAutomationError
from engine.state import AutomationState, dump_state
from workflows.start import Start


def start_of(state: AutomationState) -> Start:
    """Return what `workflows.client.start_automation` needs of an automation.

    Raises:
        NoAutomationError: the state has no `automation_id`.
    """
    metadata = state.automation.metadata
    if not metadata.automation_id:
        raise NoAutomationError("the state names no automation: automation.metadata.automation_id is missing")
    return Start(
        state=dump_state(state),
        automation_id=metadata.automation_id,
        name=metadata.name,
        pending_effects=len(state.pending_effects),
        holds_keys=state.holds_keys,
    )
