"""`AutomationJob`, the engine's single entry point: one invocation, state in, state out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from decimal import Context, localcontext
from typing import Any, Final, cast

from pydantic import ValidationError

from engine.community import publish_snapshot
from engine.dsl import EffectCount
from engine.errors import (
    InitializationRunFailedError,
    NoAutomationError,
    OctoflowError,
    PendingPriorityActionsSkippedError,
    PostponedError,
    StateError,
)
from engine.job.account import ExchangeSession
from engine.job.action_runner import ActionRunner, Graph, Invocation, Step
from engine.job.compiled_scripts import Scripts
from engine.job.configuration import bootstrap_action
from engine.job.dag import Dag
from engine.job.effects import EffectRound
from engine.job.ending import wind_down
from engine.job.next_run import Prospects
from engine.job.pending_effects import held_actions, key_scope, shown
from engine.job.repetition import start_next_round
from engine.job.request import InvocationOutcome, InvocationRequest, Journal
from engine.job.services import Services
from engine.job.setbacks import Setback, degraded_by, interruption, postponement
from engine.live import Mode
from engine.market import MarketData
from engine.state import (
    Action,
    AutomationState,
    Trigger,
    TriggerReason,
    describe,
    dump_state,
    load_state,
)
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
        if not self._state.automation.metadata.automation_id:
            raise NoAutomationError(
                "the state names no automation: automation.metadata.automation_id is missing"
            )
        self._supplied = self._merge_priority_actions()
        self._winds_down = self._ends
        self._has_ended = False
        self._journal = Journal()
        self._effects = EffectCount()
        self._main = self._graph(self._state.actions)
        self._priority = self._graph(self._state.priority_actions, context=self._state.actions)

    async def run(self) -> InvocationOutcome:
        """Execute what is ready and return what happened.

        Once an effect was sent to an exchange, nothing is raised any more: whatever fails then ends the
        invocation early, and the state tells what was done.

        Raises:
            RetryableError: the exchange does not answer; the same request can be run again.
            ConfigurationError: a person must change something first.
            PendingPriorityActionsSkippedError: priority actions were sent, and none of them is pending.
        """
        if self._supplied and all(action.is_completed for action in self._state.priority_actions):
            raise PendingPriorityActionsSkippedError(
                f"already executed: {', '.join(self._supplied)}; to run an action again, give it a new id"
            )
        key_scope(self._state, "")  # refuses a live account without a run key before anything is touched
        self._begin()
        with localcontext(_SCRIPT_DECIMALS):
            async with ExchangeSession(self._state, self._services, self._request.now) as session:
                effects = self._effect_round(session)
                setback = await self._attempt(session, effects)
                changed = session.sync_back()
                await self._publish(session, changed)
                watch_at = session.watch_at
        return self._conclude(effects, setback, watch_at, changed)

    @property
    def state(self) -> AutomationState:
        """The state: what came in, and behind `run` what came of it."""
        return self._state

    def dump(self) -> dict[str, Any]:
        """Return the state in its JSON form."""
        return dump_state(self._state)

    @property
    def _ends(self) -> bool:
        return self._request.stopping or self._state.automation.post_actions.stop_automation

    @property
    def _mode(self) -> Mode:
        if self._winds_down:
            return Mode.WIND_DOWN
        return Mode.LOOK_UP if self._request.paused else Mode.SEND

    def _merge_priority_actions(self) -> list[ActionId]:
        supplied = [_load_action(raw) for raw in self._request.priority_actions]
        present = {action.id for action in self._state.priority_actions}
        self._state.priority_actions += [action for action in supplied if action.id not in present]
        return [action.id for action in supplied]

    def _graph(self, actions: list[Action], context: Sequence[Action] = ()) -> Graph:
        scripts = Scripts(self._services.registry, self._services.settings.limits)
        scripts.compile(actions)
        return Graph(Dag(actions, scripts.references(), context=context), scripts)

    def _begin(self) -> None:
        automation = self._state.automation
        automation.execution.current_execution = Trigger(
            scheduled_to=self._request.scheduled_to,
            triggered_at=self._request.now,
            trigger_reason=self._request.trigger,
        )
        if automation.schedule is not None and automation.schedule.first_tick is None:
            automation.schedule.first_tick = self._request.now

    def _effect_round(self, session: ExchangeSession) -> EffectRound:
        settings = self._services.settings.live
        return EffectRound(self._request, self._state, self._journal, session, settings)

    async def _attempt(self, session: ExchangeSession, effects: EffectRound) -> Setback | None:
        """Do the invocation's work; return what ended it early, unless that is to be raised."""
        now = self._request.now
        try:
            await self._work(session, effects)
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

    async def _work(self, session: ExchangeSession, effects: EffectRound) -> None:
        await effects.carry_out(self._mode)
        if self._winds_down:
            self._has_ended = await wind_down(
                self._state,
                session,
                self._journal,
                settled=effects.settled,
                cancel=self._request.cancel_open_orders,
            )
        else:
            await self._execute(session, effects)
            if not effects.pending:
                self._repeat()
            self._has_ended = self._ends and not effects.pending

    async def _execute(self, session: ExchangeSession, effects: EffectRound) -> None:
        bootstrap = bootstrap_action(self._state)
        if bootstrap is not None:
            self._runner(self._main).configure_account(bootstrap)
        if self._state.automation.execution.iteration == 0:
            self._require_account()
        if bootstrap is not None:
            return
        paused = self._request.paused
        graph = self._priority if paused or self._priority.dag.unblocked() else self._main
        step = await self._run_layers(graph, session, effects)
        if step is Step.RECONFIGURED:
            self._main = self._graph(self._state.actions)
            if not paused:
                await self._run_layers(self._main, session, effects)
        if self._state.is_live and not (paused or self._ends):
            await effects.look_after_account()

    def _require_account(self) -> None:
        needing = self._main.scripts.need_exchange()
        if needing and not self._state.has_exchange:
            raise InitializationRunFailedError(
                f"'{needing[0]}' needs an exchange account and the automation has none; give it one with"
                f" exchange_account_details, or an apply_configuration action that sets it up"
            )

    def _runner(self, graph: Graph) -> ActionRunner:
        invocation = Invocation(
            self._request, self._state, self._services, self._journal, self._main.dag, self._effects
        )
        return ActionRunner(invocation, graph, publish=graph is self._priority)

    async def _run_layers(self, graph: Graph, session: ExchangeSession, effects: EffectRound) -> Step:
        runner = self._runner(graph)
        layer = self._due(graph.dag.unblocked())
        while layer:
            step = await self._run_layer(layer, runner, session, effects)
            if step is not Step.GO_ON:
                return step
            if self._journal.executed_count >= self._services.settings.max_actions:
                self._journal.note(
                    f"{self._journal.executed_count} actions were run; the rest follows at once"
                )
                return Step.GO_ON
            layer = self._due(graph.dag.complete(action for action in layer if action.is_completed))
        return Step.GO_ON

    async def _run_layer(
        self, layer: list[Action], runner: ActionRunner, session: ExchangeSession, effects: EffectRound
    ) -> Step:
        prepared = runner.prepare(layer)
        dependencies = {dependency for one in prepared for dependency in one.dependencies}
        uses_account = any(one.needs_exchange for one in prepared) or session.is_exposed
        if self._state.has_exchange and (dependencies or uses_account):
            await session.require(dependencies)
            if effects.take_follow_ups():
                return Step.PLANNED
        if self._state.is_live and any(one.action.is_configuration for one in prepared):
            session.sync_back()  # a configuration looks at the orders as they are now
        services = session.services
        for one in prepared:
            step = await runner.run(one, services)
            if step is not Step.GO_ON:
                return step
        return Step.GO_ON

    def _due(self, actions: list[Action]) -> list[Action]:
        now = self._request.now
        forced = self._request.trigger is TriggerReason.FORCED
        held = held_actions(self._state.automation.execution.pending_effects)
        return [
            action
            for action in actions
            if action.id not in held
            and (
                action.not_before is None
                or action.not_before <= now
                or (forced and action.suspension is not None)
            )
        ]

    async def _publish(self, session: ExchangeSession, changed: tuple[str, ...]) -> None:
        market = session.services.get(MarketData)
        trouble = await publish_snapshot(
            self._state, changed, self._services.community, cast("MarketData | None", market)
        )
        if trouble is not None:
            self._journal.note(trouble)

    def _conclude(
        self,
        effects: EffectRound,
        setback: Setback | None,
        watch_at: Timestamp | None,
        changed: tuple[str, ...],
    ) -> InvocationOutcome:
        self._apply_bounds()
        execution = self._state.automation.execution
        execution.previous_execution = execution.current_execution.model_copy(update={"was_completed": True})
        execution.current_execution = Trigger()
        execution.iteration += 1
        execution.degraded_state = degraded_by(setback, execution.degraded_state, self._request.now)
        self._journal.show_pending(shown(effects.pending))
        prospects = self._prospects(effects, setback, watch_at)
        if prospects.only_watches and self._journal.executed_count:
            self._journal.note("all actions are done; open orders are looked after until they have ended")
        return self._journal.outcome(
            status=prospects.status,
            iteration=execution.iteration,
            at=self._request.now,
            next_due_at=prospects.next_due_at,
            priority_due=prospects.priority_due,
            changed_elements=list(changed),
            setback=None if setback is None else str(setback),
        )

    def _prospects(
        self, effects: EffectRound, setback: Setback | None, watch_at: Timestamp | None
    ) -> Prospects:
        stopped_just_now = self._ends and not self._winds_down
        return Prospects(
            now=self._request.now,
            priority=self._priority.dag.unblocked(),
            actions=self._main.dag.unblocked(),
            pending=effects.pending,
            has_planned=effects.has_planned,
            effects_at=None if stopped_just_now else effects.next_at,
            watch_at=watch_at,
            setback=setback,
            ends=self._ends,
            has_ended=self._has_ended,
        )

    def _repeat(self) -> None:
        schedule = self._state.automation.schedule
        pending = (action for action in (*self._state.actions, *self._state.priority_actions))
        if schedule is None or self._ends or any(not action.is_completed for action in pending):
            return
        tick = start_next_round(schedule, self._request.now)
        if tick is None:
            return
        for action in self._state.actions:
            if not action.is_configuration:
                action.reset()
        for action in self._main.dag.unblocked():
            action.not_before = tick

    def _apply_bounds(self) -> None:
        elements = self._state.automation.exchange_account_elements
        if elements is not None:
            self._journal.cut(elements.cut_to_bounds())
        if cut := self._state.cut_priority_actions():
            self._journal.cut({"priority_actions": cut})


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
