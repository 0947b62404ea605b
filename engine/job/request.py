"""What one invocation depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.state import AutomationState, TriggerReason
from engine.types import Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRequest:
    """Everything that one invocation depends on, besides public market data.

    Attributes:
        state: an `AutomationState` or its JSON form; not changed, unless it is handed over.
        now: market time in UNIX seconds; the engine knows no other clock.
        trigger: why the invocation runs; `forced` calls waiting operators before they are due.
        scheduled_to: when a scheduled invocation was due, UNIX seconds.
        priority_actions: actions in their JSON form, to run before the DAG's normal cycle.
        signals: snapshots of leaders, for copying automations.
        approved: keys of intents that a person allowed to be sent.
        rejected: keys of intents that a person refused, with the reason.
        resolved: keys of unresolved intents, and whether a person found them on the exchange.
        paused: run nothing but priority actions; planned effects are held, those under way looked up.
        stopping: run nothing any more; settle the effects that are under way.
        cancel_open_orders: while stopping, cancel the automation's open orders.
        hands_state_over: whether an `AutomationState` is the job's to change, which saves a copy of it.
    """

    state: AutomationState | Mapping[str, Any]
    now: Timestamp
    trigger: TriggerReason = TriggerReason.SCHEDULED
    scheduled_to: Timestamp = 0
    priority_actions: Sequence[Mapping[str, Any]] = ()
    signals: Sequence[Mapping[str, Any]] = ()
    approved: Sequence[str] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, bool] = field(default_factory=dict)
    paused: bool = False
    stopping: bool = False
    cancel_open_orders: bool = False
    hands_state_over: bool = False
