"""Exits on a real exchange: runs that have bought, and what stands and what waits then."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from engine.market.market import Market
from engine.orders.exits import Exits, TakeProfit
from engine.types import Asset, Symbol
from tests.support.live_run import LiveRun, asked, live_state
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC

FUTURE = Symbol("BTC/USDT:USDT")
STOP, PROFIT, FURTHER = Decimal(45_000), Decimal(55_000), Decimal(60_000)


def exits(*profits: Decimal, stop: Decimal | None = STOP, **options: Any) -> Exits:
    """A stop, and take-profits with equal shares."""
    shares = [TakeProfit(price, Fraction(1, len(profits))) for price in profits]
    return Exits(stop=stop, take_profits=tuple(shares), **options)


ONE_OF_EACH = exits(PROFIT)
TWO_PROFITS = exits(PROFIT, FURTHER)


async def bought(plan: Exits, symbol: Symbol = BTC, **options: Any) -> LiveRun:
    """A run whose market buy of 1 BTC at 50,000 has filled, and whose exits are where they belong."""
    markets = [Market(FUTURE, Asset("BTC"), Asset("USDT"), kind="future")] if symbol == FUTURE else []
    held = {"USDT": 100_000, "BTC": 10} if symbol == FUTURE else {"USDT": 100_000}
    exchange = MemoryExchange({symbol: 50_000}, held, markets=markets)
    run = LiveRun(exchange, state=live_state("future" if symbol == FUTURE else "spot"))
    await run.place(asked("market", "buy", "1", symbol, exits=plan, **options))
    await run.until_quiet()
    return run


def standing(run: LiveRun) -> list[tuple[str, str, Decimal]]:
    """Type, price and amount of what is in the book, as the exchange has it."""
    return [
        (str(report.kind), f"{report.price or report.stop_price}", report.amount - report.filled)
        for report in run.exchange.orders.values()
        if report.status == "open"
    ]


def waiting(run: LiveRun) -> list[tuple[str, str, Decimal]]:
    """The same of the exits that wait for their price."""
    return [
        (order.type, f"{order.price or order.stop_price}", order.amount)
        for order in run.elements.orders.inactive_orders
    ]


def names(intents: Any) -> list[tuple[str, str]]:
    """What intents do, and the legs that they are named by."""
    return [(intent.kind, intent.leg) for intent in intents]
