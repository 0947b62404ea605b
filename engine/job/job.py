"""`AutomationJob`, the engine's single entry point: one invocation, state in, state out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from decimal import Context, localcontext
from typing import Any, Final, cast

from pydantic import ValidationError

from engine.community import publish_snapshot
from engine.dsl import EffectCount
from engine.errors import (
    NoAutomationError,
    OctoflowError,
    PendingPriorityActionsSkippedError,
    PostponedError,
    StateError,
)
from engine.job.account import InvocationAccount
from engine.job.action_runner import ActionContext
from engine.job.effects import InvocationEffects, key_scope, shown
from engine.job.ending import in_words, wind_down
from engine.job.graphs import Graphs
from engine.job.next_run import Prospects, Setback, degraded_by, interruption, postponement
from engine.job.outcome import InvocationOutcome, Journal
from engine.job.ready_actions import ReadyActions
from engine.job.repetition import repeat
from engine.job.request import InvocationRequest
from engine.job.services import Services
from engine.job.standstill import note_standstill, refuse_spinning
from engine.live import Mode
from engine.market import MarketData
from engine.state import Action, AutomationState, ExecutionTrigger, describe, dump_state, load_state
from engine.types import ActionId, Timestamp

_log = logging.getLogger(__name__)

_SCRIPT_DECIMALS: Final = Context(prec=28)
"""Arithmetic of scripts, whatever the process around the engine has set up."""


class AutomationJob:
    """Runs one invocation of one automation.

    ```python
    job = AutomationJob(InvocationRequest(state=state, now=1_700_000_000))
    outcome = await job.run()
    state = job.dump()
    ```

    Nothing is kept between two jobs. The same request and market data give the same new state,
    byte for byte. When `run` raises, the state that went in is still the valid one.

    Raises:
        StateError: the state, or a priority action, does not have the right form.
        SchemaVersionError: the state is of a newer schema.
        NoAutomationError: the state has no `automation_id`.
        DagError: the actions do not form a DAG.
    """

    def __init__(self, request: InvocationRequest, services: Services | None = None) -> None:
        self._request = request
        self._services = services or Services()
        self._state = _own_state(request)
        self._supplied = self._merge_priority_actions()
        self._graphs = Graphs(self._state, self._services)  # every pending script is parsed here
        self._journal = Journal()
        self._context = ActionContext(
            self._request, self._state, self._services, self._journal, self._graphs, EffectCount()
        )
        self._winds_down = self._context.ends
        self._has_ended = False

    async def run(self) -> InvocationOutcome:
        """Execute what is ready and return what happened.

        Once an effect was sent to an exchange, nothing is raised any more: whatever fails then ends the
        invocation early, and the state tells what was done.

        Raises:
            RetryableError: the exchange does not answer; the same request can be run again.
            ConfigurationError: a person must change something first.
            PendingPriorityActionsSkippedError: priority actions were sent, and none of them is pending.
        """
        self._refuse_what_cannot_run()
        self._begin()
        with localcontext(_SCRIPT_DECIMALS):
            async with InvocationAccount(self._state, self._services, self._request.now) as account:
                effects = InvocationEffects(
                    self._request, self._state, self._journal, account, self._services.settings.live
                )
                setback = await self._survive(account, effects)
                over = account.over if self._state.automation.execution.iteration else None
                for note in account.notes:
                    self._journal.note(note)
                changed = account.sync_back()
                if over is not None:
                    self._journal.note(in_words(over, self._state))
                await self._publish(account, changed)
                watch_at = account.watch_at
        return self._conclude(effects, setback, watch_at, changed, is_over=over is not None)

    async def _work(self, account: InvocationAccount, effects: InvocationEffects) -> None:
        await effects.carry_out(self._mode)  # what earlier invocations planned
        if self._winds_down:
            self._has_ended = await wind_down(
                self._state,
                account,
                self._journal,
                settled=effects.settled,
                cancel=self._request.cancel_open_orders,
            )
            return
        await ReadyActions(self._context, account, effects).run()
        ends = self._context.ends
        if not (effects.pending or ends):
            repeat(self._state, self._graphs.main.dag, self._request.now)
        self._has_ended = ends and not effects.pending

    @property
    def state(self) -> AutomationState:
        """The state as it is now: what came in, and behind `run` what came of it. Not to be changed."""
        return self._state

    def dump(self) -> dict[str, Any]:
        """Return `state` in its JSON form."""
        return dump_state(self._state)

    @property
    def _mode(self) -> Mode:
        if self._winds_down:
            return Mode.WIND_DOWN
        return Mode.LOOK_UP if self._request.paused else Mode.SEND

    def _merge_priority_actions(self) -> list[ActionId]:
        if not self._state.automation.metadata.automation_id:
            raise NoAutomationError(
                "the state names no automation: automation.metadata.automation_id is missing"
            )
        supplied = [_load_action(raw) for raw in self._request.priority_actions]
        present = {action.id for action in self._state.priority_actions}
        self._state.priority_actions += [action for action in supplied if action.id not in present]
        return [action.id for action in supplied]

    def _refuse_what_cannot_run(self) -> None:
        if self._supplied and all(action.is_completed for action in self._state.priority_actions):
            raise PendingPriorityActionsSkippedError(
                f"already executed: {', '.join(self._supplied)}; to run an action again, give it a new id"
            )
        refuse_spinning(self._state, self._request.now)
        key_scope(self._state, "")  # a live account needs a run key before anything is touched

    def _begin(self) -> None:
        automation = self._state.automation
        automation.execution.current_execution = ExecutionTrigger(
            scheduled_to=self._request.scheduled_to,
            triggered_at=self._request.now,
            trigger_reason=self._request.trigger,
        )
        if automation.schedule is not None and automation.schedule.first_tick is None:
            automation.schedule.first_tick = self._request.now

    async def _survive(self, account: InvocationAccount, effects: InvocationEffects) -> Setback | None:
        """Do the invocation's work; return what ended it early, unless that is to be raised."""
        now = self._request.now
        try:
            await self._work(account, effects)
        except PostponedError as error:
            delays = self._services.settings.live.postponements
            return postponement(error, self._state.automation.execution.degraded_state, delays, now)
        except (Exception, asyncio.CancelledError) as error:
            if not effects.keeps_state:
                raise
            if not isinstance(error, OctoflowError | asyncio.CancelledError):
                _log.exception("an invocation that had sent effects ended early")
            return interruption(error, now)
        return None

    async def _publish(self, account: InvocationAccount, changed: tuple[str, ...]) -> None:
        market = account.services.get(MarketData)
        trouble = await publish_snapshot(
            self._state, changed, self._services.community, cast("MarketData | None", market)
        )
        if trouble is not None:
            self._journal.note(trouble)

    def _conclude(
        self,
        effects: InvocationEffects,
        setback: Setback | None,
        watch_at: Timestamp | None,
        changed: tuple[str, ...],
        *,
        is_over: bool,
    ) -> InvocationOutcome:
        self._journal.cut(self._state.cut_to_bounds())
        execution, now = self._state.automation.execution, self._request.now
        execution.end_invocation(degraded_by(setback, execution.degraded_state, now))
        self._journal.show_pending(shown(effects.pending))
        prospects = Prospects(
            now=now,
            priority=self._graphs.priority.dag.unblocked(),
            actions=self._graphs.main.dag.unblocked(),
            paused=self._request.paused,
            pending=effects.pending,
            has_planned=effects.has_planned,
            effects_at=effects.next_at if self._winds_down or not self._context.ends else None,
            watch_at=watch_at,
            setback=setback,
            ends=self._context.ends,
            has_ended=self._has_ended,
            is_over=is_over,
        )
        if prospects.only_watches and self._journal.executed_count:
            self._journal.note("all actions are done; open orders are looked after until they have ended")
        note_standstill(self._state, prospects.next_due_at, now)
        return self._journal.outcome(
            status=prospects.status,
            iteration=execution.iteration,
            at=now,
            next_due_at=prospects.next_due_at,
            priority_due=prospects.priority_due,
            changed_elements=list(changed),
            setback=None if setback is None else str(setback),
        )


def _own_state(request: InvocationRequest) -> AutomationState:
    state = request.state
    if isinstance(state, AutomationState):
        return state if request.hands_state_over else load_state(dump_state(state))
    return load_state(state)


def _load_action(raw: Mapping[str, Any]) -> Action:
    try:
        return Action.model_validate(raw).without_unknown()
    except ValidationError as error:
        raise StateError(f"invalid priority action: {describe(error)}") from None
