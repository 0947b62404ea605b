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
from engine.orders.ended_by_policy import ended_within, ending_exits, expiration_of
from engine.orders.exits import BALANCED, BALANCED_TRAILING, ONE_CANCELS_THE_OTHER, opened_exits
from engine.orders.future_sizing import holdings
from engine.orders.groups import lives_alone, react
from engine.orders.limits import sweep_dust
from engine.orders.matching import (
    crosses,
    first_touch,
    first_true,
    is_reached,
    level_of,
    rule_of,
    waits_for_fall,
)
from engine.orders.options import (
    DEFAULT_TRAILING_PERCENT,
    TAKE_PROFITS_FIRST,
    OrderOptions,
    PriceTrigger,
    read_trigger,
    trailing_stop,
)
from engine.orders.positions import flat_position, reducible
from engine.orders.quantity import Marker, Quantity, parse_amount, parse_price
from engine.orders.sizing import cap, entry_price, resolve_amount, resolve_price

__all__ = ["ALL_ORDERS", "Account", "OrderFilter", "OrderRequest", "check_ceilings", "check_kind"]
__all__ += ["described", "new_orders", "order_of", "spot_has_no_leverage", "EXPIRATION_TIME"]
__all__ += ["read_cancel_policy", "ended_within", "ending_exits", "expiration_of", "BALANCED"]
__all__ += ["BALANCED_TRAILING", "ONE_CANCELS_THE_OTHER", "opened_exits", "holdings", "lives_alone"]
__all__ += ["react", "sweep_dust", "crosses", "first_touch", "first_true", "is_reached", "level_of"]
__all__ += ["rule_of", "waits_for_fall", "DEFAULT_TRAILING_PERCENT", "OrderOptions", "PriceTrigger"]
__all__ += ["TAKE_PROFITS_FIRST", "read_trigger", "trailing_stop", "flat_position", "reducible", "Marker"]
__all__ += ["Quantity", "parse_amount", "parse_price", "cap", "entry_price", "resolve_amount"]
__all__ += ["resolve_price"]
