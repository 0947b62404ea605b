"""Runs what is ready in an invocation: actions of a graph, layer by layer, with the data that they need."""

from __future__ import annotations

from engine.errors import InitializationRunFailedError, RetryableError
from engine.job.account import InvocationAccount
from engine.job.action_runner import ActionContext, ActionRunner, Continuation
from engine.job.configuration import bootstrap_action
from engine.job.effects import InvocationEffects, held_actions
from engine.job.graphs import Graph
from engine.state import Action, TriggerReason
from engine.types import ActionId


class ReadyActions:
    """What one invocation executes: priority actions that are due, else what is due of the DAG.

    Args:
        context: what all actions of the invocation share.
        account: opened when the first of them needs it.
        effects: takes in what the market did to open orders meanwhile.
    """

    def __init__(
        self, context: ActionContext, account: InvocationAccount, effects: InvocationEffects
    ) -> None:
        self._context = context
        self._account = account
        self._effects = effects
        self._put_off: dict[ActionId, RetryableError] = {}

    async def run(self) -> None:
        """Execute them, in a pause priority actions alone.

        Raises:
            InitializationRunFailedError: the first run cannot set up the account that the actions need.
            RetryableError: the exchange does not answer, and nothing could be run.
            PostponedError: the account cannot be used for longer.
            ConfigurationError: the account or its market cannot be used as configured.
        """
        state, graphs = self._context.state, self._context.graphs
        bootstrap = bootstrap_action(state)
        if bootstrap is not None:
            self._runner(graphs.main).configure_account(bootstrap)
        if state.automation.execution.iteration == 0:
            self._require_account()
        if bootstrap is not None:
            return
        paused = self._context.request.paused
        prefers = paused or self._due(graphs.priority.dag.unblocked())  # one that waits holds nobody up
        graph = graphs.priority if prefers else graphs.main
        if await self._run_layers(graph) is Continuation.RECONFIGURED:
            graphs.rebuild_main()
            if not paused:
                await self._run_layers(graphs.main)
        self._raise_if_all_wait(graph)
        if state.is_live and not (paused or self._context.ends):
            await self._effects.look_after_account()

    def _require_account(self) -> None:
        needing = self._context.graphs.main.scripts.need_exchange()
        if needing and not self._context.state.has_exchange:
            raise InitializationRunFailedError(
                f"'{needing[0]}' needs an exchange account and the automation has none; give it one with"
                f" exchange_account_details, or an apply_configuration action that sets it up"
            )

    def _runner(self, graph: Graph) -> ActionRunner:
        return ActionRunner(self._context, graph, publish=graph is self._context.graphs.priority)

    async def _run_layers(self, graph: Graph) -> Continuation:
        runner, journal = self._runner(graph), self._context.journal
        layer = self._due(graph.dag.unblocked())
        while layer:
            continuation = await self._run_layer(layer, runner)
            if continuation is not Continuation.GO_ON:
                return continuation
            if journal.executed_count >= self._context.services.settings.max_actions:
                journal.note(f"{journal.executed_count} actions were run; the rest follows at once")
                return Continuation.GO_ON
            layer = self._due(graph.dag.complete(action for action in layer if action.is_completed))
        return Continuation.GO_ON

    async def _run_layer(self, layer: list[Action], runner: ActionRunner) -> Continuation:
        prepared = runner.prepare(layer)
        dependencies = {dependency for one in prepared for dependency in one.dependencies}
        uses_account = any(one.needs_exchange for one in prepared) or self._account.is_exposed
        if self._context.state.has_exchange and (dependencies or uses_account):
            await self._account.require(dependencies)
            if self._is_over(runner):
                return Continuation.SKIP_REST
            if self._effects.take_follow_ups():
                return Continuation.PLANNED
        if self._context.state.is_live and any(one.action.is_configuration for one in prepared):
            self._account.sync_back()  # a configuration looks at the orders as they are now
        services = self._account.services
        for one in prepared:
            delayed = self._account.delayed(one.dependencies)
            if delayed is not None:
                self._put_off[one.action.id] = delayed
                runner.put_off(one.action, delayed)
                continue
            continuation = await runner.run(one, services)
            if continuation is not Continuation.GO_ON:
                return continuation
        return Continuation.GO_ON

    def _raise_if_all_wait(self, graph: Graph) -> None:
        """Raise why data did not come when nothing was done without it, and nothing else is to be done.

        The same invocation is worth another try then; else it must not hold up what does not need that data.
        """
        others = [action for action in graph.dag.unblocked() if action.id not in self._put_off]
        if self._put_off and not (others or self._context.journal.executed_count):
            raise next(iter(self._put_off.values()))

    def _is_over(self, runner: ActionRunner) -> bool:
        """Whether a recorded market has nothing more for the automation.

        Raises:
            ConfigurationError: it never had anything, since its start lies behind its end.
        """
        over = self._account.over
        if over is None or runner.publishes:
            return False
        if self._context.state.automation.execution.iteration == 0:
            raise over
        return True

    def _due(self, actions: list[Action]) -> list[Action]:
        now = self._context.now
        forced = self._context.request.trigger is TriggerReason.FORCED
        held = held_actions(self._context.state.automation.execution.pending_effects)
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
