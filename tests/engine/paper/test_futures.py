"""Linear futures on paper: margin, profit, liquidation, reduce-only, leverage, funding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ActionStatus, DslError, OperatorError
from engine.market.candles import Candles
from engine.market.funding import FundingRate
from engine.market.market import Market, generic_market
from engine.money import EXACT_CONTEXT
from engine.paper.book import PaperBook
from engine.paper.futures import FuturesBooking, profit
from engine.paper.ledger import Ledger
from engine.state import Order
from engine.types import Asset, OrderId, Symbol
from tests.support.memory_market import HOUR, MemoryMarket
from tests.support.paper import NOW, PaperRun, run_script

PERPETUAL = Symbol("BTC/USDT:USDT")
USDT = Asset("USDT")
FREE = Market(PERPETUAL, Asset("BTC"), USDT, maker=Decimal(0), taker=Decimal(0), kind="future")
BUY, SELL = (f"market('{side}', 'BTC/USDT:USDT', " for side in ("buy", "sell"))
FIVE_TIMES = "set_leverage('BTC/USDT:USDT', 5)"


class Scene:
    """A wallet of 1,000 USDT and a perpetual at 100 whose price a test sets."""

    def __init__(self, market: Market = FREE) -> None:
        self.market = MemoryMarket({PERPETUAL: "100", "BTC/USDT": "100"}, markets=[market])
        self.hour = 0
        self.last: PaperRun | None = None

    async def run(self, *scripts: str) -> PaperRun:
        for script in scripts:
            account = self.last.elements if self.last else {"USDT": 1_000}
            self.last = await run_script(script, self.market, account, now=NOW + self.hour * 3_600)
        assert self.last is not None
        return self.last

    async def price(self, price: str) -> PaperRun:
        """Let an hour pass in which the price goes there."""
        self.hour += 1
        self.market.prices[PERPETUAL] = Decimal(price)
        return await self.run("position('BTC/USDT:USDT')")


def wallet(after: PaperRun) -> tuple[Decimal, Decimal]:
    """Available and total."""
    held = after.elements.portfolio.content[USDT]
    return held.available, held.total


async def test_a_position_locks_its_margin_and_pays_its_fee_in_quote() -> None:
    scene = Scene(generic_market(PERPETUAL))
    after = await scene.run(FIVE_TIMES, BUY + "1)", "position('BTC/USDT:USDT')")
    assert (after.value["side"], after.value["amount"], after.value["entry_price"]) == ("long", 1, 100)
    assert (after.value["margin"], after.value["leverage"]) == (20, 5)
    assert wallet(after) == (Decimal("979.9"), Decimal("999.9"))


@pytest.mark.parametrize(("first", "second", "profit"), [(BUY, SELL, 10), (SELL, BUY, -10)])
async def test_closing_realises_the_profit(first: str, second: str, profit: int) -> None:
    scene = Scene()
    await scene.run(first + "1)")
    seen = await scene.price("110")
    assert seen.value["unrealised_pnl"] == profit
    assert wallet(seen) == (Decimal(900), Decimal(1_000))
    after = await scene.run(second + "1)")
    assert wallet(after) == (Decimal(1_000 + profit), Decimal(1_000 + profit))
    assert (await scene.price("110")).value is None


async def test_a_position_grows_at_its_average_price_and_shrinks_in_parts() -> None:
    scene = Scene()
    await scene.run(BUY + "1)")
    await scene.price("130")
    grown = await scene.run(BUY + "2)", "position('BTC/USDT:USDT')")
    assert (grown.value["entry_price"], grown.value["margin"]) == (120, 360)
    shrunk = await scene.run(SELL + "1)", "position('BTC/USDT:USDT')")
    assert (shrunk.value["amount"], shrunk.value["margin"]) == (2, 240)
    assert wallet(shrunk) == (Decimal(770), Decimal(1_010))


async def test_selling_more_than_the_position_turns_it_around() -> None:
    after = await Scene().run(BUY + "1)", SELL + "3)", "position('BTC/USDT:USDT')")
    assert (after.value["side"], after.value["amount"], after.value["margin"]) == ("short", 2, 200)


async def test_the_price_of_liquidation_takes_the_margin_and_no_more() -> None:
    scene = Scene()
    opened = await scene.run("set_leverage('BTC/USDT:USDT', 10)", BUY + "1, stop_loss_price=80)")
    (position,) = opened.elements.positions
    assert round(position.liquidation_price or Decimal(0), 4) == Decimal("90.3614")
    after = await scene.price("70")
    assert wallet(after) == (Decimal(990), Decimal(990))
    assert after.value is None
    assert after.orders == []
    assert (after.trades[-1].tag, after.trades[-1].price) == ("liquidation", position.liquidation_price)


async def test_a_stop_before_the_liquidation_saves_the_rest() -> None:
    scene = Scene()
    await scene.run("set_leverage('BTC/USDT:USDT', 10)", BUY + "1, stop_loss_price=95)")
    after = await scene.price("94")
    assert wallet(after) == (Decimal(994), Decimal(994))
    assert [trade.tag for trade in after.trades] == [None, None]


async def test_a_reduce_only_order_never_turns_a_position_around() -> None:
    scene = Scene()
    await scene.run(BUY + "1)", "limit('sell', 'BTC/USDT:USDT', 3, 110, reduce_only=True)")
    after = await scene.price("111")
    assert (after.trades[-1].amount, after.value) == (Decimal(1), None)
    with pytest.raises(DslError, match="no position") as refused:
        await scene.run(SELL + "1, reduce_only=True)")
    assert refused.value.status is ActionStatus.INVALID_ORDER


async def test_an_order_that_closes_needs_no_margin() -> None:
    after = await Scene().run(BUY + "'100%')", "limit('sell', 'BTC/USDT:USDT', '100p%', 120)")
    assert wallet(after) == (Decimal(0), Decimal(1_000))
    assert after.orders[0].amount == 10


async def test_amounts_count_the_leverage() -> None:
    after = await Scene().run(FIVE_TIMES, BUY + "'50%')")
    assert after.trades[0].amount == 25
    assert wallet(after) == (Decimal(500), Decimal(1_000))


async def test_leverage_changes_the_margin_of_an_open_position() -> None:
    scene = Scene()
    assert wallet(await scene.run(BUY + "5)", FIVE_TIMES)) == (Decimal(900), Decimal(1_000))
    await scene.run(BUY + "40)")
    with pytest.raises(DslError) as refused:
        await scene.run("set_leverage('BTC/USDT:USDT', 2)")
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS


async def test_spot_has_no_leverage_and_inverse_futures_are_refused() -> None:
    with pytest.raises(DslError) as spot:
        await Scene().run("set_leverage('BTC/USDT', 2)")
    assert spot.value.status is ActionStatus.INCOMPATIBLE_TRADING_TYPE
    inverse = Symbol("BTC/USD:BTC")
    market = MemoryMarket({inverse: "100"})
    with pytest.raises(DslError) as refused:
        await run_script("market('buy', 'BTC/USD:BTC', 1)", market, {"USD": 1_000})
    assert refused.value.status is ActionStatus.SYMBOL_INCOMPATIBLE_WITH_ACCOUNT


def at_hour(hour: float, rate: str, mark: str | None = None) -> FundingRate:
    """A funding so many hours after the scene begins."""
    return FundingRate(NOW + hour * 3_600, Decimal(rate), Decimal(mark) if mark else None)


@pytest.mark.parametrize(
    ("opens", "rate", "gain"),
    [(BUY, "0.0001", "-0.022"), (SELL, "0.0001", "0.022"), (BUY, "-0.0001", "0.022"), (SELL, "0", "0")],
)
async def test_a_long_pays_a_positive_funding_rate_out_of_its_margin_and_a_short_receives_it(
    opens: str, rate: str, gain: str
) -> None:
    scene = Scene()
    scene.market.rates = [at_hour(0.5, rate, "110")]
    await scene.run(opens + "2)")
    after = await scene.price("100")
    assert after.value["margin"] == 200 + Decimal(gain)
    assert wallet(after) == (Decimal(800), 1_000 + Decimal(gain))


async def test_funding_without_a_mark_price_counts_the_price_of_its_time() -> None:
    scene = Scene()
    scene.market.hourly = Candles.from_rows(
        HOUR, [(NOW, 100, 125, 100, 120, 1), (NOW + 3_600, 120, 140, 120, 140, 1)]
    )
    scene.market.rates = [at_hour(1, "0.01")]
    await scene.run(BUY + "1)")
    scene.hour = 1
    assert wallet(await scene.price("140"))[1] == Decimal("998.8")


async def test_each_funding_is_paid_once_and_only_for_what_was_held_then() -> None:
    scene = Scene()
    scene.market.rates = [at_hour(hour, "0.01", "100") for hour in (0, 1, 2, 3)]
    await scene.run(BUY + "1)")
    assert wallet(await scene.price("100"))[1] == 999, "bought at the first funding, so after it"
    assert wallet(await scene.run("position('BTC/USDT:USDT')"))[1] == 999
    assert wallet(await scene.run(SELL + "1)"))[1] == 999
    assert wallet(await scene.price("100"))[1] == 999
    assert scene.market.requests["funding"] == 1, "no position, no request"


async def test_orders_that_filled_before_a_funding_take_part_in_it_and_later_ones_do_not() -> None:
    scene = Scene()
    scene.market.hourly = Candles.from_rows(
        HOUR, [(NOW, 100, 100, 89, 95, 1), (NOW + 3_600, 95, 95, 79, 85, 1)]
    )
    scene.market.rates = [at_hour(1, "0.01", "100")]
    await scene.run(*(f"limit('buy', 'BTC/USDT:USDT', 1, {price})" for price in (90, 80)))
    scene.hour = 1
    after = await scene.price("85")
    assert (after.value["amount"], after.value["margin"]) == (2, 169)
    assert wallet(after) == (Decimal(830), Decimal(999))


async def test_a_paid_funding_brings_the_liquidation_nearer_and_before_a_stop() -> None:
    scene = Scene()
    scene.market.hourly = Candles.from_rows(HOUR, [(NOW + 3_600, 100, 100, 80, 100, 1)])
    scene.market.rates = [at_hour(0.5, "0.01", "100")]
    await scene.run("set_leverage('BTC/USDT:USDT', 10)", BUY + "1, stop_loss_price=91)")
    scene.hour = 1
    after = await scene.price("100")
    assert [trade.tag for trade in after.trades] == [None, "liquidation"]
    assert round(after.trades[-1].price, 4) == Decimal("91.3655")
    assert wallet(after) == (Decimal(990), Decimal(990))


async def test_funding_takes_no_more_than_the_margin() -> None:
    scene = Scene()
    scene.market.rates = [at_hour(0.5, "0.5", "100")]
    await scene.run("set_leverage('BTC/USDT:USDT', 10)", BUY + "1)")
    assert wallet(await scene.price("100")) == (Decimal(990), Decimal(990))


async def test_a_future_with_an_end_and_a_spot_market_have_no_funding() -> None:
    dated = Symbol("BTC/USDT:USDT-240329")
    market = MemoryMarket({dated: "100", "BTC/USDT": "100"})
    bought = await run_script(f"market('buy', '{dated}', 1)", market, {"USDT": 1_000})
    limit = await run_script("limit('buy', 'BTC/USDT', 1, 50)", market, bought.elements)
    await run_script(f"position('{dated}')", market, limit.elements, now=NOW + 3_600)
    assert market.requests["funding"] == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.decimals("0.001", "5", places=3),
            st.decimals("95", "110", places=2),
        ),
        st.tuples(
            st.just("fund"), st.decimals("-0.003", "0.003", places=8), st.decimals("95", "110", places=2)
        ),
    ),
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS, leverage=st.integers(1, 3))
def test_trades_and_funding_move_money_between_the_wallet_and_the_market_and_nothing_else_does(
    steps: list[tuple[str, Decimal, Decimal]], leverage: int
) -> None:
    ledger = Ledger({USDT: Decimal(1_000)})
    futures = FuturesBooking(ledger, (), lambda _: FREE)
    book = PaperBook(ledger, lambda _: FREE, lambda *_: None, futures)
    futures.set_leverage(PERPETUAL, Decimal(leverage), 0)
    held, received = Decimal(0), Decimal(0)  # of the market: contracts, and money for them and as funding
    for number, (side, amount, price) in enumerate(steps):
        if side == "fund":
            book.fund(PERPETUAL, amount, price, number)
            received -= held * price * amount
        else:
            name = OrderId(str(number))
            order = Order(id=name, symbol=PERPETUAL, side=side, type="market", amount=amount, price=price)
            try:
                book.enter(order, price, number)
            except OperatorError:
                continue
            signed = amount if side == "buy" else -amount
            held, received = held + signed, received - signed * price
        position = futures.position(PERPETUAL)
        unrealised = profit(position, position.amount, price) if position else Decimal(0)
        worth = ledger.total(USDT) + unrealised
        assert abs(worth - (1_000 + received + held * price)) < Decimal("1e-15")
        margin = position.margin if position else Decimal(0)
        assert EXACT_CONTEXT.subtract(ledger.total(USDT), ledger.available(USDT)) == margin


TRADES = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.decimals("0.001", "30", places=3),
        st.decimals("20", "400", places=2),
    ),
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(trades=TRADES, leverage=st.integers(1, 20))
def test_the_wallet_is_never_negative_and_its_locks_are_the_margins(
    trades: list[tuple[str, Decimal, Decimal]], leverage: int
) -> None:
    rules = generic_market(PERPETUAL)
    ledger = Ledger({USDT: Decimal(1_000)})
    futures = FuturesBooking(ledger, (), lambda _: rules)
    book = PaperBook(ledger, lambda _: rules, lambda *_: None, futures)
    futures.set_leverage(PERPETUAL, Decimal(leverage), 0)
    for number, (side, amount, price) in enumerate(trades):
        name = OrderId(str(number))
        order = Order(id=name, symbol=PERPETUAL, side=side, type="market", amount=amount, price=price)
        before = ledger.available(USDT), ledger.total(USDT)
        try:
            book.enter(order, price, number)
        except OperatorError:
            assert (ledger.available(USDT), ledger.total(USDT)) == before
        position = futures.position(PERPETUAL)
        margin = position.margin if position else Decimal(0)
        assert ledger.available(USDT) >= 0
        assert EXACT_CONTEXT.subtract(ledger.total(USDT), ledger.available(USDT)) == margin
