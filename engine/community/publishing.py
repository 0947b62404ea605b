"""Publishes what a leader did, for those that follow it; a failure of this costs the leader nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.community.models import (
    MAX_ASSETS,
    MAX_ORDERS,
    LeaderSnapshot,
    LogEntry,
    SignalAsset,
    SignalOrder,
)
from engine.community.protocols import CommunityAuthenticatorFactory
from engine.errors import OctoflowError
from engine.market import MarketData
from engine.state import AutomationState, ExchangeAccountDetails, ExchangeAccountElements, Order
from engine.types import Asset

DEFAULT_UNIT: Final = Asset("USDT")
RATIO_STEP: Final = Decimal("0.000001")
"""A millionth of the account: finer than what any market lets followers copy."""


async def publish_snapshot(
    state: AutomationState,
    changed: Sequence[str],
    community: CommunityAuthenticatorFactory,
    market: MarketData | None,
) -> str | None:
    """Publish the account of a leader behind an invocation that changed it.

    Args:
        state: with the account elements of this invocation.
        changed: names of the account elements that the invocation changed.
        community: where to publish.
        market: prices of the invocation, which give assets their share of the account.

    Returns:
        What a person should know, when it could not be published. Nothing is ever raised, not even when the
        invocation is cancelled meanwhile.
    """
    automation, details = state.automation, state.exchange_account_details
    elements = automation.exchange_account_elements
    if not (automation.metadata.emit_signals and changed) or details is None or elements is None:
        return None
    try:
        snapshot = leader_snapshot(state, details, await _worths(elements, market, _unit(state, details)))
        async with community.session(details.auth_details) as session:
            await session.signals.publish(snapshot)
            await session.logs.append([_log_entry(snapshot, changed)])
    except OctoflowError as error:
        return f"the snapshot was not published: {error}"
    except (Exception, asyncio.CancelledError) as error:
        # Whatever happens here, what the leader did must not be lost with it: a worker that is asked to end
        # in the middle of this has the state at hand, and only has to return it.
        return f"the snapshot was not published: {type(error).__name__}"
    return None


def leader_snapshot(
    state: AutomationState, details: ExchangeAccountDetails, worths: Mapping[Asset, Decimal]
) -> LeaderSnapshot:
    """Return what a leader publishes of its account.

    Args:
        state: of the leader.
        details: its account.
        worths: value of one unit of each asset whose price is known.
    """
    metadata, execution = state.automation.metadata, state.automation.execution
    elements = state.automation.exchange_account_elements or ExchangeAccountElements()
    assets, orders = _assets(elements, worths), _orders(elements, worths)
    automation_id = metadata.automation_id or ""
    return LeaderSnapshot(
        strategy=metadata.strategy_id or automation_id,
        strategy_version=metadata.strategy_version,
        automation_id=automation_id,
        iteration=execution.iteration,
        at=execution.current_execution.triggered_at,
        exchange=details.exchange_details.internal_name or "",
        unit=_unit(state, details),
        assets=assets[:MAX_ASSETS],
        open_orders=orders[-MAX_ORDERS:],
        left_out=max(0, len(assets) - MAX_ASSETS) + max(0, len(orders) - MAX_ORDERS),
    )


def _assets(elements: ExchangeAccountElements, worths: Mapping[Asset, Decimal]) -> list[SignalAsset]:
    """Return the assets by their share, the largest first, those without a price last."""
    total = _account_value(elements, worths)
    held = {asset: balance.total for asset, balance in elements.portfolio.content.items() if balance.total}
    assets = [
        SignalAsset(asset=asset, ratio=_ratio(amount * worths[asset], total) if asset in worths else None)
        for asset, amount in held.items()
    ]
    return sorted(assets, key=lambda one: (one.ratio is None, -(one.ratio or 0)))


def _orders(elements: ExchangeAccountElements, worths: Mapping[Asset, Decimal]) -> list[SignalOrder]:
    total = _account_value(elements, worths)
    return [
        SignalOrder(
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            ratio=_ratio(worth, total) if (worth := _worth(order, worths)) is not None else None,
            price=order.price,
            stop_price=order.stop_price,
            reduce_only=order.reduce_only,
        )
        for order in elements.orders.open_orders
    ]


def _worth(order: Order, worths: Mapping[Asset, Decimal]) -> Decimal | None:
    unit_worth = worths.get(Asset(order.symbol.partition("/")[0]))
    return None if unit_worth is None else order.remaining * unit_worth


def _account_value(elements: ExchangeAccountElements, worths: Mapping[Asset, Decimal]) -> Decimal:
    content = elements.portfolio.content
    values = (balance.total * worths[asset] for asset, balance in content.items() if asset in worths)
    return sum(values, Decimal(0))


def _ratio(value: Decimal, total: Decimal) -> Decimal | None:
    return (value / total).quantize(RATIO_STEP) if total > 0 else None


async def _worths(
    elements: ExchangeAccountElements, market: MarketData | None, unit: Asset
) -> dict[Asset, Decimal]:
    """Return the value of one unit of each asset of the account, as far as there are prices."""
    if market is None:
        return {}
    held = [asset for asset, balance in elements.portfolio.content.items() if balance.total]
    traded = [Asset(order.symbol.partition("/")[0]) for order in elements.orders.open_orders]
    assets = list(dict.fromkeys([*held, *traded]))
    await market.load_prices(assets, unit)
    found = {asset: market.value(Decimal(1), asset, unit) for asset in assets}
    return {asset: worth for asset, worth in found.items() if worth is not None}


def _unit(state: AutomationState, details: ExchangeAccountDetails) -> Asset:
    symbol = state.automation.defaults.symbol
    quote = symbol.partition("/")[2].partition(":")[0] if symbol else ""
    return details.portfolio.unit or Asset(quote or DEFAULT_UNIT)


def _log_entry(snapshot: LeaderSnapshot, changed: Sequence[str]) -> LogEntry:
    return LogEntry(
        strategy=snapshot.strategy,
        automation_id=snapshot.automation_id,
        iteration=snapshot.iteration,
        at=snapshot.at,
        text=f"changed: {', '.join(changed)}",
    )
