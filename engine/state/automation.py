"""`AutomationState`: everything an automation is, in and out of every invocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from engine.state.account import ZERO, ExchangeAccountElements, Order
from engine.state.actions import Action, ActionsDag
from engine.state.base import Money, StateModel
from engine.timing import Interval, Moment, Speed
from engine.types import ActionId, Asset, CallSite, EffectKey, Symbol, TimeFrame

EffectKind = Literal["create_order", "cancel_order", "set_leverage", "withdraw"]
IntentStatus = Literal["planned", "awaiting_approval", "tried", "unresolved"]

MAX_COMPLETED_PRIORITY_ACTIONS = 20

_KEYS = ("api_key", "api_secret", "api_password", "access_token")


class TriggerReason(StrEnum):
    """Why an invocation runs."""

    SCHEDULED = "scheduled"
    MESSAGE = "message"
    FORCED = "forced"
    SIGNAL = "signal"


class ExecutionTrigger(StateModel):
    """When and why an invocation ran, UNIX seconds."""

    scheduled_to: Moment = 0
    triggered_at: Moment = 0
    trigger_reason: TriggerReason | None = None
    was_completed: bool = False


class Metadata(StateModel):
    """Who the automation is. `seed` replaces `run_key` in paper ids and randomness."""

    automation_id: str | None = None
    name: str | None = None
    run_key: str | None = None
    seed: str | None = None
    emit_signals: bool = False
    strategy_id: str | None = None
    strategy_version: str | None = None


class DefaultMarket(StateModel):
    """What market data operators use when a script names no symbol or time frame."""

    symbol: Symbol | None = None
    time_frame: TimeFrame | None = None


class Schedule(StateModel):
    """Repetition of the whole DAG.

    `every` in seconds, or a `cron` expression in `timezone`; `first_tick`, `last_tick` and
    `until` in UNIX seconds; `ticks` counts the rounds that ended, `max` bounds them.
    """

    every: Interval | None = None
    cron: str | None = None
    timezone: str | None = None
    first_tick: Moment | None = None
    last_tick: Moment | None = None
    ticks: int = 0
    max: int | None = None
    until: Moment | None = None


class Intent(StateModel):
    """An effect on a live account with all its parameters fixed, recorded before it is sent."""

    key: EffectKey
    action_id: ActionId
    call_site: CallSite
    leg: str
    kind: EffectKind
    params: dict[str, Any]
    planned_at: Moment
    status: IntentStatus = "planned"
    sent_at: Moment | None = None
    tries: int = 0

    @property
    def is_follow_up(self) -> bool:
        """Whether it follows from an order, such as its exits, so that no script waits for its outcome."""
        return "/" in self.leg


class DegradedState(StateModel):
    """Since when, why and how often in a row invocations could not do their work."""

    since: Moment = 0
    reason: str | None = None
    error: str | None = None
    count: int = 0

    @property
    def in_words(self) -> str | None:
        """Why the automation cannot do its work, if it cannot."""
        return ": ".join(filter(None, (self.reason, self.error))) or None


class Standstill(StateModel):
    """How often in a row an invocation was due at once and changed nothing, and when last, UNIX seconds.

    `digest` tells what must stay the same for that.
    """

    digest: str
    count: int = 0
    at: Moment = 0


class Execution(StateModel):
    """Where the automation stands between two invocations."""

    iteration: int = 0
    previous_execution: ExecutionTrigger = Field(default_factory=ExecutionTrigger)
    current_execution: ExecutionTrigger = Field(default_factory=ExecutionTrigger)
    pending_effects: list[Intent] = Field(default_factory=list)
    degraded_state: DegradedState = Field(default_factory=DegradedState)
    standstill: Standstill | None = None

    def end_invocation(self, degraded: DegradedState) -> None:
        """Count the invocation that ends, and keep what is to be known of it."""
        self.previous_execution = self.current_execution.model_copy(update={"was_completed": True})
        self.current_execution = ExecutionTrigger()
        self.iteration += 1
        self.degraded_state = degraded


class PostActions(StateModel):
    """What is to happen after the invocation."""

    stop_automation: bool = False


class Automation(StateModel):
    """The automation itself: its actions, its account elements, its progress."""

    metadata: Metadata = Field(default_factory=Metadata)
    defaults: DefaultMarket = Field(default_factory=DefaultMarket)
    approval: Literal["none", "required"] = "none"
    actions_dag: ActionsDag = Field(default_factory=ActionsDag)
    schedule: Schedule | None = None
    exchange_account_elements: ExchangeAccountElements | None = None
    execution: Execution = Field(default_factory=Execution)
    post_actions: PostActions = Field(default_factory=PostActions)


class AccountMetadata(StateModel):
    """The account's name, and when the rights of its key were checked, UNIX seconds."""

    name: str | None = None
    rights_checked_at: Moment = 0


class RecordedMarket(StateModel):
    """A recorded market: its folder, the market time it starts at, and how fast its clock runs."""

    folder: str
    start: Moment | None = None
    speed: Speed = 1


class ExchangeDetails(StateModel):
    """Which exchange, and where its market data comes from. `internal_name` is the ccxt id."""

    internal_name: str | None = None
    exchange_type: Literal["spot", "future"] = "spot"
    exchange_account_id: str | None = None
    sandboxed: bool = False
    url: str | None = None
    recorded: RecordedMarket | None = None


class AuthDetails(StateModel):
    """Credentials, by reference; inline keys are accepted for compatibility and never shown."""

    credential_ref: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    api_secret: str | None = Field(default=None, repr=False)
    api_password: str | None = Field(default=None, repr=False)
    access_token: str | None = Field(default=None, repr=False)

    @property
    def are_present(self) -> bool:
        """Whether any credential is set; this alone makes an account live."""
        return bool(self.credential_ref) or self.hold_keys

    @property
    def hold_keys(self) -> bool:
        """Whether any of them is a secret itself, and not a word on where it is."""
        return any(getattr(self, name) for name in _KEYS)


class Holding(StateModel):
    """One asset of the configured portfolio; `value` in the portfolio's unit."""

    asset: Asset
    available: Money | None = None
    total: Money = ZERO
    value: Money | None = None

    @property
    def usable(self) -> Decimal:
        """The available amount; the total when nothing else is said."""
        return self.total if self.available is None else self.available


class ConfiguredPortfolio(StateModel):
    """What a simulated account starts with."""

    content: list[Holding] = Field(default_factory=list)
    unit: Asset | None = None


class ExchangeAccountDetails(StateModel):
    """The exchange account of the automation."""

    metadata: AccountMetadata = Field(default_factory=AccountMetadata)
    exchange_details: ExchangeDetails = Field(default_factory=ExchangeDetails)
    auth_details: AuthDetails = Field(default_factory=AuthDetails)
    portfolio: ConfiguredPortfolio = Field(default_factory=ConfiguredPortfolio)

    @property
    def has_exchange(self) -> bool:
        """Whether an exchange is configured."""
        return self.exchange_details.internal_name is not None

    @property
    def is_simulated(self) -> bool:
        """Whether orders are paper orders: no credential is set."""
        return not self.auth_details.are_present


class AutomationState(StateModel):
    """The whole serializable state of one automation; see `docs/state.md` for its JSON form."""

    schema_version: int
    automation: Automation = Field(default_factory=Automation)
    exchange_account_details: ExchangeAccountDetails | None = None
    priority_actions: list[Action] = Field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        """The actions of the DAG, in order of definition."""
        return self.automation.actions_dag.actions

    @property
    def all_actions(self) -> list[Action]:
        """The priority actions, and those of the DAG."""
        return [*self.priority_actions, *self.actions]

    @property
    def actions_in_turn(self) -> list[Action]:
        """The actions whose turn it is: priority actions while any is pending, else those of the DAG."""
        pending = [action for action in self.priority_actions if not action.is_completed]
        return pending or self.actions

    @property
    def iteration(self) -> int:
        """How many invocations it has had."""
        return self.automation.execution.iteration

    @property
    def pending_effects(self) -> list[Intent]:
        """The effects that are planned or under way, in the order in which they were planned."""
        return self.automation.execution.pending_effects

    @property
    def sent_effects(self) -> list[Intent]:
        """Those of them that were sent and whose fate is not known yet."""
        return [intent for intent in self.pending_effects if intent.status == "tried"]

    @property
    def degraded_reason(self) -> str | None:
        """Why the automation cannot do its work, if it cannot."""
        return self.automation.execution.degraded_state.in_words

    @property
    def elements(self) -> ExchangeAccountElements:
        """What the automation has on its account; nothing where there was none yet."""
        return self.automation.exchange_account_elements or ExchangeAccountElements()

    @property
    def open_orders(self) -> list[Order]:
        """The orders that the automation has open on its account."""
        return self.elements.orders.open_orders

    @property
    def exchange(self) -> ExchangeDetails:
        """The exchange of its account; one without a name where there is none."""
        details = self.exchange_account_details
        return ExchangeDetails() if details is None else details.exchange_details

    @property
    def holds_keys(self) -> bool:
        """Whether API keys lie in the state themselves, in its account or in a step that sets it up."""
        details = self.exchange_account_details
        own = details is not None and details.auth_details.hold_keys
        return own or any(_configures_keys(action) for action in self.all_actions)

    def symbols_of_interest(self) -> Iterator[Symbol]:
        """Yield what it trades: its default symbol, then those of open orders and of its newest trades."""
        if symbol := self.automation.defaults.symbol:
            yield symbol
        yield from (order.symbol for order in self.open_orders)
        yield from (trade.symbol for trade in reversed(self.elements.trades))

    def name_run(self, run_key: str) -> None:
        """Set the name that effects derive their ids from; once set, it stays."""
        metadata = self.automation.metadata
        metadata.run_key = metadata.run_key or run_key

    @property
    def has_exchange(self) -> bool:
        """Whether an exchange account is configured."""
        return self.exchange_account_details is not None and self.exchange_account_details.has_exchange

    @property
    def is_live(self) -> bool:
        """Whether orders go to an exchange: an account with credentials is configured."""
        details = self.exchange_account_details
        return details is not None and details.has_exchange and not details.is_simulated

    def cut_to_bounds(self) -> dict[str, int]:
        """Drop the oldest entries of each bounded list; return how many, by name."""
        elements = self.automation.exchange_account_elements
        cut = {} if elements is None else elements.cut_to_bounds()
        priority = self.cut_priority_actions()
        return {**cut, "priority_actions": priority} if priority else cut

    def cut_priority_actions(self) -> int:
        """Keep the newest completed priority actions and all pending ones; return how many were cut."""
        completed = [action for action in self.priority_actions if action.is_completed]
        surplus = {action.id for action in completed[:-MAX_COMPLETED_PRIORITY_ACTIONS]}
        if surplus:
            self.priority_actions = [action for action in self.priority_actions if action.id not in surplus]
        return len(surplus)


def _configures_keys(action: Action) -> bool:
    """Whether a step sets an account up with API keys that lie in its configuration themselves."""
    found: Any = action.config
    for name in ("exchange_account_details", "auth_details"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return isinstance(found, Mapping) and any(found.get(name) for name in _KEYS)
