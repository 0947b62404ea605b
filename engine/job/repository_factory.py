"""`ExchangeRepositoryFactory`: the one place that chooses between a simulated and a live account."""

from __future__ import annotations

from engine.errors import ConfigurationError
from engine.job.services import Services
from engine.live import LiveRepositories
from engine.market import MarketSource
from engine.state import ExchangeAccountDetails


class ExchangeRepositoryFactory:
    """Opens what the data of an account is read from; whoever gets it closes it.

    Args:
        services: how exchanges are opened.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def create(self, details: ExchangeAccountDetails) -> MarketSource | LiveRepositories:
        """Return the repositories of a live account, or the market of a simulated one.

        There is no other switch than the credentials. What a simulated account has besides its market is in
        the state.

        Raises:
            ConfigurationError: the account cannot be opened as configured.
        """
        if details.is_simulated:
            return self._services.market_source(details.exchange_details)
        if details.exchange_details.recorded is not None:
            raise ConfigurationError(
                "a recorded market has no account: remove `credentials` to simulate the automation on it, or "
                "`recorded` to trade on the exchange",
                code="recorded_with_credentials",
            )
        settings = self._services.settings.live
        if (length := self._services.lease.length) <= settings.reserve:
            raise ConfigurationError(
                f"another worker may take over after {length:g} s of silence, and nothing is sent in the last"
                f" {settings.reserve:g} s before that: make the heartbeat timeout longer",
                code="lease_too_short",
            )
        exchange = self._services.live_exchange(details, settings)
        return LiveRepositories.of(exchange, details.exchange_details.exchange_type)
