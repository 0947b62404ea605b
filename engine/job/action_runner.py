"""Runs one action to its outcome: a value, an error, or a suspension to be called again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, cast

from engine.dsl import (
    CompiledScript,
    DataDependency,
    Defaults,
    Directive,
    DSLExecutor,
    EffectCount,
    Notify,
    ScriptContext,
    StopAutomation,
    UpdateConfiguration,
    Waiting,
)
from engine.effects import IntentDraft
from engine.errors import (
    ActionStatus,
    BelowMinimumError,
    ConfigurationError,
    DagError,
    DslError,
    InitializationRunFailedError,
    OperatorError,
    PostponedError,
    RetryableError,
)
from engine.job.account import seed_of
from engine.job.configuration import apply_configuration
from engine.job.effects import BYTES_PER_LEG, effects_handed_to, intents_of, key_scope, record
from engine.job.graphs import Graph, Graphs
from engine.job.outcome import ExecutedAction, Journal, shorten
from engine.job.request import InvocationRequest
from engine.job.services import Services
from engine.job.upstream import NO_BINDINGS, Bindings, bind
from engine.live import PostponeReason
from engine.market import MarketData, ScriptMarket, as_one_script_sees
from engine.orders import Account
from engine.state import Action, AutomationState, TriggerReason, dump_state
from engine.types import ActionId, Seconds, Timestamp
from engine.values import JsonValue, decode_value, encode_value, json_size, plain_value

PATIENCE: Final[Seconds] = 30
"""When an action asks again for data that did not come, while other data came."""


class Continuation(IntEnum):
    """What an action means for the rest of its invocation; the greatest of several counts."""

    GO_ON = 0
    """The next action runs."""
    RECONFIGURED = 1
    """The script of the DAG's action was replaced, and is to run now."""
    SKIP_REST = 2
    """A reset went elsewhere, the account is another one now, or the automation is to stop."""
    PLANNED = 3
    """Effects were planned: nothing else happens before they are recorded."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An action that is ready to run: its script, its upstream values, the data it will ask for."""

    action: Action
    script: CompiledScript | None = None
    bindings: Bindings = NO_BINDINGS
    dependencies: tuple[DataDependency, ...] = ()

    @property
    def needs_exchange(self) -> bool:
        """Whether the script cannot run without an exchange account."""
        return self.script is not None and self.script.needs_exchange


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What all actions of one invocation share."""

    request: InvocationRequest
    state: AutomationState
    services: Services
    journal: Journal
    graphs: Graphs
    effects: EffectCount

    @property
    def now(self) -> Timestamp:
        """Market time of the invocation, UNIX seconds."""
        return self.request.now

    @property
    def forced(self) -> bool:
        """Whether waiting operators are called before they are due."""
        return self.request.trigger is TriggerReason.FORCED

    @property
    def ends(self) -> bool:
        """Whether nothing is to run behind this invocation any more."""
        return self.request.stopping or self.state.automation.post_actions.stop_automation

    @property
    def cadence(self) -> Timestamp:
        """The instant that delays count from: when the invocation was due, so lateness never adds up."""
        due = self.request.scheduled_to
        return due if self.request.trigger is TriggerReason.SCHEDULED and 0 < due <= self.now else self.now


class ActionRunner:
    """Executes the actions of one graph, each in a fresh interpreter."""

    def __init__(self, context: ActionContext, graph: Graph, *, publish: bool) -> None:
        self._context = context
        self._graph = graph
        self._publish = publish
        state = context.state
        self._defaults = Defaults(state.automation.defaults.symbol, state.automation.defaults.time_frame)
        self._seed = seed_of(state)
        self._prefix = f"{key_scope(state, self._seed)}/{state.automation.execution.iteration}"

    def prepare(self, layer: Iterable[Action]) -> list[Prepared]:
        """Bind the upstream values of a layer and extract what it will ask the exchange for.

        An action for which that fails ends with the error, and is left out.
        """
        prepared = (self._prepare(action) for action in layer)
        return [one for one in prepared if one is not None]

    async def run(self, prepared: Prepared, services: Mapping[type, object]) -> Continuation:
        """Execute an action and store its outcome in it.

        Raises:
            PostponedError: a waiting action on a live account needs funds that are not there now.
        """
        action, script = prepared.action, prepared.script
        started = self._context.services.stopwatch()
        effects_before = _effects(services) - effects_handed_to(action)
        try:
            then = self._configure(action) if script is None else await self._run_script(prepared, services)
        except DslError as error:
            _take_drafts(services)  # what a failed script has planned is not sent
            self._postpone_if_passing(action, error)
            self._fail(action, error)
            then = Continuation.GO_ON
        self._record(
            action,
            script,
            duration=self._context.services.stopwatch() - started,
            effects=_effects(services) - effects_before,
        )
        return then

    @property
    def publishes(self) -> bool:
        """Whether results are told in the outcome, as those of priority actions are."""
        return self._publish

    def put_off(self, action: Action, delayed: RetryableError) -> None:
        """Let an action wait for data that the exchange does not give at the moment."""
        wait = PATIENCE if delayed.retry_after is None else delayed.retry_after
        action.not_before = self._context.now + wait
        self._context.journal.note(f"'{action.id}' waits {wait:g} s: {delayed.message}")

    def configure_account(self, action: Action) -> None:
        """Execute the bootstrap step, which needs no account and no network.

        Raises:
            InitializationRunFailedError: its configuration cannot be applied.
        """
        try:
            self._configure(action)
        except DslError as error:
            raise InitializationRunFailedError(f"'{action.id}': {error.message}") from None
        self._record(action, None)

    def _prepare(self, action: Action) -> Prepared | None:
        if action.dsl_script is None:
            return Prepared(action)
        try:
            script = self._graph.scripts.of(action)
            bindings = bind(action, frozenset(map(ActionId, script.references)), self._graph.dag)
            dependencies: tuple[DataDependency, ...] = ()
            if not script.is_static:
                dependencies = script.dependencies(self._defaults, bindings.references, bindings.parameters)
            return Prepared(action, script, bindings, dependencies)
        except DslError as error:
            self._fail(action, error)
            self._record(action, None)
            return None

    async def _run_script(self, prepared: Prepared, services: Mapping[type, object]) -> Continuation:
        assert prepared.script is not None, "configured actions have no script"
        action, seen = prepared.action, as_one_script_sees(services, prepared.dependencies)
        context = ScriptContext(
            now=self._context.now,
            forced=self._context.forced,
            defaults=self._defaults,
            seed=self._seed,
            key_prefix=f"{self._prefix}/{action.id}",
            services=seen,
            references=prepared.bindings.references,
            parameters=prepared.bindings.parameters,
            previous_execution_result=decode_value(action.previous_execution_result),
            limits=self._context.services.settings.limits,
            effects=self._context.effects,
        )
        executor = DSLExecutor(prepared.script, context)
        if action.planned_effects and not executor.resumes(action.suspension):
            raise DslError(
                "the script, or Octoflow, was changed while its effects were carried out, so that it cannot"
                f" go on where it stood: {effects_handed_to(action)} of {len(action.planned_effects)}"
                " happened; restart the action to run it from its start",
                code="unsupported",
            )
        try:
            result = await executor.run(action.suspension)
        finally:
            self._note_shortages(action, seen.get(MarketData))
        drafts = _take_drafts(services)
        if isinstance(result, Waiting):
            return self._wait(action, result, drafts)
        if drafts:
            raise DslError("an operator planned effects and did not wait for them: nothing is sent")
        return self._complete(action, result.value, result.directives)

    def _note_shortages(self, action: Action, market: object) -> None:
        """Say which indicators ran over fewer candles than they should."""
        for shortage in market.shortages if isinstance(market, ScriptMarket) else ():
            self._context.journal.note(f"'{action.id}': {shortage}")

    def _configure(self, action: Action) -> Continuation:
        if not action.is_configuration:
            raise OperatorError(
                ActionStatus.UNSUPPORTED_ACTION_TYPE,
                f"unknown action '{action.action}'; the one there is: apply_configuration",
            )
        state = self._context.state
        account = state.exchange_account_details
        try:
            apply_configuration(state, action.config or {})
        except ConfigurationError as error:
            raise OperatorError(ActionStatus.INVALID_CONFIG, error.message) from None
        then = self._complete(action, True, ())
        # What runs on another account runs in an invocation that has opened it, under keys of its kind.
        return then if state.exchange_account_details == account else max(then, Continuation.SKIP_REST)

    def _complete(self, action: Action, value: Any, directives: Iterable[Directive]) -> Continuation:
        encoded = encode_value(value)
        self._refuse_large(encoded)
        if self._publish:
            self._context.journal.publish(action.id, plain_value(value))
        action.complete(encoded, self._context.now)
        then = Continuation.GO_ON
        for directive in directives:
            then = max(then, self._follow(directive))
        if action.reset_target_action_id is not None and then is Continuation.GO_ON:
            self._restart(action, action.reset_target_action_id, action.reset_after)
            then = Continuation.SKIP_REST
        return then

    def _wait(self, action: Action, result: Waiting, drafts: Sequence[IntentDraft]) -> Continuation:
        recall = result.recall
        if drafts:
            self._plan(action, result, drafts)
            return Continuation.PLANNED
        if recall.reset_to_id is not None:
            self._restart(action, ActionId(recall.reset_to_id), recall.waiting_time)
            if action.id not in self._context.graphs.main.dag:
                action.complete(None, self._context.now)  # a priority action asks once
            return Continuation.SKIP_REST
        action.wait(result.suspension, self._context.now + recall.waiting_time)
        if self._publish:
            self._context.journal.waiting[action.id] = self._context.now + recall.waiting_time
        return max((self._follow(directive) for directive in result.directives), default=Continuation.GO_ON)

    def _plan(self, action: Action, result: Waiting, drafts: Sequence[IntentDraft]) -> None:
        """Record what a call has planned, to be sent by the next invocation.

        Raises:
            DslError: `limit_exceeded`, when the state has no room for what comes of it.
        """
        state, now = self._context.state, self._context.now
        bound = self._context.services.settings.max_state_bytes
        size = json_size(dump_state(state)) + BYTES_PER_LEG * len(drafts)
        if size > bound:
            raise DslError(
                f"{result.recall.keyword}() would bring the automation's state to {size:,} bytes, and"
                f" {bound:,} are allowed: nothing is sent",
                code="limit_exceeded",
                suggestion="Give the automation fewer actions, or actions with smaller results.",
            )
        record(state, intents_of(drafts, action.id, result.suspension["call_site"], state, now))
        action.wait(result.suspension, now)
        if self._publish and state.automation.approval == "required":
            lasts = self._context.services.settings.live.approved_intent_max_age
            self._context.journal.waiting[action.id] = now + lasts
        for directive in result.directives:
            self._follow(directive)

    def _postpone_if_passing(self, action: Action, error: DslError) -> None:
        """Postpone an action that is called again and again, for what may be different another time."""
        recalled = action.suspension is not None and not action.planned_effects
        reason = _passing(error)
        if recalled and reason is not None and self._context.state.is_live:
            raise PostponedError(f"'{action.id}': {error.message}", reason=reason) from None

    def _restart(self, requester: Action, target: ActionId, after: Seconds) -> None:
        try:
            self._context.graphs.main.dag.reset(
                target,
                requester=requester.id,
                not_before=self._context.cadence + after if after > 0 else None,
            )
        except DagError as error:
            raise OperatorError(ActionStatus.INVALID_CONFIG, error.message) from None

    def _follow(self, directive: Directive) -> Continuation:
        match directive:
            case StopAutomation():
                self._context.state.automation.post_actions.stop_automation = True
                return Continuation.SKIP_REST
            case UpdateConfiguration(text=text):
                self._replace_script(text)
                return Continuation.RECONFIGURED
            case Notify(text=text):
                self._context.journal.note(text)
                return Continuation.GO_ON

    def _replace_script(self, text: str) -> None:
        executable = [action for action in self._context.state.actions if action.dsl_script is not None]
        if len(executable) != 1:
            raise OperatorError(
                ActionStatus.INVALID_CONFIG,
                f"update_automation_configuration replaces the script of the automation's only action,"
                f" and this one has {len(executable)}",
            )
        executable[0].dsl_script = text
        executable[0].reset()

    def _refuse_large(self, encoded: JsonValue) -> None:
        bound = self._context.services.settings.max_result_bytes
        if isinstance(encoded, str | list | dict) and (size := json_size(encoded)) > bound:
            raise DslError(
                f"the result has {size} bytes and an action keeps at most {bound}; return a part of it",
                code="limit_exceeded",
            )

    def _fail(self, action: Action, error: DslError) -> None:
        # A statement says all there is to say; of other errors a person wants to see the place.
        message = error.message if error.code == OperatorError.code else str(error)
        action.fail(error.status, message, self._context.now)

    def _record(
        self, action: Action, script: CompiledScript | None, *, duration: Seconds = 0, effects: int = 0
    ) -> None:
        journal = self._context.journal
        error = shorten(action.error_message) if action.error_message else None
        if not journal.keeps_entry_of(action.id, error):
            journal.count(failed=action.failed)
            return
        journal.record(
            ExecutedAction(
                id=action.id,
                operator=script.operators[0] if script and script.operators else action.action,
                status=action.error_status or ("ok" if action.is_completed else "waiting"),
                error=error,
                duration=duration,
                effects=effects,
            ),
            failed=action.failed,
        )


def _effects(services: Mapping[type, object]) -> int:
    account = cast("Account | None", services.get(Account))
    return account.effects if account is not None else 0


def _take_drafts(services: Mapping[type, object]) -> Sequence[IntentDraft]:
    account = cast("Account | None", services.get(Account))
    return account.take_drafts() if account is not None else ()


def _passing(error: DslError) -> PostponeReason | None:
    """Return why an operator refused, if that may pass with time."""
    if isinstance(error, BelowMinimumError):
        return "below_minimum"
    if isinstance(error, OperatorError) and error.status is ActionStatus.NOT_ENOUGH_FUNDS:
        return "not_enough_funds"
    return None
