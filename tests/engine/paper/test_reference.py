"""The engine against the slow exchange: random orders over random candles, looked at at random moments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.orders.account_protocols import OrderRequest
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from tests.engine.paper.reference import AMOUNT_STEP, SlowExchange, Ticket, cut
from tests.engine.paper.scenes import SPOT, WAITING, candle_rows, steps_of
from tests.support.candle_market import START, CandleMarket, Row, Step, candles_of, play

HOUR = 3_600.0
LENGTH = 10
END = START + LENGTH * HOUR
HOLDINGS = {"BTC": "2", "USDT": "250"}


@settings(max_examples=100, deadline=None)
@given(
    rows=candle_rows(LENGTH),
    steps=steps_of(SPOT, LENGTH),
    cuts=st.lists(st.integers(0, LENGTH * 6).map(lambda part: START + part * 600), max_size=4),
)
def test_fills_and_balances_are_those_of_the_slow_exchange(
    rows: list[Row], steps: list[Step], cuts: list[float]
) -> None:
    with localcontext(prec=60):
        slow = slowly(rows, steps)
    played = play(CandleMarket(candles_of(rows), SPOT), HOLDINGS, steps, [*cuts, END])

    assert played.fills == slow.fills
    assert played.statuses == slow.ended
    known = [(order.id, order.stop_price, order.amount) for order in played.elements.orders.open_orders]
    assert known == [(one.name, one.stop, one.amount) for one in slow.open]
    balances = played.elements.portfolio.content
    assert {str(asset): held.total for asset, held in balances.items()} == {
        asset: held for asset, held in slow.held.items() if held
    }
    assert {str(asset): held.available for asset, held in balances.items()} == {
        asset: slow.free(asset) for asset, held in slow.held.items() if held
    }
    event(f"{min(len(slow.fills), 5)} fills")


def slowly(rows: list[Row], steps: list[Step]) -> SlowExchange:
    """Let the same happen on the slow exchange."""
    slow = SlowExchange({asset: Decimal(held) for asset, held in HOLDINGS.items()})
    for index, row in enumerate(rows):
        opens = START + index * HOUR
        first, high, low, close = (Decimal(str(price)) for price in row)
        candle = (opens, opens + HOUR, first, low, high, close)
        slow.show_open(candle)
        for step in steps:
            if opens <= step.time < opens + HOUR:
                slow.expire(step.time)
                for number, act in enumerate(step.acts):
                    assert isinstance(act, OrderRequest)
                    name = f"{number}@{int(step.time - START)}"
                    slow.place(ticket_of(act, name, first), first, step.time, act.time_in_force)
                if step.time == opens:
                    slow.show_open(candle)  # its price is still the one of this moment
        slow.show_rest(candle)
    return slow


def ticket_of(request: OrderRequest, name: str, mark: Decimal) -> Ticket:
    """Say an order in the words of the slow exchange."""
    is_buy, policy = request.side == "buy", request.cancel_policy or {}
    ticket = Ticket(
        name,
        request.side,
        request.amount,
        price=request.price,
        stop=request.stop_price,
        stop_is_above=WAITING.get(request.type, False) == is_buy,
        percent=request.trailing_percent,
        expires=policy.get("expiration_time", float("inf"))
        if policy.get("type") == EXPIRATION_TIME
        else 1e18,
        ends_at_exit=policy.get("type") == CHAINED_PRICE,
    )
    return replace(ticket, exits=exits_of(request, name, request.price or request.stop_price or mark))


def exits_of(request: OrderRequest, name: str, price: Decimal) -> tuple[Ticket, ...]:
    """Return the stop and the take-profits that hang on an order."""
    exits, other = request.exits, "sell" if request.side == "buy" else "buy"
    profits = [one.price for one in exits.take_profits]
    kind = "either" if len(profits) == 1 and not exits.trails else "balanced"
    group = f"{kind}:{name}" if exits.stop is not None and profits else ""
    amounts = [cut(request.amount / len(profits), AMOUNT_STEP) for _ in profits[1:]]
    amounts.append(request.amount - sum(amounts))  # the last absorbs rounding
    tickets = []
    if exits.stop is not None:
        ladder = (price, *profits[:-1]) if exits.trails else ()
        tickets.append(
            Ticket(
                f"{name}/stop", other, request.amount, stop=exits.stop, stop_is_above=other == "buy",
                group=group, ladder=ladder,
            )
        )  # fmt: skip
    for number, (target, amount) in enumerate(zip(profits, amounts, strict=False), start=1):
        tickets.append(Ticket(f"{name}/tp{number}", other, amount, target, group=group))
    return tuple(tickets)
