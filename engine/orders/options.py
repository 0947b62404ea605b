"""What a script may ask of an order besides its side, symbol, amount and price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, cast

from engine.errors import ActionStatus, OperatorError, invalid_parameters
from engine.market import Market
from engine.money import exact, to_decimal
from engine.orders.cancel_policy import read_cancel_policy
from engine.orders.exit_plans import plan_exits
from engine.orders.exits import Exits
from engine.state import OrderType, Side, TimeInForce
from engine.types import Price

TAKE_PROFITS_FIRST: Final = "TakeProfitFirstActiveOrderSwapStrategy"
SWAP_STRATEGIES: Final = frozenset({"StopFirstActiveOrderSwapStrategy", TAKE_PROFITS_FIRST})
"""Which exit of a group stands in the book on exchanges that cannot hold both. On paper both always do."""

TIMES_IN_FORCE: Final[frozenset[TimeInForce]] = frozenset({"GTC", "IOC", "FOK", "PO"})

VARIANTS: Final[Mapping[tuple[OrderType, str], OrderType]] = {
    ("market", "stopLossPrice"): "stop_loss",
    ("market", "takeProfitPrice"): "take_profit",
    ("market", "trailingPercent"): "trailing_stop",
    ("limit", "stopLossPrice"): "stop_limit",
    ("limit", "takeProfitPrice"): "take_profit_limit",
}
"""Order types that one of ccxt's unified `params` makes of a market or a limit order."""

DEFAULT_TRAILING_PERCENT: Final = Decimal(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOptions:
    """The options of `market`, `limit` and `stop_loss`, as a script gives them.

    Attributes:
        reduce_only: only ever reduce a position.
        tag: a name to find the order and its exits by.
        take_profit_prices: where to close it with a profit, such as ['5%', '10%'] from its price.
        take_profit_volume_percents: how much each take-profit closes, such as [40, 60]; else equally.
        stop_loss_price: where to give it up, such as '-5%'.
        trailing_profile: 'filled_take_profit' moves the stop up with each filled take-profit.
        cancel_policy: what ends an order that has not filled; see `limit`.
        cancel_policy_params: parameters of the policy.
        active_order_swap_strategy: which exit stands in the book where an exchange cannot hold both.
        active_order_swap_strategy_params: parameters of the strategy.
        params: further parameters of the exchange.
        allow_holdings_adaptation: order what is affordable when the amount is not.
    """

    reduce_only: bool = False
    tag: str | None = None
    take_profit_prices: list[Any] | None = None
    take_profit_volume_percents: list[Any] | None = None
    stop_loss_price: Any = None
    trailing_profile: str | None = None
    cancel_policy: str | None = None
    cancel_policy_params: dict[str, Any] | None = None
    active_order_swap_strategy: str | None = None
    active_order_swap_strategy_params: dict[str, Any] | None = None  # no exchange needs them
    params: dict[str, Any] | None = None
    allow_holdings_adaptation: bool = False

    def exits(self, entry: Price, market: Market) -> Exits:
        """Return the exits, relative to the price of the entry.

        Raises:
            DslError: see `plan_exits`.
        """
        swap = self.active_order_swap_strategy
        if swap is not None and swap not in SWAP_STRATEGIES:
            known = ", ".join(sorted(SWAP_STRATEGIES))
            raise invalid_parameters(f"active_order_swap_strategy is one of {known}, not {swap!r}")
        exits = plan_exits(
            entry,
            market,
            stop=self.stop_loss_price,
            take_profits=self.take_profit_prices,
            percents=self.take_profit_volume_percents,
            trailing_profile=self.trailing_profile,
        )
        return replace(exits, swap_strategy=swap)

    def policy(self) -> Mapping[str, Any] | None:
        """Return the cancel policy.

        Raises:
            DslError: `invalid_parameters`.
        """
        return read_cancel_policy(self.cancel_policy, self.cancel_policy_params)

    def time_in_force(self) -> TimeInForce:
        """Return how long the order may stay in the book.

        Raises:
            OperatorError: `invalid_order`, naming the known ones.
        """
        params = self.params or {}
        given = "PO" if params.get("postOnly") else params.get("timeInForce", "GTC")
        if given not in TIMES_IN_FORCE:
            raise OperatorError(
                ActionStatus.INVALID_ORDER,
                f"the time in force {given!r} is not known; use {', '.join(sorted(TIMES_IN_FORCE))}",
            )
        return cast(TimeInForce, given)


@dataclass(frozen=True, slots=True)
class PriceTrigger:
    """What an order waits for before it trades, besides a limit."""

    type: OrderType
    stop_price: Price | None = None
    trailing_percent: Decimal | None = None


def read_trigger(
    order_type: OrderType, params: Mapping[str, Any] | None, mark: Price, side: Side, market: Market
) -> PriceTrigger:
    """Return the order type that a market or limit order becomes with its `params`.

    Args:
        order_type: `market` or `limit`.
        params: ccxt's unified parameters.
        mark: the market's price, which a trailing stop starts from.
        side: of the order.
        market: its market.

    Raises:
        OperatorError: `invalid_order`, for a parameter that is not a number above zero.
    """
    for (of, name), variant in VARIANTS.items():
        if of == order_type and params and name in params:
            value = _positive(name, params[name])
            if variant == "trailing_stop":
                return PriceTrigger(variant, market.floor_price(trailing_stop(mark, value, side)), value)
            return PriceTrigger(variant, market.floor_price(value))
    return PriceTrigger(order_type)


@exact
def trailing_stop(best: Price, percent: Decimal, side: Side) -> Price:
    """Return the stop that stays `percent` behind the best price."""
    return best * (100 - percent if side == "sell" else 100 + percent) / 100


def _positive(name: str, value: Any) -> Decimal:
    if value is True and name == "trailingPercent":
        return DEFAULT_TRAILING_PERCENT
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not value > 0:
        raise OperatorError(ActionStatus.INVALID_ORDER, f"{name} is a number above zero, not {value!r}")
    return to_decimal(value)
