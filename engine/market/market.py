"""`Market`: the trading rules of one symbol."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from engine.money import ZERO, ceil_to_tick, floor_to_tick
from engine.state import Side
from engine.types import Amount, Asset, MarketKind, Price, Symbol

Liquidity = Literal["maker", "taker"]
FeeSide = Literal["get", "give", "base", "quote"]

DEFAULT_TICK: Final = Decimal("0.00000001")
DEFAULT_FEE_RATE: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Bounds:
    """An inclusive range; None is unbounded."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def is_given(self) -> bool:
        """Whether the exchange names any bound."""
        return self.minimum is not None or self.maximum is not None

    def contains(self, value: Decimal) -> bool:
        """Whether `value` is within the range."""
        return (self.minimum is None or value >= self.minimum) and (
            self.maximum is None or value <= self.maximum
        )


UNBOUNDED: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Market:
    """The trading rules of one symbol.

    Attributes:
        amount_tick: step of amounts, in base.
        price_tick: step of prices, in quote per base.
        price_digits: significant digits that a price may have besides; None where the step says it all.
        whole_prices: whether whole prices may have more of them.
        amount: bounds of one order's amount, in base.
        cost: bounds of one order's amount times price, in quote.
        price: bounds of one order's price.
        maker: fee rate of a fill that rested in the book; 0.001 is 0.1 %.
        taker: fee rate of a fill that took from the book.
        fee_side: which asset pays the fee: what the trader gets or gives, or always base or quote.
        kind: spot, or a linear future.
        stops: whether the exchange itself watches the price of stops and take-profits.
        max_orders: how many orders without a stop price may be open at once; None is unbounded.
        max_stops: how many orders with a stop price.
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    amount_tick: Decimal = DEFAULT_TICK
    price_tick: Decimal = DEFAULT_TICK
    amount: Bounds = UNBOUNDED
    cost: Bounds = UNBOUNDED
    price: Bounds = UNBOUNDED
    maker: Decimal = DEFAULT_FEE_RATE
    taker: Decimal = DEFAULT_FEE_RATE
    fee_side: FeeSide = "get"
    kind: MarketKind = "spot"
    stops: bool = True
    max_orders: int | None = None
    max_stops: int | None = None
    price_digits: int | None = None
    whole_prices: bool = False

    @property
    def is_linear(self) -> bool:
        """Whether it is a spot market, or a future that is settled in its quote asset."""
        settled_in = self.symbol.partition(":")[2].partition("-")[0]
        return settled_in in ("", self.quote)

    @property
    def is_perpetual(self) -> bool:
        """Whether it is a future without an end, which has funding."""
        return self.kind == "future" and "-" not in self.symbol.partition(":")[2]

    def floor_amount(self, amount: Amount) -> Amount:
        """Return the amount cut down to the market's step."""
        return floor_to_tick(amount, self.amount_tick)

    def floor_price(self, price: Price) -> Price:
        """Return the price cut down to the market's step."""
        return floor_to_tick(price, self.price_step(price))

    def ceil_price(self, price: Price) -> Price:
        """Return the price raised to the market's step."""
        return ceil_to_tick(price, self.price_step(price))

    def price_step(self, price: Price) -> Decimal:
        """Return how far two prices are apart at least, near a price."""
        if self.price_digits is None or not price:
            return self.price_tick
        by_digits = Decimal(1).scaleb(price.adjusted() - self.price_digits + 1)
        return max(self.price_tick, min(by_digits, Decimal(1)) if self.whole_prices else by_digits)

    def smallest_amount(self, price: Price) -> Amount:
        """Return the least amount, in base, that an order at `price` may have."""
        by_cost = self.cost.minimum / price if self.cost.minimum and price else ZERO
        return max(self.amount.minimum or ZERO, by_cost)

    def fee_rate(self, liquidity: Liquidity) -> Decimal:
        """Return the fee rate of a fill."""
        return self.maker if liquidity == "maker" else self.taker

    def fee_asset(self, side: Side) -> Asset:
        """Return the asset that a fill's fee is paid in; of futures, the one that they are settled in."""
        if self.kind == "future":
            return self.quote
        in_base = self.fee_side == "base" or self.fee_side == ("get" if side == "buy" else "give")
        return self.base if in_base else self.quote


def generic_market(symbol: Symbol, *, stops: bool = True) -> Market:
    """Return a market without limits, for symbols whose rules nobody recorded."""
    pair, _, settled_in = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return Market(
        symbol=symbol,
        base=Asset(base),
        quote=Asset(quote),
        kind="future" if settled_in else "spot",
        stops=stops,
    )
