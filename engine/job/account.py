"""The exchange account of one invocation: opened when something needs it, once, and always closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Final, Self
from uuid import UUID, uuid5

from engine.dsl import DataDependency
from engine.effects import TransferPolicy
from engine.errors import RecordingEndedError, RetryableError
from engine.job.configuration import initial_elements
from engine.job.repository_factory import ExchangeRepositoryFactory
from engine.job.services import Services
from engine.live import (
    NOTHING_RESOLVED,
    EffectGuard,
    GuardResult,
    LiveContext,
    LiveRepositories,
    Mode,
    TradingApi,
    check_rights,
)
from engine.market import MarketSource, wanted
from engine.paper import PaperContext
from engine.state import AutomationState, ExchangeAccountDetails, ExchangeAccountElements, Intent
from engine.types import Timestamp

NAMESPACE: Final = UUID("6f63746f-666c-5f77-8000-6f63746f666c")
"""Namespace of every id that the engine derives from an automation's own names."""

_NO_SERVICES: Final[Mapping[type, object]] = MappingProxyType({})


class InvocationAccount:
    """Async context manager around the exchange context of an invocation, simulated or live."""

    def __init__(self, state: AutomationState, services: Services, now: Timestamp) -> None:
        self._state = state
        self._services = services
        self._now = now
        self._context: PaperContext | LiveContext | None = None
        self._api: TradingApi | None = None

    @property
    def services(self) -> Mapping[type, object]:
        """What exchange operators may ask for; empty while no account is open."""
        if self._context is None:
            return _NO_SERVICES
        return {**self._context.services(), TransferPolicy: self._services.settings.transfers}

    @property
    def is_exposed(self) -> bool:
        """Whether the market may have filled orders or liquidated positions meanwhile."""
        elements = self._state.automation.exchange_account_elements
        return elements is not None and elements.is_exposed

    @property
    def watch_at(self) -> Timestamp | None:
        """When open orders of a live account need care that the exchange does not give, UNIX seconds.

        None when they need none, and on paper, where the next invocation settles what happened.
        """
        context = self._context
        return context.watch_at if isinstance(context, LiveContext) else None

    @property
    def notes(self) -> Sequence[str]:
        """What could not be had of the market, in words."""
        return () if self._context is None else self._context.notes

    @property
    def over(self) -> RecordingEndedError | None:
        """That the recorded market has nothing more of what is asked for."""
        return None if self._context is None else self._context.data.over

    def delayed(self, dependencies: Iterable[DataDependency]) -> RetryableError | None:
        """Return why data was not there that may come later; None when nothing is missing for now."""
        return None if self._context is None else self._context.data.delayed(*wanted(dependencies))

    async def require(self, dependencies: Iterable[DataDependency]) -> None:
        """Open the account if it is not open, and fetch the data that is still missing.

        Raises:
            RetryableError: the exchange does not answer.
            PostponedError: the exchange cannot be used for longer.
            ConfigurationError: the account or the recorded market cannot be used as configured; the key of a
                live account may withdraw funds, and nobody allowed that.
        """
        context = self._open()
        await self._check_rights()
        await context.require(dependencies)

    async def carry_out(
        self, intents: Sequence[Intent], mode: Mode, *, resolved: Mapping[str, bool] = NOTHING_RESOLVED
    ) -> GuardResult:
        """Carry pending effects out on the exchange; nothing is requested when there are none.

        What became of orders is in the account from here on, whatever fails afterwards. Follow-ups that were
        dropped are planned again, and are among the pending ones.

        Args:
            intents: the pending effects, in the order in which they were planned.
            mode: what may be done.
            resolved: keys of unresolved effects, and whether a person found them on the exchange.

        Raises:
            RetryableError, PostponedError, ConfigurationError: before anything was sent or resolved.
        """
        return (
            await self._open_live().carry_out(intents, mode, resolved=resolved) if intents else GuardResult()
        )

    async def look_after(self) -> None:
        """Catch up with the exchange for the sake of the open orders alone.

        Raises:
            RetryableError, PostponedError, ConfigurationError: as `require`.
        """
        await self.require(())

    def take_follow_ups(self) -> Sequence[Intent]:
        """Return what catch-up planned since the last call of this method; nothing on paper."""
        return self._context.take_follow_ups() if isinstance(self._context, LiveContext) else ()

    def plan_cancel_all(self) -> Sequence[Intent]:
        """Return a cancellation of each open order of the automation, for accounts with credentials."""
        return self._open_live().plan_cancel_all()

    def sync_back(self) -> tuple[str, ...]:
        """Write the account elements into the state; return the names of those that changed."""
        if self._context is None:
            return ()
        elements, changed = self._context.sync_back()
        self._state.automation.exchange_account_elements = elements
        return changed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._context is not None:
            await self._context.close()

    def _open(self) -> PaperContext | LiveContext:
        if self._context is None:
            repositories = ExchangeRepositoryFactory(self._services).create(self._details())
            if isinstance(repositories, LiveRepositories):
                self._context = self._live(repositories)
            else:
                self._context = self._simulated(repositories)
        return self._context

    def _open_live(self) -> LiveContext:
        context = self._open()
        assert isinstance(context, LiveContext), "effects are planned on accounts with credentials only"
        return context

    def _live(self, repositories: LiveRepositories) -> LiveContext:
        settings = self._services.settings.live
        self._api = repositories.exchange.api
        guard = EffectGuard(
            self._api,
            settings=settings,
            lease=self._services.lease,
            now=self._now,
            approval_required=self._state.automation.approval == "required",
        )
        return LiveContext(
            self._elements(),
            repositories=repositories,
            guard=guard,
            now=self._now,
            watch_every=settings.watch_every,
        )

    async def _check_rights(self) -> None:
        """Ask what the key of a live account may do, once for as long as the automation has it."""
        if self._api is None or (metadata := self._details().metadata).rights_checked_at:
            return
        await check_rights(self._api, self._services.settings.transfers.allowed)
        metadata.rights_checked_at = self._now

    def _simulated(self, source: MarketSource) -> PaperContext:
        return PaperContext(
            self._elements(),
            source=source,
            now=self._now,
            slippage=self._services.settings.slippage,
            ids=self._id,
        )

    def _details(self) -> ExchangeAccountDetails:
        details = self._state.exchange_account_details
        assert details is not None, "a session is opened only for automations with an exchange"
        return details

    def _elements(self) -> ExchangeAccountElements:
        elements = self._state.automation.exchange_account_elements
        return elements if elements is not None else initial_elements(self._details().portfolio)

    def _id(self, name: str) -> str:
        return uuid5(NAMESPACE, f"{seed_of(self._state)}/{name}").hex


def seed_of(state: AutomationState) -> str:
    """Return what paper ids and randomness derive from: the seed, else the run key, else the id."""
    metadata = state.automation.metadata
    return metadata.seed or metadata.run_key or metadata.automation_id or ""
