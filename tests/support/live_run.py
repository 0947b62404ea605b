"""Invocations of an account in memory, as the job runs them: settle, catch up, act, keep the state."""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from engine.dsl import DataDependency
from engine.errors import RetryableError
from engine.job.account import InvocationAccount
from engine.job.services import Services
from engine.live.account import LiveAccount
from engine.live.guard.result import GuardResult, Mode
from engine.orders.account_protocols import Account, OrderRequest
from engine.state import AutomationState, ExchangeAccountElements, Intent, Order, Trade, load_state
from engine.types import ActionId, CallSite, Symbol
from tests.support.memory_exchange import MemoryExchange

Act = Callable[[LiveAccount], Any]


def live_state(kind: str = "spot", **account: Any) -> AutomationState:
    """A live automation; `account` are further parts of its account elements."""
    return load_state(
        {
            "schema_version": 1,
            "automation": {
                "metadata": {"automation_id": "test", "run_key": "run"},
                "exchange_account_elements": account,
            },
            "exchange_account_details": {
                "exchange_details": {"internal_name": "binance", "exchange_type": kind},
                "auth_details": {"credential_ref": "env:KEYS"},
            },
        }
    )


def keyed(call: str) -> Callable[[str], str]:
    """Keys of one call, as the engine makes them."""
    return lambda leg: uuid.uuid5(uuid.NAMESPACE_OID, f"{call}/{leg}").hex


def asked(kind: str, side: str, amount: str, symbol: str = "BTC/USDT", **fields: Any) -> OrderRequest:
    """An order as an operator asks for it; prices as texts."""
    prices = (name for name in ("price", "stop_price") if name in fields)
    fields |= {name: Decimal(fields[name]) for name in prices}
    order: dict[str, Any] = {"type": kind, "side": side, "symbol": Symbol(symbol), "amount": Decimal(amount)}
    return OrderRequest(**order, **fields)


class LiveRun:
    """An automation's account over several invocations; time is the exchange's clock.

    What a test looks at: `orders`, `trades`, `elements`; of the last invocation `follow_ups`, `settlement`,
    `watch_at`, and `requests`, all requests by name.
    """

    def __init__(self, exchange: MemoryExchange, *, state: AutomationState | None = None) -> None:
        self.exchange = exchange
        self.state = state or live_state()
        self.services = Services(live_exchange=exchange.open)
        self.pending: list[Intent] = []
        self.follow_ups: Sequence[Intent] = ()
        self.settlement = GuardResult()
        self.watch_at: float | None = None
        self.requests: Counter[str] = Counter()
        self._calls = 0

    async def invoke(
        self,
        act: Act | None = None,
        *,
        mode: Mode = Mode.SEND,
        needs: Sequence[DataDependency] = (),
        result_is_lost: bool = False,
    ) -> None:
        """Run one invocation; when its result is lost, only the exchange remembers it."""
        before = copy.deepcopy((self.state, self.pending))
        self.exchange.requests.clear()
        self.exchange.market.requests.clear()
        async with self.session() as session:
            self.settlement = await session.carry_out(self.pending, mode)
            await session.require(needs)
            self.follow_ups = session.take_follow_ups()
            planned = self._act(act, session.services[Account]) if act is not None else []
            session.sync_back()
            self.watch_at = session.watch_at
        self.requests = self.exchange.requests + self.exchange.market.requests
        self.pending = [*self.settlement.pending, *self.follow_ups, *planned]
        if result_is_lost:
            self.state, self.pending = before

    async def invoke_as_far_as_possible(self) -> None:
        """Run an invocation that cannot read: what was settled is kept, if anything could be."""
        async with self.session() as session:
            with suppress(RetryableError):
                self.pending = list((await session.carry_out(self.pending, Mode.SEND)).pending)
                await session.require(())
            session.sync_back()

    def session(self) -> InvocationAccount:
        """Open the next invocation's session."""
        return InvocationAccount(self.state, self.services, self.exchange.clock)

    async def place(self, request: OrderRequest) -> None:
        """Plan an order in one invocation and send it in the next, as every live effect goes."""
        needs = [DataDependency(request.symbol, None, "orders")]
        call = f"call {self._calls}"
        await self.invoke(lambda account: account.place(request, keyed(call)), needs=needs)
        await self.invoke(needs=needs)

    async def until_quiet(self) -> None:
        """Invoke as long as something is pending."""
        for _ in range(10):
            await self.invoke()
            if not self.pending:
                return
        raise AssertionError(f"still pending: {self.pending}")

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.exchange.clock += seconds

    @property
    def elements(self) -> ExchangeAccountElements:
        """The stored account."""
        elements = self.state.automation.exchange_account_elements
        assert elements is not None
        return elements

    @property
    def orders(self) -> list[Order]:
        """The automation's open orders."""
        return self.elements.orders.open_orders

    @property
    def trades(self) -> list[Trade]:
        """The automation's fills."""
        return self.elements.trades

    @property
    def sent(self) -> list[tuple[str, str | None]]:
        """All effects that reached the exchange: their kind, and the order that they are about."""
        return [(one.kind, one.client_id or one.params.get("id")) for one in self.exchange.sent]

    def _act(self, act: Act, account: Any) -> list[Intent]:
        self._calls += 1
        act(account)
        return [
            Intent(
                key=draft.key,
                action_id=ActionId("action"),
                call_site=CallSite("1"),
                leg=draft.leg,
                kind=draft.kind,
                params=dict(draft.params),
                planned_at=self.exchange.clock,
            )
            for draft in account.take_drafts()
        ]
