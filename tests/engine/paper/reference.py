"""A slow paper exchange that is obviously right: it shows every price to every order, one after the other.

It shares nothing with the engine but the numbers that go in. The base is BTC, the quote USDT; fees are paid
in what is received.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

MAKER, TAKER = Decimal("0.0005"), Decimal("0.001")
AMOUNT_STEP, PRICE_STEP = Decimal("0.00001"), Decimal("0.01")

Row = tuple[float, float, float, float, float, float]
"""When a candle opens and closes, its open, low, high and close."""


@dataclass(eq=False)
class Ticket:
    """An order: it waits for the price `stop`, then for the limit `price`, or for neither."""

    name: str
    side: str
    amount: Decimal
    price: Decimal | None = None
    stop: Decimal | None = None
    stop_is_above: bool = False
    trailing_percent: Decimal | None = None
    born: float = 0
    expires: float = float("inf")
    ends_at_exit: bool = False
    exits: tuple[Ticket, ...] = ()
    group: str = ""
    ladder: tuple[Decimal, ...] = ()

    def is_reached(self, price: Decimal) -> bool:
        """Whether it wants to trade at this price."""
        if self.stop is not None:
            return price >= self.stop if self.stop_is_above else price <= self.stop
        if self.price is None:
            return True
        return price <= self.price if self.side == "buy" else price >= self.price

    def needs(self) -> tuple[str, Decimal]:
        """What it keeps from being used; nothing while it waits for its stop."""
        if self.stop is not None:
            return "USDT", Decimal(0)
        return ("BTC", self.amount) if self.side == "sell" else ("USDT", self.amount * (self.price or 0))


@dataclass
class SlowExchange:
    """Holdings, open tickets (oldest first), and fills as (name, price, amount, time)."""

    held: dict[str, Decimal]
    open: list[Ticket] = field(default_factory=list)
    fills: list[tuple[str, Decimal, Decimal, float]] = field(default_factory=list)
    moved: list[Ticket] = field(default_factory=list)

    def place(self, ticket: Ticket, mark: Decimal, now: float, *, at_market: bool = False) -> None:
        """Take an order in, unless it cannot be paid."""
        ticket = replace(ticket, born=now, price=mark if at_market else ticket.price)
        asset, needed = ticket.needs()
        if needed > self.free(asset):
            return
        self.open.append(ticket)
        if at_market or (ticket.stop is None and ticket.is_reached(mark)):
            self.fill(ticket, mark, mark, TAKER, now)

    def cancel(self, name: str) -> None:
        """Take an order off, with the one that it cancels."""
        for ticket in [one for one in self.open if one.name == name]:
            gone = self.others(ticket) if ticket.group.startswith("either") else []
            self.open = [one for one in self.open if one is not ticket and one not in gone]

    def free(self, asset: str) -> Decimal:
        """What no open order needs."""
        needs = [ticket.needs() for ticket in self.open]
        return self.held[asset] - sum((amount for of, amount in needs if of == asset), Decimal(0))

    def others(self, ticket: Ticket) -> list[Ticket]:
        """The rest of its group."""
        return [one for one in self.open if ticket.group == one.group != "" and one is not ticket]

    def walk(self, rows: Iterable[Row], settled: float) -> None:
        """Show what happened since the last walk: low, then high; of a cut candle, the close."""
        for opens, closes, first, low, high, close in rows:
            self.moved = []
            self.open = [one for one in self.open if closes <= one.expires]
            present = [
                (
                    one,
                    opens >= (max(one.born, settled) if one.trailing_percent else one.born),
                    one.born < closes,
                )
                for one in self.open
            ]
            for is_close, price in ((False, low), (False, high), (True, close)):
                for ticket, saw_all, saw_end in present:
                    saw_this = (saw_all or ticket in self.moved) if not is_close else saw_end and not saw_all
                    if ticket in self.open and saw_this and not (is_close and ticket in self.moved):
                        known = first if saw_all else close
                        shown, seen, last = (Decimal(str(one)) for one in (price, known, close))
                        self.show(ticket, shown, seen, last, closes)

    def show(self, ticket: Ticket, price: Decimal, first: Decimal, close: Decimal, now: float) -> None:
        """Show one price to one order; `first` is the earliest known price of the candle."""
        if not ticket.is_reached(price):
            if ticket.ends_at_exit and any(one.is_reached(price) for one in ticket.exits):
                self.open.remove(ticket)
            elif ticket.trailing_percent is not None:
                trail(ticket, price)
        elif ticket.stop is None:
            self.fill(ticket, ticket.price or price, close, MAKER, now)
        else:
            price = first if ticket.is_reached(first) and ticket not in self.moved else ticket.stop
            self.trigger(ticket, price, close, now)

    def trigger(self, ticket: Ticket, price: Decimal, close: Decimal, now: float) -> None:
        """The stop price has come: trade, or become a limit order."""
        if ticket.price is None:
            self.fill(ticket, price, close, TAKER, now)
            return
        asset, needed = replace(ticket, stop=None).needs()
        if needed > self.free(asset):
            self.open.remove(ticket)
            return
        ticket.stop, ticket.born = None, now
        self.moved.append(ticket)
        if ticket.is_reached(price):
            self.fill(ticket, price, close, TAKER, now)

    def fill(self, ticket: Ticket, price: Decimal, mark: Decimal, rate: Decimal, now: float) -> None:
        """Trade the whole order; its group reacts, its exits appear."""
        for other in self.others(ticket):
            if ticket.group.startswith("either") or ticket.stop is not None:
                self.open.remove(other)
            elif other.stop is not None:
                self.take_profit_filled(other, ticket.amount, now)
        self.open.remove(ticket)
        cost = ticket.amount * price
        gives, gets = (("USDT", cost), ("BTC", ticket.amount)), (("BTC", ticket.amount), ("USDT", cost))
        (given, less), (got, more) = gives if ticket.side == "buy" else gets
        if less > self.free(given):
            return
        self.held[given] -= less
        self.held[got] += more * (1 - rate)
        self.fills.append((ticket.name, price, ticket.amount, now))
        received = cut(ticket.amount * (1 - rate) if ticket.side == "buy" else ticket.amount, AMOUNT_STEP)
        profits = [one for one in ticket.exits if one.stop is None]
        left = received
        for one in ticket.exits:
            amount = (
                received if one.stop is not None else cut(received * one.amount / ticket.amount, AMOUNT_STEP)
            )
            amount = left if profits and one is profits[-1] else amount
            left -= amount if one.stop is None else 0
            if amount > 0:
                self.place(replace(one, amount=amount), mark, now)

    def take_profit_filled(self, stop: Ticket, amount: Decimal, now: float) -> None:
        """Protect less with the stop, and move it if it climbs."""
        stop.amount -= amount
        if stop.amount <= 0:
            self.open.remove(stop)
        elif stop.ladder:
            stop.stop, *rest = stop.ladder
            stop.ladder, stop.born = tuple(rest), now
            self.moved.append(stop)


def trail(ticket: Ticket, price: Decimal) -> None:
    """Pull a trailing stop behind a better price."""
    assert ticket.stop is not None
    assert ticket.trailing_percent is not None
    sign, best = (1, min) if ticket.stop_is_above else (-1, max)
    ticket.stop = best(ticket.stop, cut(price * (100 + sign * ticket.trailing_percent) / 100, PRICE_STEP))


def cut(value: Decimal, step: Decimal) -> Decimal:
    """Round down to a step."""
    return (value / step).to_integral_value(ROUND_DOWN) * step
