"""Intents of follow-ups: planned in the name of the call that the order came from, and approved with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.exchanges import Capabilities
from engine.live.books.catch_up import is_settled
from engine.live.books.exits_in_one_book import is_stop
from engine.live.books.names import AGAIN, CANCEL, follow_up_key, named, next_leg
from engine.orders import lives_alone
from engine.state import EffectKind, Intent, Order, Orders, Origin
from engine.types import EffectKey, Timestamp


def creation(order: Order, now: Timestamp) -> Intent:
    """Return the intent to place an order that follows from another one; its id is still its key."""
    return _intent(order.origin, EffectKey(order.id), "create_order", dump_order(order), now)


def cancellation(order: Order, now: Timestamp, replacements: Sequence[Order] = ()) -> Intent:
    """Return the intent to cancel an open order.

    Args:
        order: of the automation.
        now: market time, UNIX seconds.
        replacements: what takes its place as soon as it is known how much of it has filled.
    """
    assert order.origin is not None, "orders of live accounts know their call"
    leg = f"{order.origin.leg}/{CANCEL}"
    origin = order.origin.model_copy(update={"leg": leg})
    params: dict[str, Any] = {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
    }
    if replacements:
        params["replacements"] = [dump_order(one) for one in replacements]
    return _intent(origin, follow_up_key(order.client_order_id, leg), "cancel_order", params, now)


def ending(order: Order, inactive: Sequence[Order], now: Timestamp) -> Intent:
    """Return the intent to cancel an open order, and what waits for its place, as the automation ends."""
    intent = cancellation(order, now)
    forgets = [one.id for one in inactive if order.group is not None and one.group == order.group]
    params = {**intent.params, "at_the_end": True, **({"forgets": forgets} if forgets else {})}
    return intent.model_copy(update={"params": params})


def repeated(intent: Intent, now: Timestamp, capabilities: Capabilities) -> Intent:
    """Return a follow-up that never reached the exchange, planned again under a key of its own."""
    leg = next_leg(intent.leg, AGAIN)
    key = follow_up_key(intent.key, leg)
    params = intent.params
    if intent.kind == "create_order":
        order = Order.model_validate(params)
        origin = Origin(action_id=intent.action_id, call_site=intent.call_site, leg=leg).carrying(
            order.origin
        )
        params = dump_order(named(order.model_copy(update={"origin": origin}), key, capabilities))
    anew = {"key": key, "leg": leg, "params": params, "planned_at": now, "status": "planned"}
    return intent.model_copy(update={**anew, "sent_at": None, "tries": 0})


def replacements_in(intent: Intent) -> list[Order]:
    """Return what takes the place of the order that an intent cancels."""
    return [Order.model_validate(raw) for raw in intent.params.get("replacements", ())]


def is_obsolete(intent: Intent, orders: Orders, *, ends: bool) -> bool:
    """Whether a follow-up that was never sent makes no sense any more.

    The order that it cancels has left the book, the group of the exit that it places is over, or it was
    planned for the automation's end, and the automation goes on.

    Args:
        intent: of the automation.
        orders: of the account.
        ends: whether the automation is winding down.
    """
    if intent.status != "planned" or intent.tries or not intent.is_follow_up:
        return False
    if intent.kind == "cancel_order":
        if intent.params.get("at_the_end") and not ends:
            return True
        return find_order(orders.open_orders, intent.params) is None
    group = intent.params.get("group")
    ended = [order for order in orders.closing_orders if is_settled(order) and order.group == group]
    return group is not None and any(is_stop(order) or not lives_alone(order) for order in ended)


def find_order(orders: list[Order], params: Mapping[str, Any]) -> Order | None:
    """Return the order that the parameters of a cancellation name."""
    ids = {params.get("id"), params.get("client_order_id")} - {None}
    return next((order for order in orders if {order.id, order.client_order_id} & ids), None)


def dump_order(order: Order) -> dict[str, Any]:
    """Return an order as the parameters of an intent."""
    return order.model_dump(mode="json", exclude_defaults=True)


def _intent(
    origin: Origin | None, key: EffectKey, kind: EffectKind, params: dict[str, Any], now: Timestamp
) -> Intent:
    assert origin is not None, "orders of live accounts know their call"
    return Intent(
        key=key,
        action_id=origin.action_id,
        call_site=origin.call_site,
        leg=origin.leg,
        kind=kind,
        params=params,
        planned_at=now,
    )
