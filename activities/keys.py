"""Refuses API keys that lie in a state itself where Temporal would store them readably."""

from __future__ import annotations

from engine.errors import ConfigurationError
from workflows.inline_keys import WHAT_TO_DO, holds_keys
from workflows.messages import Json


def check_keys(state: Json, *, encrypted: bool) -> list[str]:
    """Return notes about API keys in a state.

    Args:
        state: in its JSON form.
        encrypted: whether payloads are.

    Raises:
        ConfigurationError: code `inline_keys_need_encryption`.
    """
    if not holds_keys(state):
        return []
    if not encrypted:
        raise ConfigurationError(
            "the automation holds API keys themselves, and Temporal stores them readably: replace those keys "
            f"at the exchange, then {WHAT_TO_DO}",
            code="inline_keys_need_encryption",
        )
    return ["the automation holds API keys themselves; `credentials: env:NAME` keeps them out of its state"]
