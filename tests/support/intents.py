"""Effects for tests: an intent in one line, and a guard that carries it out on an exchange in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.effects.intents import Outcome
from engine.live.guard.guard import NOTHING_RESOLVED, EffectGuard
from engine.live.guard.result import GuardResult, Mode
from engine.live.settings import Lease, LiveSettings
from engine.state import Intent, Order
from tests.support.builders import NOW
from tests.support.memory_exchange import MemoryExchange

SETTINGS = LiveSettings()
FENCE = SETTINGS.receive_window + SETTINGS.fence_margin
RESERVE = SETTINGS.receive_window + SETTINGS.zombie_margin

_BUY = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "amount": "0.01", "price": "40000"}


def order(key: str = "k1", **fields: Any) -> Order:
    """A limit buy of 0.01 BTC at 40,000 that waits for its price, under a key."""
    return Order.model_validate({**_BUY, "id": key, "client_order_id": key, **fields})


def market_order(key: str = "k1", **fields: Any) -> Order:
    """A market buy of 0.01 BTC."""
    return order(key, type="market", price=None, **fields)


def intent(kind: str, params: Mapping[str, Any], *, key: str = "k1", **fields: Any) -> Intent:
    """An effect of the action `buy`, planned now."""
    common = {"action_id": "buy", "call_site": "0", "leg": "0", "planned_at": NOW}
    return Intent.model_validate({**common, "key": key, "kind": kind, "params": dict(params), **fields})


def create(planned: Order | None = None, **fields: Any) -> Intent:
    """An order to create; its key is the order's client id."""
    planned = planned or order()
    params = planned.model_dump(mode="json", exclude_defaults=True)
    return intent("create_order", params, key=planned.client_order_id or "", **fields)


def cancel(order_id: str, *, key: str = "c1", **fields: Any) -> Intent:
    """An order to cancel."""
    return intent("cancel_order", {"id": order_id, "symbol": "BTC/USDT"}, key=key, **fields)


def tried(at: float = NOW) -> dict[str, Any]:
    """The fields of an effect that was sent once."""
    return {"status": "tried", "sent_at": at, "tries": 1}


def unresolved(at: float | None = NOW) -> dict[str, Any]:
    """The fields of an effect that needs a person; without a time, something else is under its key."""
    return {"status": "unresolved", "sent_at": at, "tries": 1}


class Guarded:
    """An exchange in memory behind a guard whose lease lasts as long as a test says."""

    def __init__(self, exchange: MemoryExchange | None = None, *, approval: bool = False) -> None:
        self.exchange = exchange or MemoryExchange()
        self.approval = approval
        self.lease_left = 100.0

    async def carry_out(
        self,
        *intents: Intent,
        mode: Mode = Mode.SEND,
        now: float | None = None,
        resolved: Mapping[str, bool] = NOTHING_RESOLVED,
    ) -> GuardResult:
        """Run one round, at the exchange's time unless told otherwise."""
        guard = EffectGuard(
            self.exchange.api,
            settings=SETTINGS,
            lease=Lease(lambda: self.lease_left),
            now=self.exchange.clock if now is None else now,
            approval_required=self.approval,
        )
        return await guard.carry_out(intents, mode, resolved=resolved)

    async def outcome(self, one: Intent, **options: Any) -> Outcome:
        """Run one round of an intent that it must settle."""
        settlement = await self.carry_out(one, **options)
        assert not settlement.pending, settlement
        return settlement.settled[0].outcome

    async def left(self, one: Intent, **options: Any) -> Intent:
        """Run one round of an intent that it must not settle."""
        settlement = await self.carry_out(one, **options)
        assert not settlement.settled, settlement
        return settlement.pending[0]

    @property
    def placed(self) -> list[str | None]:
        """The client ids of all orders that the exchange has."""
        return [report.client_order_id for report in self.exchange.orders.values()]
