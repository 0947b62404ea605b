"""The vocabulary of effects: what is intended, what became of it, and how to say so. Nothing here acts."""

from engine.effects.intents import (
    Applied,
    CallOutcomes,
    Cancelled,
    Dropped,
    IntentDraft,
    Outcome,
    Placed,
    Planned,
    Refusal,
    Sent,
    dump_outcome,
    load_outcome,
)
from engine.effects.texts import effect_in_words
from engine.effects.transfers import TransferPolicy

__all__ = ["Applied", "CallOutcomes", "Cancelled", "Dropped", "IntentDraft", "Outcome", "Placed"]
__all__ += ["Planned", "Refusal", "Sent", "dump_outcome", "load_outcome", "effect_in_words"]
__all__ += ["TransferPolicy"]
