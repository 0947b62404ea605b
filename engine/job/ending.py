"""The end of an automation: what is under way is settled, open orders are cancelled, nothing else runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import cast

from engine.effects import effect_in_words
from engine.errors import RecordingEndedError
from engine.job.account import InvocationAccount
from engine.job.effects import describe, record
from engine.job.outcome import Journal
from engine.orders import ALL_ORDERS, Account
from engine.state import AutomationState, ExchangeAccountElements, Intent, Orders
from engine.types import EffectKey
from engine.values import format_decimal


async def wind_down(
    state: AutomationState,
    session: InvocationAccount,
    journal: Journal,
    *,
    settled: Collection[EffectKey],
    cancel: bool,
) -> bool:
    """Bring an automation nearer to its end; return whether it is reached.

    On a live account that takes several invocations: cancellations are effects, which one invocation plans
    and the next one sends. What no look-up settles is left to a person, and named.

    Args:
        state: of the automation; effects under way have been settled as far as they can be.
        session: its account.
        journal: takes what is left to a person.
        settled: keys of the effects that this invocation has settled, which are not planned again.
        cancel: whether open orders are to be cancelled.

    Raises:
        RetryableError: the exchange does not answer.
        PostponedError: the account cannot be used for longer.
    """
    if not state.is_live:
        if cancel and session.is_exposed:
            await _cancel_on_paper(session, journal)
        return True
    pending = state.automation.execution.pending_effects
    if any(intent.status != "unresolved" for intent in pending):
        return False
    if cancel and record(state, await _cancellations(session, journal, settled)):
        return False
    if not cancel:
        _warn_of_exits(state, journal)
    for intent in pending:
        journal.note(f"not settled, compare with the exchange: {describe(intent)} ({intent.key})")
    return True


def in_words(over: RecordingEndedError, state: AutomationState) -> str:
    """Return the summary of an automation whose recorded market has ended: when, and what is still open."""
    ended = datetime.fromtimestamp(over.ended_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    elements = state.automation.exchange_account_elements or ExchangeAccountElements()
    orders = [
        effect_in_words("create_order", order.model_dump(mode="json"))
        for order in elements.orders.open_orders
    ]
    positions = [
        f"{one.side} {format_decimal(one.amount)} {one.symbol}" for one in elements.positions if one.amount
    ]
    still_open = "; ".join([*orders, *positions]) or "nothing"
    return f"the recording ended at {ended}; still open: {still_open}"


def _warn_of_exits(state: AutomationState, journal: Journal) -> None:
    elements = state.automation.exchange_account_elements
    orders = elements.orders if elements is not None else Orders()
    waiting = len(orders.inactive_orders) + sum(len(order.chained) for order in orders.open_orders)
    if waiting:
        journal.note(f"exits that hang on open orders are not placed any more, when those fill: {waiting}")


async def _cancel_on_paper(session: InvocationAccount, journal: Journal) -> None:
    await session.require(())
    account = cast(Account, session.services[Account])
    if orders := account.open_orders():
        account.cancel(ALL_ORDERS, _no_key)
        journal.note(f"{len(orders)} open {'order was' if len(orders) == 1 else 'orders were'} cancelled")


def _no_key(leg: str) -> str:
    return leg  # cancellations on paper need no identity


async def _cancellations(
    session: InvocationAccount, journal: Journal, settled: Collection[EffectKey]
) -> Sequence[Intent]:
    await session.look_after()
    if exits := sum(intent.kind == "create_order" for intent in session.take_follow_ups()):
        journal.note(f"{exits} orders that follow from fills are not placed, since the automation stops")
    return [intent for intent in session.plan_cancel_all() if intent.key not in settled]
