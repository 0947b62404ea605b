"""Writes what became of effects into the account: at once, whatever is fetched afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from engine.errors import ActionStatus
from engine.exchange.effects import Applied, Cancelled, Dropped, Outcome, Placed, Refusal, Sent
from engine.exchange.groups import lives_alone
from engine.exchange.live.capabilities import Capabilities
from engine.exchange.live.catch_up import is_settled
from engine.exchange.live.exits import is_stop
from engine.exchange.live.legs import AGAIN, is_follow_up, originated, succeeding
from engine.exchange.live.planning import replacements_in
from engine.exchange.money import ZERO, to_decimal
from engine.state import ExchangeAccountElements, Order, Origin, Position, Transaction
from engine.state.account import Orders, OrderStatus
from engine.state.automation import Intent
from engine.types import Symbol


def apply_outcome(
    elements: ExchangeAccountElements, intent: Intent, outcome: Outcome, capabilities: Capabilities
) -> None:
    """Change an account as the outcome of an intent says.

    | outcome | becomes |
    |---|---|
    | placed, open | an open order |
    | placed, not open any more | a closing order: its fills are fetched |
    | cancelled, or nothing to cancel | a closing order: what filled of it is fetched |
    | a stop that follows, refused for the first time | an inactive order: the price may have passed it |
    | any other follow-up refused or dropped | a missing order, `rejected` or `expired` |
    | a follow-up's cancellation refused | an open order that is left to its owner |
    | leverage changed | a position that remembers it |
    | sent | a transaction |

    Args:
        elements: changed in place.
        intent: the effect.
        outcome: what became of it, for certain.
        capabilities: of the exchange, for the client order ids of what is placed again.
    """
    if (
        intent.kind == "create_order"
        and isinstance(outcome, Refusal)
        and _may_have_been_passed(intent, outcome)
    ):
        elements.orders.inactive_orders.append(succeeding(_planned(intent), AGAIN, capabilities))
    else:
        _APPLY[intent.kind](elements, intent, outcome)


def _create(elements: ExchangeAccountElements, intent: Intent, outcome: Outcome) -> None:
    order = _planned(intent)
    match outcome:
        case Placed(order=told):
            # What filled counts as soon as its trades are fetched.
            unfilled = {"filled": ZERO, "fee": None, "status": "open"}
            placed = originated(told, _origin(intent)).model_copy(update=unfilled)
            _forget(elements, placed.client_order_id)
            orders = elements.orders
            (orders.open_orders if told.status == "open" else orders.closing_orders).append(placed)
        case Refusal():
            _miss(elements, intent, order, "rejected")
        case Dropped():
            _miss(elements, intent, order, "expired")


def _cancel(elements: ExchangeAccountElements, intent: Intent, outcome: Outcome) -> None:
    order = find_order(elements.orders.open_orders, intent.params)
    if order is None:
        return
    nothing_there = isinstance(outcome, Refusal) and outcome.status is ActionStatus.ORDER_NOT_FOUND
    if isinstance(outcome, Cancelled) or nothing_there:
        elements.orders.open_orders.remove(order)
        order.chained = replacements_in(intent) or order.chained
        # A cancellation that its owner asked for is no news; any other one is looked up and told.
        order.status = "canceled" if not is_follow_up(intent.leg) else "open"
        elements.orders.closing_orders.append(order)
    elif isinstance(outcome, Refusal) and is_follow_up(intent.leg):
        # Asking again would be refused again: from here on nothing is done about this order.
        order.group = order.cancel_policy = None


def _set_leverage(elements: ExchangeAccountElements, intent: Intent, outcome: Outcome) -> None:
    if not isinstance(outcome, Applied):
        return
    symbol, leverage = Symbol(intent.params["symbol"]), to_decimal(intent.params["leverage"])
    held = next((one for one in elements.positions if one.symbol == symbol), None)
    if held is not None:
        held.leverage = leverage
    else:
        elements.positions.append(_remembered(symbol, leverage))


def _withdraw(elements: ExchangeAccountElements, _intent: Intent, outcome: Outcome) -> None:
    if isinstance(outcome, Sent):
        known: list[Transaction] = elements.transactions
        if all(one.txid != outcome.transaction.txid for one in known):
            known.append(outcome.transaction)


_APPLY: Final[Mapping[str, Callable[[ExchangeAccountElements, Intent, Outcome], None]]] = MappingProxyType(
    {
        "create_order": _create,
        "cancel_order": _cancel,
        "set_leverage": _set_leverage,
        "withdraw": _withdraw,
    }
)


def _may_have_been_passed(intent: Intent, refusal: Refusal) -> bool:
    """Whether a stop may have been refused because its price came before it did; that is believed once."""
    is_new = is_follow_up(intent.leg) and f"/{AGAIN}" not in intent.leg
    return is_new and refusal.status is ActionStatus.INVALID_ORDER and "stop_price" in intent.params


def is_obsolete(intent: Intent, orders: Orders) -> bool:
    """Whether a follow-up that was never sent makes no sense any more.

    The order that it cancels has left the book, or the group of the exit that it places is over.
    """
    if intent.status != "planned" or intent.tries or not is_follow_up(intent.leg):
        return False
    if intent.kind == "cancel_order":
        return find_order(orders.open_orders, intent.params) is None
    group = intent.params.get("group")
    ended = [order for order in orders.closing_orders if is_settled(order) and order.group == group]
    return group is not None and any(is_stop(order) or not lives_alone(order) for order in ended)


def find_order(orders: list[Order], params: Mapping[str, Any]) -> Order | None:
    """Return the order that the parameters of a cancellation name."""
    ids = {params.get("id"), params.get("client_order_id")} - {None}
    return next((order for order in orders if {order.id, order.client_order_id} & ids), None)


def _planned(intent: Intent) -> Order:
    """Return the order of an intent, in the name of its call."""
    return originated(Order.model_validate(intent.params), _origin(intent))


def _origin(intent: Intent) -> Origin:
    return Origin(action_id=intent.action_id, call_site=intent.call_site, leg=intent.leg)


def _forget(elements: ExchangeAccountElements, client_order_id: str | None) -> None:
    """Take an order out of the book that is about to enter it: an outcome may be told twice."""
    orders = elements.orders
    for book in (orders.open_orders, orders.closing_orders, orders.inactive_orders):
        book[:] = [order for order in book if order.client_order_id != client_order_id]


def _miss(elements: ExchangeAccountElements, intent: Intent, order: Order, status: OrderStatus) -> None:
    """Tell of a follow-up that is not going to be; what a call planned is told to the call instead."""
    if is_follow_up(intent.leg):
        elements.orders.missing_orders.append(order.model_copy(update={"status": status}))


def _remembered(symbol: Symbol, leverage: Decimal) -> Position:
    """Return a position that holds nothing and only remembers a leverage."""
    return Position(symbol=symbol, side="long", amount=ZERO, entry_price=ZERO, leverage=leverage)
