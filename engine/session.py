"""The exchange account of one invocation: opened when something needs it, once, and always closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Final, Self
from uuid import UUID, uuid5

from engine.configuration import initial_elements
from engine.dsl import Dependency
from engine.exchange.context import ExchangeContext
from engine.exchange.transfers import TransferPolicy
from engine.services import Services
from engine.state import AutomationState, ExchangeAccountElements
from engine.types import Timestamp

NAMESPACE: Final = UUID("6f63746f-666c-5f77-8000-6f63746f666c")
"""Namespace of every id that the engine derives from an automation's own names."""

_NO_SERVICES: Final[Mapping[type, object]] = MappingProxyType({})


class ExchangeSession:
    """Async context manager around the exchange context of an invocation."""

    def __init__(self, state: AutomationState, services: Services, now: Timestamp) -> None:
        self._state = state
        self._services = services
        self._now = now
        self._context: ExchangeContext | None = None

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
        return elements is not None and bool(elements.exposed_symbols())

    async def require(self, dependencies: Iterable[Dependency]) -> None:
        """Open the account if it is not open, and fetch the data that is still missing.

        Raises:
            RetryableError: the exchange does not answer.
            ConfigurationError: the account or the recorded market cannot be used as configured.
        """
        if self._context is None:
            self._context = self._open()
        await self._context.require(dependencies)

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

    def _open(self) -> ExchangeContext:
        details = self._state.exchange_account_details
        assert details is not None, "a session is opened only for automations with an exchange"
        return ExchangeContext(
            details,
            self._elements(),
            source=self._services.market_source(details.exchange_details),
            now=self._now,
            slippage=self._services.settings.slippage,
            ids=self._id,
        )

    def _elements(self) -> ExchangeAccountElements:
        elements = self._state.automation.exchange_account_elements
        if elements is not None:
            return elements
        details = self._state.exchange_account_details
        assert details is not None, "a session is opened only for automations with an exchange"
        return initial_elements(details.portfolio)

    def _id(self, name: str) -> str:
        return uuid5(NAMESPACE, f"{seed_of(self._state)}/{name}").hex


def seed_of(state: AutomationState) -> str:
    """Return what paper ids and randomness derive from: the seed, else the run key, else the id."""
    metadata = state.automation.metadata
    return metadata.seed or metadata.run_key or metadata.automation_id or ""
