"""Writes what became of effects into the account: at once, whatever is fetched afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Applied, Cancelled, Dropped, Outcome, Placed, Refusal, Sent
from engine.errors import ActionStatus
from engine.exchanges import Capabilities
from engine.live.books.follow_up_intents import find_order, replacements_in
from engine.live.books.names import INSTEAD, originated, succeeding
from engine.money import ZERO, to_decimal
from engine.orders import flat_position
from engine.state import ExchangeAccountElements, Intent, Order, Origin
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
    | the same, of an order whose place others wait for | these are forgotten if that was asked for |
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
    _Books(elements, capabilities).write(intent, outcome)


@dataclass(frozen=True, slots=True)
class _Books:
    """An account that outcomes are written into."""

    elements: ExchangeAccountElements
    capabilities: Capabilities

    def write(self, intent: Intent, outcome: Outcome) -> None:
        {
            "create_order": self._create,
            "cancel_order": self._cancel,
            "set_leverage": self._set_leverage,
            "withdraw": self._withdraw,
        }[intent.kind](intent, outcome)

    def _create(self, intent: Intent, outcome: Outcome) -> None:
        orders = self.elements.orders
        match outcome:
            case Placed(order=told):
                # What filled counts as soon as its trades are fetched.
                unfilled = {"filled": ZERO, "fee": None, "status": "open"}
                placed = originated(told, _origin(intent)).model_copy(update=unfilled)
                self._forget(placed.client_order_id)
                (orders.open_orders if told.status == "open" else orders.closing_orders).append(placed)
            case Refusal() if _may_have_been_passed(intent, outcome):
                orders.inactive_orders.append(succeeding(_planned(intent), INSTEAD, self.capabilities))
            case Refusal() | Dropped() if intent.is_follow_up:
                # What a call planned is told to the call instead.
                status = "rejected" if isinstance(outcome, Refusal) else "expired"
                orders.missing_orders.append(_planned(intent).model_copy(update={"status": status}))

    def _cancel(self, intent: Intent, outcome: Outcome) -> None:
        orders = self.elements.orders
        order = find_order(orders.open_orders, intent.params)
        nothing_there = isinstance(outcome, Refusal) and outcome.status is ActionStatus.ORDER_NOT_FOUND
        is_gone = isinstance(outcome, Cancelled) or nothing_there
        if is_gone:
            forgotten = intent.params.get("forgets", ())
            orders.inactive_orders = [one for one in orders.inactive_orders if one.id not in forgotten]
        if order is None:
            return
        if is_gone:
            orders.open_orders.remove(order)
            order.chained = replacements_in(intent) or order.chained
            # A cancellation that its owner asked for is no news; any other one is looked up and told.
            order.status = "canceled" if not intent.is_follow_up else "open"
            orders.closing_orders.append(order)
        elif isinstance(outcome, Refusal) and intent.is_follow_up:
            # Asking again would be refused again: from here on nothing is done about this order.
            order.group = order.cancel_policy = None

    def _set_leverage(self, intent: Intent, outcome: Outcome) -> None:
        if not isinstance(outcome, Applied):
            return
        symbol, leverage = Symbol(intent.params["symbol"]), to_decimal(intent.params["leverage"])
        positions = self.elements.positions
        held = next((one for one in positions if one.symbol == symbol), None)
        if held is not None:
            held.leverage = leverage
        else:
            positions.append(flat_position(symbol, leverage))

    def _withdraw(self, _intent: Intent, outcome: Outcome) -> None:
        known = self.elements.transactions
        if isinstance(outcome, Sent) and all(one.txid != outcome.transaction.txid for one in known):
            known.append(outcome.transaction)

    def _forget(self, client_order_id: str | None) -> None:
        """Take an order out of the books that is about to enter one: an outcome may be told twice."""
        orders = self.elements.orders
        for book in (orders.open_orders, orders.closing_orders, orders.inactive_orders):
            book[:] = [order for order in book if order.client_order_id != client_order_id]


def _may_have_been_passed(intent: Intent, refusal: Refusal) -> bool:
    """Whether a stop may have been refused because its price came before it did; that is believed once."""
    is_new = intent.is_follow_up and f"/{INSTEAD}" not in intent.leg
    return is_new and refusal.status is ActionStatus.INVALID_ORDER and "stop_price" in intent.params


def _planned(intent: Intent) -> Order:
    """Return the order of an intent, in the name of its call."""
    return originated(Order.model_validate(intent.params), _origin(intent))


def _origin(intent: Intent) -> Origin:
    return Origin(action_id=intent.action_id, call_site=intent.call_site, leg=intent.leg)
