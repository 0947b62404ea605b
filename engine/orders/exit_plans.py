"""Reads the exits that a script asks for: texts of prices, relative to the entry."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from engine.errors import ActionStatus, OperatorError, invalid_parameters
from engine.market import Market
from engine.money import exact, to_decimal
from engine.orders.exits import Exits, TakeProfit
from engine.orders.quantity import parse_price
from engine.orders.sizing import HUNDRED, resolve_price
from engine.types import Price
from engine.values import format_decimal

TRAILING_PROFILES: Final = frozenset({"filled_take_profit"})


def plan_exits(
    entry: Price,
    market: Market,
    *,
    stop: Any = None,
    take_profits: Sequence[Any] | None = None,
    percents: Sequence[Any] | None = None,
    trailing_profile: str | None = None,
) -> Exits:
    """Read the exits that a script asks for.

    Args:
        entry: price of the entry, which offsets are relative to.
        market: the entry's market.
        stop: price text of the stop.
        take_profits: price texts of the take-profits.
        percents: how much of the entry each take-profit closes; equal parts when left out.
        trailing_profile: `filled_take_profit`, or None for a stop that stays where it is.

    Raises:
        DslError: `invalid_parameter_format` or `invalid_parameters`.
        OperatorError: `unsupported_stop_order`, `invalid_order`.
    """
    prices = [_exit_price(text, entry, market) for text in take_profits or ()]
    shares = _shares(len(prices), percents)
    if stop is not None and not market.stops:
        raise unsupported_stop(market)
    if trailing_profile is not None:
        _check_trailing(trailing_profile, stop, prices)
    return Exits(
        stop=None if stop is None else _exit_price(stop, entry, market),
        take_profits=tuple(TakeProfit(*pair) for pair in zip(prices, shares, strict=True)),
        trails=trailing_profile is not None,
    )


def unsupported_stop(market: Market) -> OperatorError:
    """Return the error of a stop on an exchange that has none."""
    return OperatorError(
        ActionStatus.UNSUPPORTED_STOP_ORDER,
        f"STOP_LOSS orders are not supported on this exchange for {market.symbol}: a stop that works only "
        "while Octoflow runs protects nothing. Leave it out, or trade on an exchange that has stops",
    )


@exact
def _exit_price(text: Any, entry: Price, market: Market) -> Price:
    price = market.floor_price(resolve_price(parse_price(text), entry, lambda: entry))
    if price <= 0:
        raise OperatorError(
            ActionStatus.INVALID_ORDER, f"an exit at {format_decimal(price)} ({text!r}) is not above zero"
        )
    return price


def _shares(count: int, percents: Sequence[Any] | None) -> Sequence[Fraction]:
    if not percents:
        return [Fraction(1, count)] * count if count else []
    if len(percents) != count:
        raise invalid_parameters(
            f"{count} take_profit_prices need {count} take_profit_volume_percents, not {len(percents)}"
        )
    if not all(isinstance(one, int | float | Decimal) and 0 < one <= HUNDRED for one in percents):
        raise invalid_parameters(
            f"take_profit_volume_percents are numbers above 0 and up to 100, not {list(percents)}"
        )
    shares = [Fraction(to_decimal(one)) / 100 for one in percents]
    if sum(shares) > 1:
        raise invalid_parameters(
            f"take_profit_volume_percents add up to {float(sum(shares) * 100):g}, which is more than 100"
        )
    return shares


def _check_trailing(profile: str, stop: Any, prices: Sequence[Price]) -> None:
    if profile not in TRAILING_PROFILES:
        raise invalid_parameters(
            f"trailing_profile is one of {', '.join(TRAILING_PROFILES)}, not {profile!r}"
        )
    if stop is None or not prices:
        raise invalid_parameters("a trailing_profile needs take_profit_prices and a stop_loss_price")
