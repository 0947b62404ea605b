"""What scripts and operators know of the invocation that runs them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol, TypeVar

from engine.dsl.limits import DEFAULT_LIMITS, Limits
from engine.errors import DslError
from engine.types import CallSite, EffectKey, Seconds, Timestamp

_KEYS: Final = uuid.UUID("6f63746f-666c-6f77-8b65-656666656374")
"""Namespace of effect keys; a change of it would change the identity of every effect."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Defaults:
    """The symbol and time frame that an automation's scripts mean when they name none."""

    symbol: str | None = None
    time_frame: str | None = None


@dataclass(frozen=True, slots=True)
class StopAutomation:
    """End the automation after this action."""


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """Replace the script of the automation's single executable action."""

    text: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the user something."""

    text: str


Directive = StopAutomation | UpdateConfiguration | Notify
"""What a script asks of the job that runs it; carried out after the action."""


@dataclass(slots=True)
class EffectCount:
    """How many effects an invocation has performed; its actions share one."""

    performed: int = 0


@dataclass(frozen=True, slots=True)
class ReCallingOperatorResult:
    """What an operator returns when it is not done and must be called again later.

    Attributes:
        keyword: the operator's name.
        waiting_time: seconds until it is due.
        state: what the operator wants back then, as JSON values.
        reset_to_id: the action to reset, when it is not the operator's own action that continues.
    """

    keyword: str
    waiting_time: Seconds
    state: Mapping[str, Any] = field(default_factory=dict)
    reset_to_id: str | None = None

    def last_execution_result(self, now: Timestamp) -> dict[str, Any]:
        """Return what the operator gets back when it is called again."""
        return {"waiting_time": self.waiting_time, "last_execution_time": now, **self.state}

    def public(self, now: Timestamp) -> dict[str, Any]:
        """Return the public JSON form of a re-call made at `now`."""
        content: dict[str, Any] = {"keyword": self.keyword}
        if self.reset_to_id is not None:
            content["reset_to_id"] = self.reset_to_id
        content["last_execution_result"] = self.last_execution_result(now)
        return {"ReCallingOperatorResult": content}


@dataclass(frozen=True, kw_only=True)
class ScriptContext:
    """What the job gives to the script of one action.

    Attributes:
        now: market time of the invocation, UNIX seconds.
        forced: the invocation was asked for by a person, before anything was due.
        seed: all randomness of the script derives from it.
        key_prefix: identity of this execution (run key, iteration, action); effect keys derive from it.
        services: what operators may use, by type: market data, the account, …
        references: results of other actions by id, as values.
        parameters: values of `UNRESOLVED_PARAMETER` by parameter name.
        previous_execution_result: the action's result before its last reset.
        limits: what the script may cost.
        effects: what counts against the limit of effects, shared by all actions of the invocation.
    """

    now: Timestamp
    forced: bool = False
    defaults: Defaults = Defaults()
    seed: str = ""
    key_prefix: str = ""
    services: Mapping[type, object] = field(default_factory=dict)
    references: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    previous_execution_result: Any = None
    limits: Limits = DEFAULT_LIMITS
    effects: EffectCount = field(default_factory=EffectCount)


class Evaluation(Protocol):
    """The evaluation that an operator is called in."""

    @property
    def context(self) -> ScriptContext:
        """What the job gave."""
        ...

    def direct(self, directive: Directive) -> None:
        """Keep what the script asks of the job."""
        ...


class OperatorContext:
    """What one operator call sees of the invocation: time, randomness, ids and services, all deterministic.

    Attributes:
        operator: name of the called operator.
        call_site: the call's place in the script.
        last_execution_result: what the operator's `ReCallingOperatorResult` carried, when it is called again.
    """

    __slots__ = ("_evaluation", "_random", "call_site", "last_execution_result", "operator")

    def __init__(
        self,
        evaluation: Evaluation,
        operator: str,
        call_site: CallSite,
        last_execution_result: Mapping[str, Any] | None = None,
    ) -> None:
        self._evaluation = evaluation
        self._random: Random | None = None
        self.operator = operator
        self.call_site = call_site
        self.last_execution_result = last_execution_result

    @property
    def now(self) -> Timestamp:
        """Market time of the invocation, UNIX seconds."""
        return self._evaluation.context.now

    @property
    def forced(self) -> bool:
        """Whether a person asked for this invocation before anything was due."""
        return self._evaluation.context.forced

    @property
    def defaults(self) -> Defaults:
        """The automation's own symbol and time frame."""
        return self._evaluation.context.defaults

    @property
    def previous_execution_result(self) -> Any:
        """The action's result before its last reset."""
        return self._evaluation.context.previous_execution_result

    @property
    def random(self) -> Random:
        """Randomness of this call; two evaluations with the same inputs draw the same."""
        if self._random is None:
            self._random = Random(
                f"{self._evaluation.context.seed}/{self._evaluation.context.key_prefix}/{self.call_site}"
            )
        return self._random

    def key(self, leg: str) -> EffectKey:
        """Return the identity of one effect of this call: the same on every attempt, unique for ever."""
        return EffectKey(
            uuid.uuid5(_KEYS, f"{self._evaluation.context.key_prefix}/{self.call_site}/{leg}").hex
        )

    def service(self, kind: Callable[..., T]) -> T:
        """Return the service of a kind, which is the class or protocol it was registered under.

        Raises:
            DslError: the invocation has no such service, because no exchange is configured.
        """
        service: T | None = self._evaluation.context.services.get(kind)  # type: ignore[call-overload]
        if service is None:
            raise DslError(
                f"{self.operator}() needs an exchange account, and this automation has none",
                suggestion="Name an exchange in the automation: `exchange: binance`.",
            )
        return service

    def direct(self, directive: Directive) -> None:
        """Ask something of the job, to be done after this action."""
        self._evaluation.direct(directive)
