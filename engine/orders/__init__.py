"""What paper and live share about orders: how they are built, sized, matched, grouped and ended."""

from engine.orders.account_protocols import ALL_ORDERS, Account, OrderFilter, OrderRequest
from engine.orders.building import (
    check_ceilings,
    check_kind,
    described,
    new_orders,
    order_of,
    spot_has_no_leverage,
)
from engine.orders.cancel_policy import EXPIRATION_TIME
from engine.orders.ended_by_policy import Ending, first_ending
from engine.orders.exits import opened_exits
from engine.orders.future_sizing import holdings
from engine.orders.groups import lives_alone, react
from engine.orders.limits import sweep_dust
from engine.orders.matching import (
    START,
    BarMoment,
    Phase,
    Touch,
    crosses,
    first_touch,
    is_reached,
    lies_beyond,
    rule_of,
    trail,
)
from engine.orders.options import TAKE_PROFITS_FIRST, OrderOptions, PriceTrigger, read_trigger
from engine.orders.positions import flat_position, reducible
from engine.orders.quantity import Marker, Quantity, parse_amount, parse_price
from engine.orders.sizing import cap, entry_price, resolve_amount, resolve_price

__all__ = [
    "ALL_ORDERS",
    "Account",
    "EXPIRATION_TIME",
    "Ending",
    "Marker",
    "BarMoment",
    "OrderFilter",
    "OrderOptions",
    "OrderRequest",
    "Phase",
    "Quantity",
    "START",
    "TAKE_PROFITS_FIRST",
    "Touch",
    "PriceTrigger",
    "cap",
    "check_ceilings",
    "check_kind",
    "crosses",
    "described",
    "entry_price",
    "first_ending",
    "first_touch",
    "flat_position",
    "holdings",
    "is_reached",
    "lies_beyond",
    "lives_alone",
    "new_orders",
    "opened_exits",
    "order_of",
    "parse_amount",
    "parse_price",
    "react",
    "read_trigger",
    "reducible",
    "resolve_amount",
    "resolve_price",
    "rule_of",
    "spot_has_no_leverage",
    "sweep_dust",
    "trail",
]
