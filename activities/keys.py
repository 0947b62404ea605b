"""Refuses API keys that lie in a state itself where Temporal would store them readably."""

from __future__ import annotations

from engine.errors import ConfigurationError
from engine.state import AutomationState
from workflows.start import WHAT_TO_DO


def check_keys(state: AutomationState, *, encrypted: bool) -> list[str]:
    """Return notes about API keys in a state.

    Args:
        state: of the automation.
        encrypted: whether payloads are.

    Raises:
        ConfigurationError: code `inline_keys_need_encryption`.
    """
    if not state.holds_keys:
        return []
    if not encrypted:
        raise ConfigurationError(
            "the automation holds API keys themselves, and Temporal stores them readably: replace those keys "
            f"at the exchange, then {WHAT_TO_DO}",
            code="inline_keys_need_encryption",
        )
    return ["the automation holds API keys themselves; `credentials: env:NAME` keeps them out of its state"]
