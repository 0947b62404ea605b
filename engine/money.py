"""Exact decimal arithmetic for amounts, prices and balances."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, getcontext, localcontext
from functools import wraps
from typing import Final, ParamSpec, TypeVar

ZERO: Final = Decimal(0)

# A balance of 12 integer digits times a price of 20 times a rate of 6 stays far below 100 digits, so sums and
# products in this context are exact; the default context's 28 digits are not enough for fees of small coins.
EXACT_CONTEXT: Final = Context(prec=100)

P = ParamSpec("P")
R = TypeVar("R")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Run a plain function in a decimal context that is wide enough to never round money."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if getcontext().prec == EXACT_CONTEXT.prec:  # entering a context costs more than a sum in it
            return function(*args, **kwargs)
        with localcontext(EXACT_CONTEXT):
            return function(*args, **kwargs)

    return wrapped


def to_decimal(value: float | int | str | Decimal) -> Decimal:
    """Return a number as Decimal; a float by its shortest text, so 0.1 becomes 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@exact
def floor_to_tick(value: Decimal, tick: Decimal) -> Decimal:
    """Return the largest multiple of `tick` that is not above `value`; a tick may be 0.5 or 5."""
    return (value / tick).to_integral_value(ROUND_FLOOR) * tick


@exact
def ceil_to_tick(value: Decimal, tick: Decimal) -> Decimal:
    """Return the smallest multiple of `tick` that is not below `value`."""
    return (value / tick).to_integral_value(ROUND_CEILING) * tick
