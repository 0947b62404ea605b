"""Runs a script to its end, on paper, in time that passes by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from engine.dsl import (
    Defaults,
    Directive,
    Done,
    DSLExecutor,
    Notify,
    OperatorRegistry,
    OperatorSet,
    ScriptContext,
    StopAutomation,
    Waiting,
    compile_script,
)
from engine.errors import DslError
from engine.market import MarketSource, as_one_script_sees
from engine.operators import default_registry
from engine.orders import Account
from engine.paper import PaperContext
from engine.state import ExchangeAccountElements, Order, Trade
from engine.types import Asset, Seconds, Timestamp
from octoflow.testing.memory_market import NOW, MemoryMarket
from octoflow.testing.planning import PlanningAccount

MAX_WAITS = 1_000


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script came to.

    Attributes:
        value: its value; money as `Decimal`, series as numpy arrays.
        waits: how long each of its suspensions lasted, in seconds.
        ended_at: when it was done, UNIX seconds.
        holdings: totals of the account by asset, what orders lock included.
        orders: those that are open.
        trades: fills, oldest first.
        notes: what it told the user.
        stops: whether it asked for the automation's end.
    """

    value: Any
    waits: tuple[Seconds, ...]
    ended_at: Timestamp
    holdings: Mapping[str, Decimal]
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    notes: tuple[str, ...]
    stops: bool


def registry_with(*sets: OperatorSet) -> OperatorRegistry:
    """Return the default operators and those of some sets; installed ones count once."""
    known = default_registry().sets()
    return OperatorRegistry([*known, *(one for one in sets if not any(one is other for other in known))])


def evaluate(
    script: str,
    *sets: OperatorSet,
    market: MarketSource | None = None,
    holdings: Mapping[str, Decimal | str | float] | None = None,
    now: Timestamp = NOW,
    symbol: str | None = None,
    time_frame: str | None = None,
) -> Any:
    """Return the value of a script; the parameters are those of `run_script`.

    Raises:
        DslError: see `run_script`.
    """
    return run_script(
        script, *sets, market=market, holdings=holdings, now=now, symbol=symbol, time_frame=time_frame
    ).value


def run_script(
    script: str,
    *sets: OperatorSet,
    market: MarketSource | None = None,
    holdings: Mapping[str, Decimal | str | float] | None = None,
    now: Timestamp = NOW,
    symbol: str | None = None,
    time_frame: str | None = None,
    plans: bool = False,
    max_waits: int = MAX_WAITS,
) -> Ran:
    """Run a script to its end, as one action of an automation; when it waits, time goes on at once.

    Each time, the script goes on from its JSON form in a fresh interpreter, as it would on another machine,
    and orders fill where the market reached them meanwhile.

    Args:
        script: what to run.
        *sets: operators that it may call besides the built-in and the installed ones.
        market: prices and candles; without one and without holdings, there is no exchange.
        holdings: totals of the simulated account by asset, all of it available.
        now: UNIX seconds (market time) at which it begins.
        symbol: the automation's own market.
        time_frame: the automation's own time frame.
        plans: whether effects are planned first and carried out in the next invocation, as on a live account.
        max_waits: suspensions after which the test fails.

    Raises:
        DslError: the script is wrong, or failed; an `OperatorError` has the `status` of the action.
        ConfigurationError: the market cannot give what the script asks for.
        AssertionError: it still waits after `max_waits` suspensions.
        RuntimeError: an event loop is running already; call it from a test that is not `async`.
    """
    exchange = (market or MemoryMarket()) if market is not None or holdings is not None else None
    run = _Run(script, registry_with(*sets), Defaults(symbol, time_frame), exchange, plans=plans)
    return asyncio.run(run.to_end(_account(holdings or {}), now, max_waits))


class _Run:
    """One script on its way through its suspensions."""

    def __init__(
        self,
        script: str,
        registry: OperatorRegistry,
        defaults: Defaults,
        source: MarketSource | None,
        *,
        plans: bool,
    ) -> None:
        self._script = compile_script(script, registry)
        self._defaults = defaults
        self._source = source
        self._plans = PlanningAccount() if plans else None
        self._directives: list[Directive] = []

    async def to_end(self, elements: ExchangeAccountElements, now: Timestamp, max_waits: int) -> Ran:
        waits: list[Seconds] = []
        suspension: dict[str, Any] | None = None
        while True:
            outcome, elements = await self._invoke(elements, now, len(waits), suspension)
            self._directives += outcome.directives
            if isinstance(outcome, Done):
                if self._plans is not None and self._plans.has_planned:
                    raise DslError("an operator planned effects and did not wait for them: nothing is sent")
                return self._ran(outcome.value, waits, now, elements)
            if len(waits) == max_waits:
                raise AssertionError(f"{outcome.recall.keyword}() still waits after {max_waits} waits")
            suspension = json.loads(json.dumps(outcome.suspension))
            waits.append(outcome.recall.waiting_time)
            now += outcome.recall.waiting_time

    async def _invoke(
        self,
        elements: ExchangeAccountElements,
        now: Timestamp,
        number: int,
        suspension: dict[str, Any] | None,
    ) -> tuple[Done | Waiting, ExchangeAccountElements]:
        if self._source is None:
            return await self._execute({}, now, number, suspension), elements
        exchange = PaperContext(elements, source=self._source, now=now, ids=lambda name: name)
        dependencies = self._script.dependencies(self._defaults)
        await exchange.require(dependencies)
        services = dict(as_one_script_sees(exchange.services(), dependencies))
        if self._plans is not None:
            self._plans.carry_out(cast("Account", services[Account]), suspension)
            services[Account] = self._plans
        outcome = await self._execute(services, now, number, suspension)
        return outcome, exchange.sync_back()[0]

    async def _execute(
        self,
        services: Mapping[type, object],
        now: Timestamp,
        number: int,
        suspension: dict[str, Any] | None,
    ) -> Done | Waiting:
        context = ScriptContext(
            now=now,
            defaults=self._defaults,
            seed="test",
            key_prefix=f"test/{number}/script",
            services=services,
        )
        return await DSLExecutor(self._script, context).run(suspension)

    def _ran(
        self, value: Any, waits: list[Seconds], ended_at: Timestamp, elements: ExchangeAccountElements
    ) -> Ran:
        return Ran(
            value=value,
            waits=tuple(waits),
            ended_at=ended_at,
            holdings={asset: balance.total for asset, balance in elements.portfolio.content.items()},
            orders=tuple(elements.orders.open_orders),
            trades=tuple(elements.trades),
            notes=tuple(one.text for one in self._directives if isinstance(one, Notify)),
            stops=any(isinstance(one, StopAutomation) for one in self._directives),
        )


def _account(holdings: Mapping[str, Decimal | str | float]) -> ExchangeAccountElements:
    content = {
        Asset(asset): {"available": str(total), "total": str(total)} for asset, total in holdings.items()
    }
    return ExchangeAccountElements.model_validate({"portfolio": {"content": content}})
