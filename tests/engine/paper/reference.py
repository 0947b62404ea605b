"""A slow spot exchange that is obviously right: it shows every price of a candle's path to every order.

It shares nothing with the engine but the numbers that go in. The path is the one of the specification: the
open, the low, the high, the close, and every price in between, in steps of the market's ticks. The base is
BTC, the quote USDT; fees are paid in what is received.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

MAKER, TAKER = Decimal("0.0005"), Decimal("0.001")
AMOUNT_STEP, PRICE_STEP = Decimal("0.001"), Decimal("0.5")

EVERYTHING = ("to low", "to high", "to close")
SEEN_AFTER = {"open": EVERYTHING, "to low": ("to low",), "to high": ("to high", "to close")}
"""What an order still sees of a candle when it appears on a part of its path: on the way to the low, the low
is certainly ahead; whether the high is, nobody knows. The close is seen by all."""

Row = tuple[float, float, Decimal, Decimal, Decimal, Decimal]
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
    percent: Decimal | None = None
    born: float = 0
    expires: float = float("inf")
    ends_at_exit: bool = False
    exits: tuple[Ticket, ...] = ()
    group: str = ""
    ladder: tuple[Decimal, ...] = ()
    was_passed: bool = False
    sees: tuple[str, ...] = ()

    @property
    def level(self) -> Decimal:
        """The price that it waits for."""
        return self.stop if self.stop is not None else self.price or Decimal(0)

    @property
    def waits_below(self) -> bool:
        """Whether the price must fall to it."""
        return not self.stop_is_above if self.stop is not None else self.side == "buy"

    def is_reached(self, price: Decimal) -> bool:
        """Whether it wants to trade at this price."""
        return price <= self.level if self.waits_below else price >= self.level

    def needs(self) -> tuple[str, Decimal]:
        """What it keeps from being used; nothing while it waits for its stop."""
        if self.stop is not None:
            return "USDT", Decimal(0)
        return ("BTC", self.amount) if self.side == "sell" else ("USDT", self.amount * (self.price or 0))

    def pull(self, price: Decimal) -> None:
        """Follow a better price, if this is a trailing stop."""
        if self.percent is not None and self.stop is not None:
            sign, best = (1, min) if self.stop_is_above else (-1, max)
            self.stop = best(self.stop, cut(price * (100 + sign * self.percent) / 100, PRICE_STEP))


@dataclass
class SlowExchange:
    """Holdings, open tickets (oldest first), fills as (name, price, amount, time), and how others ended."""

    held: dict[str, Decimal]
    open: list[Ticket] = field(default_factory=list)
    fills: list[tuple[str, Decimal, Decimal, float]] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    # What the owner does

    def place(self, ticket: Ticket, mark: Decimal, now: float, force: str = "GTC") -> None:
        """Take an order in, unless it cannot be paid, or must not take and would."""
        takes = ticket.stop is None and (ticket.price is None or ticket.is_reached(mark))
        ticket = replace(ticket, born=now, price=mark if ticket.level == 0 else ticket.price)
        asset, needed = ticket.needs()
        if needed > self.free(asset) or (takes and force == "PO"):
            return
        self.open.append(ticket)
        if takes:
            self.fill(ticket, mark, mark, TAKER, now, "open")
        elif ticket.stop is not None and ticket.is_reached(mark):
            ticket.was_passed = True  # it trades at the next price that is known
        elif force in ("IOC", "FOK"):
            self.open.remove(ticket)

    def cancel(self, name: str) -> None:
        """Take an order off, with the one that it cancels."""
        for ticket in [one for one in self.open if one.name == name]:
            gone = self.others(ticket) if ticket.group.startswith("either") else []
            self.open = [one for one in self.open if one is not ticket and one not in gone]

    # What the market does

    def show_open(self, row: Row) -> None:
        """Let a candle open."""
        opens, _, first, *_ = row
        self.expire(opens)
        for ticket in self.open:
            ticket.sees = EVERYTHING if ticket.born <= opens else ()
        there = [ticket for ticket in self.open if ticket.born <= opens]
        self.show_to_all(first, opens, "open", lambda ticket: ticket in there or ticket.born == opens)
        for ticket in self.open:
            if ticket.sees:
                ticket.pull(first)

    def show_rest(self, row: Row) -> None:
        """Walk the rest of a candle whose open was shown."""
        opens, closes, first, low, high, close = row
        self.expire(closes)
        for ticket in self.open:
            ticket.sees = EVERYTHING if ticket.born <= opens else ()
        price = first
        for part, end in zip(EVERYTHING, (low, high, close), strict=True):
            for at in prices_between(price, end):
                self.show(at, closes, part)
            for ticket in self.open:
                if part in ticket.sees:
                    ticket.pull(end)
            price = end
        self.show_to_all(close, closes, "to close", lambda _: True)
        for ticket in self.open:
            ticket.pull(close)

    def expire(self, now: float) -> None:
        """End the orders whose time is over."""
        for ticket in sorted((one for one in self.open if one.expires < now), key=lambda one: one.expires):
            self.end(ticket, "expired")

    def show(self, price: Decimal, now: float, part: str) -> None:
        """Show one price on the way to those that see it, the oldest first, until nobody reacts any more."""
        while True:
            seeing = [ticket for ticket in self.open if part in ticket.sees]
            for ticket in seeing:
                if ticket.is_reached(price):
                    self.carry_out(ticket, price, price, now, part)
                    break
                if ticket.ends_at_exit and any(one.is_reached(price) for one in ticket.exits):
                    self.end(ticket, "canceled")
                    break
            else:
                return

    def show_to_all(self, price: Decimal, now: float, part: str, sees: object) -> None:
        """Show one price to all at once: first to those whose level a falling price passed first."""
        while True:
            found = []
            for age, ticket in enumerate(self.open):
                if not sees(ticket):  # type: ignore[operator]
                    continue
                levels = [(ticket, False)]
                levels += [(one, True) for one in ticket.exits] if ticket.ends_at_exit else []
                for waiting, is_exit in levels:
                    if waiting.is_reached(price):
                        order = -waiting.level if waiting.waits_below else waiting.level
                        found.append((not waiting.waits_below, order, age, is_exit, ticket))
            if not found:
                return
            *_, is_exit, ticket = min(found, key=lambda one: one[:4])
            if is_exit:
                self.end(ticket, "canceled")
            else:
                at = price if part == "open" or ticket.was_passed else ticket.level
                self.carry_out(ticket, at, at, now, part)

    # What becomes of orders

    def carry_out(self, ticket: Ticket, price: Decimal, mark: Decimal, now: float, part: str) -> None:
        """An order's price has come: trade, or become a limit order."""
        if ticket.stop is None:
            self.fill(ticket, ticket.price or price, mark, MAKER, now, part)
            return
        if ticket.price is None:
            self.fill(ticket, price, mark, TAKER, now, part)
            return
        asset, needed = replace(ticket, stop=None).needs()
        if needed > self.free(asset):
            self.end(ticket, "rejected")
            return
        ticket.stop, ticket.born, ticket.sees = None, now, SEEN_AFTER.get(part, ())
        if ticket.is_reached(price):
            self.fill(ticket, price, mark, TAKER, now, part)

    def fill(
        self, ticket: Ticket, price: Decimal, mark: Decimal, rate: Decimal, now: float, part: str
    ) -> None:
        """Trade the whole order; its group reacts, its exits appear."""
        moved = None
        for other in self.others(ticket):
            if ticket.group.startswith("either") or ticket.stop is not None:
                self.end(other, "canceled")
            elif other.stop is not None:
                other.amount -= ticket.amount
                if other.amount <= 0:
                    self.end(other, "canceled")
                elif other.ladder:
                    other.stop, *rest = other.ladder
                    other.ladder, other.born, other.sees = tuple(rest), now, SEEN_AFTER.get(part, ())
                    moved = other
        self.open.remove(ticket)
        cost = ticket.amount * price
        gives, gets = (("USDT", cost), ("BTC", ticket.amount)), (("BTC", ticket.amount), ("USDT", cost))
        (given, less), (got, more) = gives if ticket.side == "buy" else gets
        if less > self.free(given):
            self.ended.append((ticket.name, "rejected"))
            return
        self.held[given] -= less
        self.held[got] += more * (1 - rate)
        self.fills.append((ticket.name, price, ticket.amount, now))
        self.open_exits(ticket, rate, mark, now, part)
        if moved in self.open and moved is not None and moved.is_reached(mark):
            self.carry_out(moved, mark, mark, now, part)

    def open_exits(self, entry: Ticket, rate: Decimal, mark: Decimal, now: float, part: str) -> None:
        """Let exits appear; those that the price has passed already take the market."""
        received = cut(entry.amount * (1 - rate) if entry.side == "buy" else entry.amount, AMOUNT_STEP)
        profits = [one for one in entry.exits if one.stop is None]
        left, appeared = received, []
        for one in entry.exits:
            amount = received
            if one.stop is None:
                amount = cut(Fraction(received) * Fraction(one.amount) / Fraction(entry.amount), AMOUNT_STEP)
                amount = left if one is profits[-1] else amount
                left -= amount
            if amount <= 0:
                continue
            exit_ = replace(one, amount=amount, born=now, sees=SEEN_AFTER.get(part, ()))
            asset, needed = exit_.needs()
            if needed > self.free(asset):
                self.ended.append((exit_.name, "rejected"))
                continue
            self.open.append(exit_)
            appeared.append(exit_)
        for exit_ in appeared:
            if exit_ in self.open and exit_.is_reached(mark):
                self.fill(exit_, mark, mark, TAKER, now, part)

    def end(self, ticket: Ticket, status: str) -> None:
        """Take an order off that its owner counts on."""
        self.open.remove(ticket)
        self.ended.append((ticket.name, status))

    def free(self, asset: str) -> Decimal:
        """What no open order needs."""
        needs = [ticket.needs() for ticket in self.open]
        return self.held[asset] - sum((amount for of, amount in needs if of == asset), Decimal(0))

    def others(self, ticket: Ticket) -> list[Ticket]:
        """The rest of its group."""
        return [one for one in self.open if ticket.group == one.group != "" and one is not ticket]


def prices_between(start: Decimal, end: Decimal) -> Iterator[Decimal]:
    """Every price from one to the other, both included."""
    step = PRICE_STEP if end >= start else -PRICE_STEP
    for count in range(int((end - start) / step) + 1):
        yield start + count * step


def cut(value: Decimal | Fraction, step: Decimal) -> Decimal:
    """Round down to a step."""
    if isinstance(value, Fraction):
        return int(value / Fraction(step)) * step
    return (value / step).to_integral_value(ROUND_DOWN) * step
