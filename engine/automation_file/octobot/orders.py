"""Orders as OctoBot stores them: what the exchange knows in `origin_value`, the rest beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from engine.automation_file.octobot.reading import Part, shown
from engine.errors import DslError
from engine.exchanges import Capabilities
from engine.money import ZERO, exact
from engine.orders import (
    BALANCED,
    BALANCED_TRAILING,
    DEFAULT_TRAILING_PERCENT,
    ONE_CANCELS_THE_OTHER,
    read_cancel_policy,
)
from engine.state import Fee, Order, OrderStatus, OrderType, Origin, Side, TimeInForce
from engine.types import ActionId, Asset, CallSite, EffectKey, OrderId, Symbol

_IDS: Final = UUID("6f63746f-666c-5f77-8000-6f63746f626f")
"""Namespace of the keys that orders get which OctoBot has not placed yet."""

_CALL: Final = CallSite("octobot")
"""Stands for the call that an imported order came from, which nobody knows."""

SIDES: Final[Mapping[str, Side]] = {"buy": "buy", "sell": "sell"}

TYPES: Final[Mapping[str, OrderType]] = {
    "market": "market",
    "limit": "limit",
    "limit_maker": "limit",
    "stop_loss": "stop_loss",
    "stop_market": "stop_loss",
    "stop_loss_limit": "stop_limit",
    "stop_limit": "stop_limit",
    "take_profit": "take_profit",
    "take_profit_limit": "take_profit_limit",
    "trailing_stop": "trailing_stop",
}

STATUSES: Final[Mapping[str, OrderStatus]] = {
    "pending_creation": "open",
    "open": "open",
    "partially_filled": "open",
    "canceling": "open",
    "unknown": "open",
    "filled": "closed",
    "closed": "closed",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}

_WAITS_FOR: Final = frozenset(
    {"stop_loss", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"}
)
"""Types that wait for a price; OctoBot keeps it as `price` where the exchange has no other."""

_STOP_PRICES: Final = ("stopPrice", "stopLossPrice", "takeProfitPrice", "stop_price")

_GROUPS: Final = frozenset({ONE_CANCELS_THE_OTHER, BALANCED, BALANCED_TRAILING})

_OPPOSITE: Final[Mapping[OrderType, OrderType]] = {
    "stop_loss": "take_profit",
    "stop_limit": "take_profit_limit",
    "take_profit": "stop_loss",
    "take_profit_limit": "stop_limit",
}

DETAILS: Final[Mapping[str, str | None]] = {
    "cost": None,
    "average": None,
    "remaining": None,
    "market": None,
    "quantity_currency": None,
    "trades": None,
    "info": None,
    "datetime": None,
    "lastTradeTimestamp": None,
    "takerOrMaker": None,
    "order_id": None,
    "exchange_trade_id": None,
    "volume": None,
    "entries": None,
    "broker_applied": None,
    "triggerAbove": None,
    "exchange_specific_order_values": "values of one exchange: not kept",
}
"""Fields of `origin_value` that are not taken over, and what to say of them."""

_BESIDE: Final[Mapping[str, str | None]] = {
    "en": None,
    "utf": None,
    "at": "when an exit takes its place in the book is decided from its price here: not kept",
    "ecp": "parameters for one exchange: not kept",
    "tck": "parameters of OctoBot's trader: not kept",
}
"""The same beside `origin_value`. Exits are always net of a fee that their entry paid in base (`utf`)."""

_STRATEGY: Final = (
    "which exit of a group stands in the book first is not kept: it is the one that comes first here"
)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose the orders are, and what their account is.

    Attributes:
        is_live: whether the account has credentials.
        capabilities: of its exchange.
        actions: the action that placed an order, by each of the order's ids.
        otherwise: the action that an order belongs to when none names it.
    """

    is_live: bool
    capabilities: Capabilities
    actions: Mapping[str, ActionId]
    otherwise: ActionId

    def named(self, fields: dict[str, Any], exchange_id: str | None, local_id: str | None) -> None:
        """Give an order its ids; on a live account also the call that what follows from it is planned for.

        An order on the exchange is found by the id that it has there; the other one only tells it from the
        others. One that is not there yet is named as all are that are to be placed.
        """
        known = exchange_id or local_id
        assert known is not None, "an order without ids is not taken over"
        fields["id"] = OrderId(known)
        if not self.is_live:
            return
        fields["client_order_id"] = local_id if local_id not in (None, exchange_id) else f"octobot-{known}"
        if exchange_id is None:
            key = EffectKey(uuid5(_IDS, known).hex)
            fields |= {"id": OrderId(key), "client_order_id": self.capabilities.client_order_id(key)}
        owner = next(
            (self.actions[one] for one in (exchange_id or "", local_id or "") if one in self.actions), None
        )
        leg = "0/stop" if fields["stop_price"] is not None else "0"
        fields["origin"] = Origin(action_id=owner or self.otherwise, call_site=_CALL, leg=leg)


def read_order(stored: Part, owner: Ownership, *, hangs: bool = False) -> Order | None:
    """Return an order, or None with a note when it cannot be one here.

    Args:
        stored: as OctoBot wrote it.
        owner: of the account.
        hangs: whether it waits for another order's fill.
    """
    details = stored.part("origin_value") if "origin_value" in stored else stored
    fields = _details(details)
    if fields is None:
        return None
    exchange_id, local_id = details.name("exchange_id"), details.name("id")
    if exchange_id is None and local_id is None:
        details.note("", "an order without an id: not kept")
        return None
    active = details.raw("is_active") is not False and not details.flag("self-managed")
    owner.named(fields, None if hangs or not active else exchange_id, local_id or exchange_id)
    fields |= _beside(stored, fields)
    fields["chained"] = _chained(stored, owner)
    if not hangs and owner.is_live and active and exchange_id is None:
        details.note(
            "exchange_id", "an order that the exchange has not told its id of: not kept; look for it"
        )
        return None
    if details is not stored:
        details.leave(DETAILS)
        stored.leave(_BESIDE)
    else:
        details.leave({**DETAILS, **_BESIDE})
    return Order(**fields)


def is_inactive(stored: Part) -> bool:
    """Whether OctoBot held an order back that is not in the exchange's book."""
    details = stored.part("origin_value") if "origin_value" in stored else stored
    return details.raw("is_active") is False or details.raw("self-managed") is True


def read_fee(part: Part) -> Fee | None:
    """Return what a fill cost; None when nothing is known of it."""
    cost, currency = part.number("cost"), part.text("currency")
    part.leave({"type": None, "rate": None, "is_from_exchange": None, "exchange_original_cost": None})
    return Fee(cost=cost, currency=Asset(currency) if currency else None) if cost else None


def read_symbol(part: Part) -> Symbol | None:
    """Return a symbol, or None with a note when it names no pair."""
    symbol = part.text("symbol")
    base, _, quote = (symbol or "").partition("/")
    if base and quote:
        return Symbol(symbol or "")
    part.note("symbol", "no pair such as BTC/USDT: what it belongs to is not kept")
    return None


def read_type(part: Part) -> OrderType | None:
    """Return the type of an order or of a trade; where OctoBot knows none, whether it took tells."""
    name = part.text("type")
    if name in (None, "unknown"):
        guess = {"taker": "market", "maker": "limit"}.get(part.text("takerOrMaker") or "")
        return TYPES.get(guess or "")
    return TYPES.get(name or "")


def _details(part: Part) -> dict[str, Any] | None:
    """Return the fields that the exchange knows too; None, with a note, when the order cannot be kept."""
    symbol, side, kind = read_symbol(part), SIDES.get(part.text("side") or ""), read_type(part)
    if symbol is None:
        return None
    if side is None or kind is None:
        missing = "side" if side is None else "type"
        part.note(
            missing, f"{shown(part.text(missing) or 'nothing')} is no {missing} of an order here: not kept"
        )
        return None
    amount, price = part.number("amount"), part.number("price") or None
    stop = next((found for name in _STOP_PRICES if (found := part.number(name))), None)
    if kind in _WAITS_FOR:
        kind = _turned(part, kind, side)
        if stop is None and kind in ("stop_limit", "take_profit_limit"):
            part.note("price", "the price that the order waits for is not stored: its limit is taken for it")
        trails = _trailing_percent(part) if kind == "trailing_stop" else None
        stop = stop or (price if price is None or trails is None else _behind(price, trails, side))
        price = price if kind in ("stop_limit", "take_profit_limit") else None
    needed = stop if kind in _WAITS_FOR else price
    if not amount or amount < 0 or ((not needed or needed < 0) and kind != "market"):
        part.note("", "an order without an amount and a price above 0: not kept")
        return None
    fields: dict[str, Any] = {
        "symbol": symbol,
        "side": side,
        "type": kind,
        "amount": amount,
        "filled": min(max(part.number("filled") or ZERO, ZERO), amount),
        "price": price,
        "stop_price": stop if kind in _WAITS_FOR else None,
        "status": _status(part),
        "created_at": part.time("timestamp") or part.time("creation_time") or 0,
        "fee": read_fee(part.part("fee")),
        "tag": part.text("tag"),
        "reduce_only": part.flag("reduceOnly"),
        "time_in_force": _time_in_force(part),
    }
    if kind == "trailing_stop":
        fields["trailing_percent"] = _trailing_percent(part)
    return fields


@exact
def _behind(price: Decimal, percent: Decimal, side: Side) -> Decimal:
    """Return where a stop stands that trails a price; OctoBot stores the price, not the stop."""
    return price * (100 - percent if side == "sell" else 100 + percent) / 100


def _turned(part: Part, kind: OrderType, side: Side) -> OrderType:
    """Return the type that waits for its price from the side that `triggerAbove` says."""
    above = part.raw("triggerAbove")
    if not isinstance(above, bool) or kind not in _OPPOSITE:
        return kind
    natural = (side == "buy") == (kind in ("stop_loss", "stop_limit"))
    if above == natural:
        return kind
    part.note("triggerAbove", f"the other direction than that of a {kind}: kept as {_OPPOSITE[kind]}")
    return _OPPOSITE[kind]


def _status(part: Part) -> OrderStatus:
    name = part.text("status") or "open"
    if name not in STATUSES:
        part.note("status", f"{shown(name)} is no status here: taken for open")
    return STATUSES.get(name, "open")


def _time_in_force(part: Part) -> TimeInForce:
    return "PO" if part.text("type") == "limit_maker" or part.flag("postOnly") else "GTC"


def _trailing_percent(part: Part) -> Decimal:
    percent = part.number("trailing_percent")
    if percent is not None and 0 < percent < 100:
        return percent
    part.note(
        "type",
        f"neither how far the stop trails is stored nor how far it came: {DEFAULT_TRAILING_PERCENT} % of its"
        " first price are taken; change it if need be",
    )
    return DEFAULT_TRAILING_PERCENT


def _beside(stored: Part, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only OctoBot knows of an order."""
    group = stored.part("gr")
    kind, name = group.text("gt"), group.name("gi")
    group.leave({"oss": _STRATEGY})
    if kind is not None and kind not in _GROUPS:
        group.note("gt", f"{shown(kind)} is no group here: the order stands alone")
        kind = None
    return {
        "group": f"{kind}:{name}" if kind and name else None,
        "cancel_policy": _policy(stored.part("cp")),
        "stop_ladder": _ladder(stored.part("tp")) if fields["stop_price"] is not None else [],
    }


def _policy(part: Part) -> dict[str, Any] | None:
    """Return a cancel policy; `ExpirationTimeOrderCancelPolicy` is a time, the other has no parameters."""
    name, params = part.text("cp"), part.part("cpk")
    part.leave({})
    if name is None:
        return None
    given = {key: params.number(key) for key in params.names()}
    try:
        return read_cancel_policy(name, given)
    except DslError as error:
        part.note("", f"{error.message}: not kept; cancel the order yourself when its time has come")
        return None


def _ladder(part: Part) -> list[Decimal]:
    """Return where a stop still moves, in the order in which the price gets there."""
    kind, details = part.text("tpt"), part.part("tpd")
    part.leave({})
    if kind not in (None, "filled_take_profit"):
        part.note("tpt", f"{shown(kind)} is no way for a stop to move here: it stays where it is")
        return []
    steps = []
    for step in details.parts("steps"):
        moves_to, at, reached = step.number("trailing_price"), step.number("step_price"), step.flag("reached")
        if moves_to and at and not reached:
            steps.append((at if step.raw("trigger_above") is not False else -at, moves_to))
        step.leave({"trigger_above": None})
    details.leave({})
    return [moves_to for _, moves_to in sorted(steps)]


def _chained(stored: Part, owner: Ownership) -> list[Order]:
    """Return the exits of an entry, under legs of their own on a live account."""
    found, profits = [], 0
    for one in stored.parts("co"):
        if one.flag("hbb") and owner.is_live:
            one.note("hbb", "the exchange was given this exit with its entry, and places it: not kept")
            continue
        order = read_order(one, owner, hangs=True)
        if order is None:
            continue
        profits += order.stop_price is None
        if order.origin is not None:
            leg = "0/stop" if order.stop_price is not None else f"0/tp{profits}"
            order = order.model_copy(update={"origin": order.origin.model_copy(update={"leg": leg})})
        found.append(order.model_copy(update={"status": "open"}))
    stored.flag("hbb")
    return found
