"""Scripts on a paper account whose market a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.dsl import Defaults, Done, DSLExecutor, ScriptContext, compile_script
from engine.market import MarketSource, as_one_script_sees
from engine.operators import default_registry
from engine.paper.context import PaperContext
from engine.state import ExchangeAccountElements, Order, Trade

NOW = 1_700_006_400.0


@dataclass(frozen=True, slots=True)
class PaperRun:
    """The value of a script, and the account after it."""

    value: Any
    elements: ExchangeAccountElements

    @property
    def orders(self) -> list[Order]:
        """Open orders."""
        return self.elements.orders.open_orders

    @property
    def trades(self) -> list[Trade]:
        """All fills."""
        return self.elements.trades


def holding(portfolio: Mapping[str, Any]) -> ExchangeAccountElements:
    """An account with these totals, all available."""
    content = {asset: {"available": total, "total": total} for asset, total in portfolio.items()}
    return ExchangeAccountElements.model_validate({"portfolio": {"content": content}})


async def run_script(
    text: str,
    source: MarketSource,
    account: Mapping[str, Any] | ExchangeAccountElements,
    *,
    defaults: Defaults = Defaults(),
    now: float = NOW,
) -> PaperRun:
    """Run one script in an invocation of its own, on holdings or on the account that an earlier run left."""
    script = compile_script(text, default_registry())
    elements = account if isinstance(account, ExchangeAccountElements) else holding(account)
    async with PaperContext(elements, source=source, now=now, ids=lambda name: name) as exchange:
        dependencies = script.dependencies(defaults)
        await exchange.require(dependencies)
        services = as_one_script_sees(exchange.services(), dependencies)
        context = ScriptContext(now=now, defaults=defaults, services=services, key_prefix=f"run/0/{text}")
        outcome = await DSLExecutor(script, context).run()
        assert isinstance(outcome, Done)
        return PaperRun(outcome.value, exchange.sync_back()[0])
