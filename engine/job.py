"""`AutomationJob`, the engine's single entry point: one invocation, state in, state out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, localcontext
from typing import Any, Final

from pydantic import ValidationError

from engine.configuration import bootstrap_action
from engine.dag import Dag
from engine.dsl import EffectCount
from engine.errors import (
    InitializationRunFailedError,
    NoAutomationError,
    PendingPriorityActionsSkippedError,
    StateError,
)
from engine.invocation import InvocationOutcome, InvocationRequest, InvocationStatus, Journal
from engine.runner import ActionRunner, Graph, Invocation, Step
from engine.schedule import start_next_round
from engine.scripts import Scripts
from engine.services import Services
from engine.session import ExchangeSession
from engine.state import (
    Action,
    AutomationState,
    DegradedState,
    Trigger,
    TriggerReason,
    dump_state,
    load_state,
)
from engine.state.serialization import describe
from engine.types import ActionId, Timestamp

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
        self._state = _private_copy(request.state)
        if not self._state.automation.metadata.automation_id:
            raise NoAutomationError(
                "the state names no automation: automation.metadata.automation_id is missing"
            )
        self._supplied = self._merge_priority_actions()
        self._journal = Journal()
        self._effects = EffectCount()
        self._main = self._graph(self._state.actions)
        self._priority = self._graph(self._state.priority_actions, context=self._state.actions)

    async def run(self) -> InvocationOutcome:
        """Execute what is ready and return what happened.

        Raises:
            RetryableError: the exchange does not answer; the same request can be run again.
            ConfigurationError: a person must change something first.
            PendingPriorityActionsSkippedError: priority actions were sent, and none of them is pending.
        """
        if self._supplied and all(action.is_completed for action in self._state.priority_actions):
            raise PendingPriorityActionsSkippedError(
                f"already executed: {', '.join(self._supplied)}; to run an action again, give it a new id"
            )
        self._begin()
        with localcontext(_SCRIPT_DECIMALS):
            async with ExchangeSession(self._state, self._services, self._request.now) as session:
                if not self._stops:
                    await self._execute(session)
                changed = session.sync_back()
        return self._conclude(changed)

    def dump(self) -> dict[str, Any]:
        """Return the state in its JSON form: what came in, and behind `run` what came of it."""
        return dump_state(self._state)

    @property
    def _stops(self) -> bool:
        return self._state.automation.post_actions.stop_automation

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

    async def _execute(self, session: ExchangeSession) -> None:
        bootstrap = bootstrap_action(self._state)
        if bootstrap is not None:
            self._runner(self._main).configure_account(bootstrap)
        if self._state.automation.execution.iteration == 0:
            self._require_account()
        if bootstrap is not None:
            return
        paused = self._request.paused
        graph = self._priority if paused or self._priority.dag.unblocked() else self._main
        if await self._run_layers(graph, session) is Step.RECONFIGURED:
            self._main = self._graph(self._state.actions)
            if not paused:
                await self._run_layers(self._main, session)

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

    async def _run_layers(self, graph: Graph, session: ExchangeSession) -> Step:
        runner = self._runner(graph)
        layer = self._due(graph.dag.unblocked())
        while layer:
            step = await self._run_layer(layer, runner, session)
            if step is not Step.GO_ON:
                return step
            if self._journal.executed_count >= self._services.settings.max_actions:
                self._journal.note(
                    f"{self._journal.executed_count} actions were run; the rest follows at once"
                )
                return Step.GO_ON
            layer = self._due(graph.dag.complete(action for action in layer if action.is_completed))
        return Step.GO_ON

    async def _run_layer(self, layer: list[Action], runner: ActionRunner, session: ExchangeSession) -> Step:
        prepared = runner.prepare(layer)
        dependencies = {dependency for one in prepared for dependency in one.dependencies}
        uses_account = any(one.needs_exchange for one in prepared) or session.is_exposed
        if self._state.has_exchange and (dependencies or uses_account):
            await session.require(dependencies)
        services = session.services
        for one in prepared:
            step = await runner.run(one, services)
            if step is not Step.GO_ON:
                return step
        return Step.GO_ON

    def _due(self, actions: list[Action]) -> list[Action]:
        now = self._request.now
        forced = self._request.trigger is TriggerReason.FORCED
        return [
            action
            for action in actions
            if action.not_before is None
            or action.not_before <= now
            or (forced and action.suspension is not None)
        ]

    def _conclude(self, changed: tuple[str, ...]) -> InvocationOutcome:
        self._repeat()
        self._apply_bounds()
        execution = self._state.automation.execution
        execution.previous_execution = execution.current_execution.model_copy(update={"was_completed": True})
        execution.current_execution = Trigger()
        execution.iteration += 1
        execution.degraded_state = DegradedState()
        next_due_at = None if self._stops else self._next_due()
        status = InvocationStatus.RUNNING
        if next_due_at is None:
            status = InvocationStatus.STOPPED if self._stops else InvocationStatus.FINISHED
        return self._journal.outcome(
            status=status,
            iteration=execution.iteration,
            at=self._request.now,
            next_due_at=next_due_at,
            priority_due=next_due_at is not None and bool(self._priority.dag.unblocked()),
            changed_elements=list(changed),
        )

    def _repeat(self) -> None:
        schedule = self._state.automation.schedule
        pending = (action for action in (*self._state.actions, *self._state.priority_actions))
        if schedule is None or self._stops or any(not action.is_completed for action in pending):
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

    def _next_due(self) -> Timestamp | None:
        waiting = self._priority.dag.unblocked() or self._main.dag.unblocked()
        if not waiting:
            return None
        return max(self._request.now, min(action.not_before or 0 for action in waiting))


def _private_copy(state: AutomationState | Mapping[str, Any]) -> AutomationState:
    return load_state(dump_state(state) if isinstance(state, AutomationState) else state)


def _load_action(raw: Mapping[str, Any]) -> Action:
    try:
        return Action.model_validate(raw)
    except ValidationError as error:
        raise StateError(f"invalid priority action: {describe(error)}") from None
