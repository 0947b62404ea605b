"""A live account: everything a script asks for is fixed and planned; nothing is sent when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from engine.dsl import DataDependency
from engine.effects.intents import IntentDraft, Planned
from engine.errors import ActionStatus, OperatorError
from engine.exchanges.capabilities import Capabilities
from engine.live.account import LiveAccount
from engine.market.market import Bounds, Market, generic_market
from engine.market.market_protocols import Ticker
from engine.orders.account_protocols import OrderFilter
from engine.orders.exits import Exits, TakeProfit
from engine.orders.options import TAKE_PROFITS_FIRST
from engine.state import Order, Position
from engine.types import Asset, EffectKey, OrderId, Symbol
from tests.support.live_run import LiveRun, asked, keyed, live_state
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, ETH

USDT = Asset("USDT")
FUTURE, INVERSE = Symbol("BTC/USDT:USDT"), Symbol("BTC/USD:BTC")
BOTH = Exits(Decimal(45_000), (TakeProfit(Decimal(55_000), Fraction(1)),))


async def planned(
    ask: Callable[[LiveAccount], Planned | Any], run: LiveRun | None = None, symbol: Symbol = BTC
) -> list[IntentDraft]:
    """What an account plans when it is asked."""
    drafts: list[IntentDraft] = []

    def act(account: LiveAccount) -> None:
        answer = ask(account)
        drafts.extend(account.take_drafts())
        assert answer == Planned(tuple(draft.key for draft in drafts))
        assert account.take_drafts() == []
        assert account.effects == 0

    await (run or LiveRun(MemoryExchange())).invoke(act, needs=[DataDependency(symbol, None, "orders")])
    return drafts


async def refused(
    ask: Callable[[LiveAccount], object], run: LiveRun | None = None, symbol: Symbol = BTC
) -> OperatorError:
    """The error with which an account refuses at once."""
    with pytest.raises(OperatorError) as error:
        await planned(ask, run, symbol)
    return error.value


def orders_of(drafts: list[IntentDraft]) -> list[Order]:
    return [Order.model_validate(draft.params) for draft in drafts]


async def test_an_order_is_planned_with_everything_fixed_and_nothing_is_sent() -> None:
    run = LiveRun(MemoryExchange())
    drafts = await planned(
        lambda account: account.place(
            asked("limit", "buy", "0.01", price="40000", tag="mine", exits=BOTH), keyed("call")
        ),
        run,
    )
    (draft,), (order,) = drafts, orders_of(drafts)
    assert (draft.leg, draft.kind, draft.key) == ("0", "create_order", keyed("call")("0"))
    assert (order.amount, order.price, order.tag) == (Decimal("0.01"), Decimal(40_000), "mine")
    assert order.client_order_id == draft.key
    assert [one.client_order_id for one in order.chained] == [keyed("call")("0/stop"), keyed("call")("0/tp1")]
    assert run.sent == []


async def test_client_order_ids_are_what_the_exchange_takes() -> None:
    short = Capabilities(prefix="t-", length=28, finds_by_client_id=True)
    run = LiveRun(MemoryExchange(capabilities=short))
    drafts = await planned(
        lambda account: account.place(
            asked("limit", "buy", "0.01", price="40000", exits=BOTH), keyed("call")
        ),
        run,
    )
    (order,) = orders_of(drafts)
    names = [one.client_order_id for one in (order, *order.chained)]
    keys = [keyed("call")(leg) for leg in ("0", "0/stop", "0/tp1")]
    assert names == [short.client_order_id(EffectKey(key)) for key in keys]


async def test_exits_that_are_to_stand_first_come_first() -> None:
    first = Exits(BOTH.stop, BOTH.take_profits, swap_strategy=TAKE_PROFITS_FIRST)
    drafts = await planned(
        lambda account: account.place(
            asked("limit", "buy", "0.01", price="40000", exits=first), keyed("call")
        )
    )
    assert [one.type for one in orders_of(drafts)[0].chained] == ["limit", "stop_loss"]


async def test_orders_are_split_and_floored_as_on_paper() -> None:
    rules = Market(
        BTC,
        Asset("BTC"),
        USDT,
        amount_tick=Decimal("0.1"),
        price_tick=Decimal(5),
        amount=Bounds(Decimal("0.5"), Decimal(2)),
    )
    run = LiveRun(MemoryExchange(markets=[rules]))
    drafts = await planned(
        lambda account: account.place(asked("limit", "buy", "4.77", price="40003"), keyed("call")), run
    )
    assert [draft.leg for draft in drafts] == ["0", "1", "2"]
    assert [(one.amount, one.price) for one in orders_of(drafts)] == [
        (Decimal("0.7"), Decimal(40_000)),
        (2, Decimal(40_000)),
        (2, Decimal(40_000)),
    ]


@pytest.mark.parametrize(
    ("rules", "request_fields", "status", "says"),
    [
        ({"amount": Bounds(Decimal(1))}, {}, ActionStatus.INVALID_ORDER, "minimum is 1 BTC"),
        ({"max_orders": 0}, {}, ActionStatus.INVALID_ORDER, "takes 0 open limit orders"),
        (
            {"stops": False},
            {"kind": "stop_loss", "stop_price": "30000"},
            ActionStatus.UNSUPPORTED_STOP_ORDER,
            "not supported on this exchange",
        ),
    ],
    ids=["below the minimum", "above the ceiling", "a stop where there is none"],
)
async def test_what_the_exchange_would_not_take_is_refused_at_once(
    rules: dict[str, Any], request_fields: dict[str, str], status: ActionStatus, says: str
) -> None:
    run = LiveRun(MemoryExchange(markets=[Market(BTC, Asset("BTC"), USDT, **rules)]))
    fields = {"kind": "limit", "price": "40000"} | request_fields
    kind = fields.pop("kind")
    error = await refused(
        lambda account: account.place(asked(kind, "buy", "0.01", **fields), keyed("call")), run
    )
    assert error.status is status
    assert says in error.message


async def test_the_portfolio_is_the_exchange_s_and_the_orders_are_the_automation_s() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 1_000, "BTC": 2}))
    await run.place(asked("limit", "buy", "0.01", price="40000"))
    run.exchange.accept(
        Order(
            id=OrderId("x"), symbol=BTC, side="sell", type="limit", amount=Decimal(1), price=Decimal(60_000)
        )
    )
    seen: list[object] = []
    await run.invoke(
        lambda account: seen.extend(
            [
                [account.total(Asset("BTC")), account.available(Asset("BTC")), account.available(USDT)],
                [order.id for order in account.open_orders()],
                account.total(Asset("XRP")),
                set(account.assets()),
            ]
        )
    )
    assert seen == [[2, 1, 600], ["1"], 0, {"BTC", "USDT"}]


async def test_an_order_is_found_by_its_id_or_its_client_id_open_or_not() -> None:
    run = LiveRun(MemoryExchange())
    await run.place(asked("limit", "buy", "0.01", price="40000"))
    client_id = run.orders[0].client_order_id or ""
    found: list[Order | None] = []

    def look(account: LiveAccount) -> None:
        names = (OrderId("1"), OrderId(client_id), OrderId("unknown"))
        found[:] = [account.order(BTC, name) for name in names]
        found.append(account.order(ETH, OrderId("1")))

    await run.invoke(look)
    assert [one and one.status for one in found] == ["open", "open", None, None]
    run.exchange.fill("1")
    await run.invoke(look)
    assert [one and one.status for one in found] == ["closed", None, None, None]


async def test_a_cancelled_order_can_be_looked_up_until_the_invocation_after() -> None:
    run = LiveRun(MemoryExchange())
    await run.place(asked("limit", "buy", "0.01", price="40000"))
    run.exchange.cancel_elsewhere("1")
    await run.invoke()
    found: list[Order | None] = []
    await run.invoke(lambda account: found.append(account.order(BTC, OrderId("1"))))
    assert [one and one.status for one in found] == ["canceled"]


@pytest.mark.parametrize(("side", "price"), [("buy", 50_010), ("sell", 49_990)])
async def test_a_market_order_is_counted_at_the_other_side_of_the_book(side: str, price: int) -> None:
    run = LiveRun(MemoryExchange())
    ticker = Ticker(BTC, Decimal(50_000), 0, bid=Decimal(49_990), ask=Decimal(50_010))

    async def tickers(symbols: Collection[Symbol], *, now: float) -> Mapping[Symbol, Ticker]:
        return {BTC: ticker}

    run.exchange.market.tickers = tickers  # type: ignore[method-assign]
    drafts = await planned(lambda account: account.place(asked("market", side, "0.01"), keyed("c")), run)
    assert orders_of(drafts)[0].price == price


async def test_a_cancellation_names_the_orders_and_what_cannot_live_without_them() -> None:
    rules = [generic_market(FUTURE)]
    run = LiveRun(
        MemoryExchange({FUTURE: 50_000}, {"USDT": 100_000, "BTC": 9}, markets=rules),
        state=live_state("future"),
    )
    await run.place(asked("market", "buy", "1", FUTURE, exits=BOTH))
    await run.until_quiet()
    second = OrderFilter(symbol=FUTURE, ids=[OrderId("2")])
    drafts = await planned(lambda account: account.cancel(second, keyed("cancel")), run, FUTURE)
    assert [(draft.kind, draft.leg, draft.params["id"]) for draft in drafts] == [
        ("cancel_order", "0", "2"),
        ("cancel_order", "1", "3"),
    ]


async def test_cancelling_what_stands_forgets_what_waits_for_its_place() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=BOTH))
    await run.until_quiet()
    assert len(run.elements.orders.inactive_orders) == 1
    await run.invoke(lambda account: account.cancel(OrderFilter(symbol=BTC), keyed("cancel")))
    await run.until_quiet()
    orders = run.elements.orders
    assert run.orders == orders.missing_orders == orders.inactive_orders == []


async def test_an_exit_that_waits_is_cancelled_without_the_exchange() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    profits = (TakeProfit(Decimal(55_000), Fraction(1, 2)), TakeProfit(Decimal(60_000), Fraction(1, 2)))
    await run.place(asked("market", "buy", "1", exits=Exits(Decimal(45_000), profits)))
    await run.until_quiet()
    (first, second) = run.elements.orders.inactive_orders
    answers: list[object] = []
    await run.invoke(
        lambda account: answers.append(account.cancel(OrderFilter(ids=[first.id]), keyed("cancel")))
    )
    assert answers == [[first.id]]
    assert run.pending == []
    assert [order.id for order in run.elements.orders.inactive_orders] == [second.id]


async def test_cancelling_what_is_not_there_says_so() -> None:
    error = await refused(
        lambda account: account.cancel(OrderFilter(symbol=BTC, side="buy"), keyed("cancel"))
    )
    assert error.status is ActionStatus.ORDER_NOT_FOUND
    assert "no open order of BTC/USDT with side buy" in error.message


async def test_a_withdrawal_is_planned_under_a_client_id() -> None:
    to: dict[str, Any] = {"network": "TRX", "address": "T1", "tag": "7", "key": keyed("w")}
    (draft,) = await planned(lambda account: account.withdraw(USDT, Decimal(10), **to))
    assert (draft.kind, draft.params["txid"], draft.params["tag"]) == ("withdraw", keyed("w")("0"), "7")

    error = await refused(lambda account: account.withdraw(USDT, Decimal(100_000), **to))
    assert error.status is ActionStatus.NOT_ENOUGH_FUNDS

    blind = LiveRun(MemoryExchange(capabilities=Capabilities(finds_by_client_id=True)))
    error = await refused(lambda account: account.withdraw(USDT, Decimal(10), **to), blind)
    assert error.status is ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR


async def test_a_leverage_is_planned_remembered_and_taken_from_the_position() -> None:
    exchange = MemoryExchange({FUTURE: 50_000}, markets=[generic_market(FUTURE)])
    run = LiveRun(exchange, state=live_state("future"))
    needs = [DataDependency(FUTURE, None, "orders")]
    await run.invoke(lambda account: account.set_leverage(FUTURE, Decimal(3), keyed("l")), needs=needs)
    await run.invoke()
    seen: list[object] = []
    look: Callable[[LiveAccount], None] = lambda account: seen.append(  # noqa: E731
        (account.leverage(FUTURE), account.position(FUTURE))
    )
    await run.invoke(look)
    held = Position(
        symbol=FUTURE, side="long", amount=Decimal(1), entry_price=Decimal(50_000), leverage=Decimal(5)
    )
    exchange.open_positions.append(held)
    await run.invoke(look)
    exchange.open_positions.clear()
    await run.invoke(look)
    assert seen == [(3, None), (5, held), (5, None)]


async def test_the_leverage_of_a_symbol_without_a_position_is_the_exchange_s_if_it_tells() -> None:
    exchange = MemoryExchange({FUTURE: 50_000}, markets=[generic_market(FUTURE)])
    exchange.open_positions.append(
        Position(symbol=FUTURE, side="long", amount=Decimal(0), entry_price=Decimal(0), leverage=Decimal(20))
    )
    seen: list[object] = []
    await LiveRun(exchange, state=live_state("future")).invoke(
        lambda account: seen.append((account.leverage(FUTURE), account.position(FUTURE))),
        needs=[DataDependency(FUTURE, None, "orders")],
    )
    assert seen == [(20, None)]


async def test_a_leverage_that_nobody_set_is_one_and_spot_has_none() -> None:
    seen: list[Decimal] = []
    await LiveRun(MemoryExchange()).invoke(lambda account: seen.append(account.leverage(BTC)))
    assert seen == [1]
    error = await refused(lambda account: account.set_leverage(BTC, Decimal(3), keyed("l")))
    assert error.status is ActionStatus.INCOMPATIBLE_TRADING_TYPE


async def test_a_reduce_only_order_needs_a_position_to_reduce() -> None:
    exchange = MemoryExchange({FUTURE: 50_000}, markets=[generic_market(FUTURE)])
    run = LiveRun(exchange, state=live_state("future"))
    close = asked("market", "sell", "1", FUTURE, reduce_only=True)
    error = await refused(lambda account: account.place(close, keyed("c")), run, FUTURE)
    assert error.status is ActionStatus.INVALID_ORDER
    exchange.open_positions.append(
        Position(symbol=FUTURE, side="long", amount=Decimal(1), entry_price=Decimal(50_000))
    )
    assert await planned(lambda account: account.place(close, keyed("c")), run, FUTURE)


async def test_inverse_futures_are_refused() -> None:
    rules = Market(INVERSE, Asset("BTC"), Asset("USD"), kind="future")
    run = LiveRun(MemoryExchange({INVERSE: 50_000}, markets=[rules]), state=live_state("future"))
    error = await refused(
        lambda account: account.place(asked("market", "buy", "1", INVERSE), keyed("c")), run, INVERSE
    )
    assert error.status is ActionStatus.SYMBOL_INCOMPATIBLE_WITH_ACCOUNT
