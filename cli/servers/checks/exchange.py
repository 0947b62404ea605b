"""Checks of an exchange: what it can do, how often it may be asked, the limits of its markets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from cli.servers.checks.finding import Check, Finding, failed, ok, warning
from engine.exchanges import Client, capabilities_of, close_client, make_client
from engine.market import Market, MarketSource
from engine.state import ExchangeDetails
from engine.types import Symbol
from engine.values import format_decimal

MILLISECONDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PublicSide:
    """An exchange as everybody sees it.

    Attributes:
        details: which exchange.
        symbols: those that the automation trades, as far as they are known before it runs.
        source: its public data.
        client: knows what ccxt knows about it; without credentials.
    """

    details: ExchangeDetails
    symbols: Collection[Symbol]
    source: MarketSource
    client: Client

    @property
    def name(self) -> str:
        """Name of the exchange, for texts."""
        return self.details.internal_name or ""


@asynccontextmanager
async def public_side(
    details: ExchangeDetails,
    symbols: Collection[Symbol],
    open_source: Callable[[ExchangeDetails], MarketSource],
) -> AsyncIterator[PublicSide]:
    """Open the public side of an exchange.

    Raises:
        ConfigurationError: ccxt does not know it, or it has no sandbox.
    """
    client = make_client(details)
    source = open_source(details)
    try:
        yield PublicSide(details, symbols, source, client)
    finally:
        await source.close()
        await close_client(client)


async def _abilities(exchange: PublicSide) -> Sequence[Finding]:
    able = capabilities_of(exchange.name)
    if not able.can_look_up:
        return [
            warning(
                f"{exchange.name} gives no certain way to look an order up by its client id: when the answer "
                "to an order is lost, a person has to say whether it exists",
                "Keep an eye on `octoflow show`; `octoflow resolve` settles such an order.",
            )
        ]
    one = "one by one" if able.finds_by_client_id else "in the order history"
    late = "expire" if able.signatures_expire else "do not expire, so that look-ups wait a minute"
    bought = "; market buys are counted in quote" if able.market_buys_by_cost else ""
    return [ok(f"orders are found by their client id, {one}; signed requests {late}{bought}")]


async def _stops(exchange: PublicSide) -> Sequence[Finding]:
    able, kind = capabilities_of(exchange.name), exchange.details.exchange_type
    if able.native_stops(kind, exchange.client.features):
        return [ok(f"{exchange.name} watches stop prices itself, also while no worker runs")]
    return [
        warning(
            f"{exchange.name} does not watch stop prices on {kind} markets: "
            "stop_loss(…) and stop_loss_price end with unsupported_stop_order",
            "Leave stops out of the automation, or trade on an exchange that has them.",
        )
    ]


async def _rate_limit(exchange: PublicSide) -> Sequence[Finding]:
    a_second = MILLISECONDS / float(exchange.client.rateLimit)
    return [
        ok(
            f"{exchange.name} takes about {a_second:.3g} requests a second from one address, "
            "of all automations together"
        )
    ]


async def _markets(exchange: PublicSide) -> Sequence[Finding]:
    markets = await exchange.source.markets(missing=exchange.symbols)
    if not exchange.symbols:
        return [ok(f"{len(markets):,} markets")]
    return list(_limits(exchange, markets))


def _limits(exchange: PublicSide, markets: Mapping[Symbol, Market]) -> Iterator[Finding]:
    for symbol in exchange.symbols:
        market = markets.get(symbol)
        if market is not None:
            yield ok(f"{symbol}: {_in_words(market)}")
            continue
        near = ", ".join(get_close_matches(symbol, markets, 3))
        advice = f"Did you mean {near}?" if near else "Correct the symbol in the automation."
        kind = exchange.details.exchange_type
        yield failed(f"{exchange.name} has no {kind} market {symbol}", advice)


def _in_words(market: Market) -> str:
    least = [
        f"{format_decimal(bound)} {asset}"
        for bound, asset in ((market.amount.minimum, market.base), (market.cost.minimum, market.quote))
        if bound
    ]
    smallest = f"at least {' and '.join(least)} an order" if least else "no smallest order"
    amount, price = format_decimal(market.amount_tick), format_decimal(market.price_tick)
    maker, taker = format_decimal(market.maker * 100), format_decimal(market.taker * 100)
    steps = f"amounts in steps of {amount} {market.base}, prices of {price} {market.quote}"
    return f"{smallest}; {steps}; fees {maker} % as maker, {taker} % as taker"


CHECKS: Final[Sequence[Check[PublicSide]]] = (
    Check("look-ups", _abilities),
    Check("stops", _stops),
    Check("rate limit", _rate_limit),
    Check("markets", _markets),
)
