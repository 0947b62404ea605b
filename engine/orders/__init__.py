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
from engine.orders.cancel_policy import EXPIRATION_TIME, read_cancel_policy
from engine.orders.ended_by_policy import Ending, first_ending
from engine.orders.exits import BALANCED, BALANCED_TRAILING, ONE_CANCELS_THE_OTHER, opened_exits
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
from engine.orders.options import (
    DEFAULT_TRAILING_PERCENT,
    TAKE_PROFITS_FIRST,
    OrderOptions,
    PriceTrigger,
    read_trigger,
)
from engine.orders.positions import flat_position, reducible
from engine.orders.quantity import Marker, Quantity, parse_amount, parse_price
from engine.orders.sizing import cap, entry_price, resolve_amount, resolve_price

__all__ = ["ALL_ORDERS", "Account", "OrderFilter", "OrderRequest", "check_ceilings", "check_kind"]
__all__ += ["described", "new_orders", "order_of", "spot_has_no_leverage", "EXPIRATION_TIME"]
__all__ += ["read_cancel_policy", "Ending", "first_ending", "BALANCED", "BALANCED_TRAILING"]
__all__ += ["ONE_CANCELS_THE_OTHER", "opened_exits", "holdings", "lives_alone", "react", "sweep_dust"]
__all__ += ["BarMoment", "Phase", "START", "Touch", "crosses", "first_touch", "is_reached", "lies_beyond"]
__all__ += ["rule_of", "trail", "DEFAULT_TRAILING_PERCENT", "OrderOptions", "PriceTrigger"]
__all__ += ["TAKE_PROFITS_FIRST", "read_trigger", "flat_position", "reducible", "Marker", "Quantity"]
__all__ += ["parse_amount", "parse_price", "cap", "entry_price", "resolve_amount", "resolve_price"]
