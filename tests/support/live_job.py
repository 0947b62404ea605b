"""Jobs of automations with credentials, on an exchange that exists only in the test."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.job.outcome import InvocationOutcome
from engine.job.services import EngineSettings, Services
from engine.live.settings import Lease
from engine.state import TriggerReason
from tests.support.builders import NOW, Invoked, State, automation
from tests.support.memory_exchange import MemoryExchange

MAX_INVOCATIONS = 20
LEASE = 20.0
"""Seconds that an attempt may act: enough, and known, as in an activity."""


def live(state: State) -> State:
    """The same state with an account at an exchange, and the key of its run."""
    state["automation"]["metadata"] = {"automation_id": "test", "run_key": "run"}
    details = {
        "exchange_details": {"internal_name": "binance"},
        "auth_details": {"credential_ref": "env:KEYS"},
    }
    return {**state, "exchange_account_details": details}


class LiveRun(Invoked):
    """A live automation, its exchange, and a clock that both go by."""

    def __init__(
        self,
        *actions: dict[str, Any],
        exchange: MemoryExchange | None = None,
        settings: EngineSettings | None = None,
        **sections: Any,
    ) -> None:
        self.exchange = exchange or MemoryExchange()
        services = Services(
            live_exchange=self.exchange.open,
            lease=Lease(lambda: LEASE),
            settings=settings or EngineSettings(),
        )
        super().__init__(live(automation(*actions, **sections)), services)

    async def invoke(
        self, now: float = NOW, trigger: TriggerReason = TriggerReason.SCHEDULED, **request: Any
    ) -> InvocationOutcome:
        """Run one invocation at an instant of the market, which is the exchange's time too."""
        self.exchange.clock = now
        return await super().invoke(now, trigger, **request)

    async def settle(self, now: float = NOW, **request: Any) -> InvocationOutcome:
        """Invoke until nothing is due any more at an instant."""
        for _ in range(MAX_INVOCATIONS):
            outcome = await self.invoke(now, **request)
            if outcome.next_due_at is None or outcome.next_due_at > now:
                return outcome
        raise AssertionError(f"still due after {MAX_INVOCATIONS} invocations: {outcome}")

    @property
    def pending(self) -> list[dict[str, Any]]:
        """The effects that are planned or under way."""
        intents: list[dict[str, Any]] = self.state["automation"]["execution"].get("pending_effects", [])
        return intents

    @property
    def open_orders(self) -> list[dict[str, Any]]:
        """Open orders, as the state knows them."""
        elements = self.state["automation"].get("exchange_account_elements", {})
        orders: list[dict[str, Any]] = elements.get("orders", {}).get("open_orders", [])
        return orders

    @property
    def kinds_sent(self) -> list[str]:
        """Kinds of the effect requests that arrived, in order."""
        return [request.kind for request in self.exchange.sent]

    def held(self, asset: str) -> Decimal:
        """Total of an asset, as the state knows it."""
        content = self.state["automation"]["exchange_account_elements"]["portfolio"]["content"]
        return Decimal(content.get(asset, {}).get("total", "0"))
