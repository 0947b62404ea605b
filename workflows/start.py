"""What an automation is started with: its state, and what has to be known of it, which is opaque here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workflows.messages import Json

WHAT_TO_DO: Final = (
    "use `credentials: env:NAME` (or file:, keyring:) in the automation file, or let OCTOFLOW_ENCRYPTION_KEY "
    "encrypt what Temporal stores"
)
"""How API keys that lie in a state themselves are kept from being readable in Temporal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An automation that is to run, as whoever has read its state describes it.

    Attributes:
        state: as the engine dumps it.
        automation_id: its id, which becomes that of its workflow.
        name: for people.
        pending_effects: how many effects are planned or under way: it may have been run elsewhere before.
        holds_keys: whether API keys lie in the state themselves.
    """

    state: Json
    automation_id: str
    name: str | None = None
    pending_effects: int = 0
    holds_keys: bool = False
