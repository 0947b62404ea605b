"""How an entry of `exchange.json` is run: its setup and event through the product, by its group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.errors import DslError
from engine.market.bars import join_bars, price_now
from engine.market.market import DEFAULT_TICK, Bounds, Market
from engine.market.market_lists import parse_ccxt_markets
from engine.market.valuation import convert, price_path
from engine.money import ceil_to_tick, floor_to_tick
from engine.orders.building import check_ceilings
from engine.orders.exits import opened_exits
from engine.orders.limits import check_and_adapt, sweep_dust
from engine.orders.matching import crosses, first_touch
from engine.orders.quantity import Marker, parse_amount, parse_price, parse_quantity
from engine.orders.sizing import cap, resolve_amount, resolve_price
from engine.paper.book import PaperBook
from engine.paper.fills import Fill, fee_of
from engine.paper.futures import FuturesBooking
from engine.paper.ledger import Ledger
from engine.state import Fee, Order, Side
from engine.types import Asset, OrderId, Symbol
from tests.conformance.corpus import Case

BTC, USDT = Asset("BTC"), Asset("USDT")
SYMBOL: Final = Symbol("BTC/USDT")

Words = Mapping[str, Any]


def _market(**rules: Any) -> Market:
    return Market(SYMBOL, BTC, USDT, **rules)


def _tick(digits: int | None) -> Decimal:
    return DEFAULT_TICK if digits is None else Decimal(1).scaleb(-digits)


def _order(words: Words, **fields: Any) -> Order:
    """An order in the corpus' words: `{"type": "sell_limit", "qty": "8", "price": "60"}`."""
    side, _, kind = words["type"].partition("_")
    return Order(
        id=OrderId("order"),
        symbol=SYMBOL,
        side=side,
        type="limit" if kind == "limit" else "market",
        amount=words["qty"],
        filled=words.get("filled", "0"),
        price=words["price"],
        **fields,
    )


# Amounts and prices


async def _precision(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    (name,) = set(event) - {"mode"}
    tick = _tick(setup[f"{name}_digits"])
    rounded = floor_to_tick if event["mode"] == "truncate" else ceil_to_tick
    return {name: rounded(Decimal(event[name]), tick)}


async def _truncate(case: Case) -> Any:
    event = case.context["event"]
    return {"value": floor_to_tick(Decimal(event["value"]), _tick(event["digits"]))}


async def _parse(case: Case) -> Any:
    quantity = parse_quantity(case.context["event"]["text"])
    return {"kind": _KINDS[quantity.marker], "value": quantity.value}


_KINDS: Final[Mapping[Marker, str]] = {
    Marker.OFFSET: "delta_explicit",
    Marker.BASE: "base",
    Marker.QUOTE: "quote",
    Marker.AVAILABLE_PERCENT: "available_percent",
    Marker.ENTRY_PERCENT: "entry_percent",
}


class _Balance:
    """Holdings of which only the total is known."""

    def __init__(self, total: str) -> None:
        self._total = Decimal(total)

    def total(self) -> Decimal:
        return self._total

    available = pair_value = traded_value = position = total


async def _resolve(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    texts = event["amount"] if isinstance(event["amount"], list) else [event["amount"]]
    for text in texts[:-1]:  # of several, each has to be refused
        try:
            parse_amount(text)
        except DslError:
            continue
        return f"{text!r} is accepted"
    price = Decimal(setup.get("target_price") or setup.get("price") or 1)
    amount = resolve_amount(parse_amount(texts[-1]), price, _Balance(setup.get("account_balance", "0")))
    if "affordable" in setup:
        adapt = event["allow_holdings_adaptation"]
        return {"base_amount": cap(amount, Decimal(setup["affordable"]), adapt=adapt)}
    expected = case.expected["base_amount_before_holdings_cap"]
    if "/" in expected:
        dividend, divisor = expected.split("/")
        assert amount * int(divisor) - int(dividend) < Decimal("1e-20")
        return {"base_amount_before_holdings_cap": expected}
    return {"base_amount_before_holdings_cap": amount}


async def _offset(case: Case) -> Any:
    setup = case.context["setup"]
    texts = case.context["event"]["input"].partition(" (")[0].split(" or ")
    prices = {
        resolve_price(
            parse_price(text), Decimal(setup.get("current", 0)), lambda: Decimal(setup["average_entry"])
        )
        for text in texts
    }
    (price,) = prices
    return {"price": floor_to_tick(price, _tick(setup.get("price_digits")))}


async def _bridge(case: Case) -> Any:
    prices = {Symbol(symbol): Decimal(price) for symbol, price in case.context["setup"]["prices"].items()}
    amount, asset, _, unit = case.context["event"]["convert"].split()
    answer: dict[str, Any] = {"value": convert(Decimal(amount), asset, unit, prices)}
    if "bridge" in case.expected:
        path, held = [], asset
        for symbol in price_path(asset, unit, prices) or ():
            given, _, got = symbol.partition("/")
            given, got = (given, got) if held == given else (got, given)
            path.append(f"{given}>{got}")
            held = got
        answer["bridge"] = path
    return answer


# Limits and fees


def _bounds(words: Words) -> Bounds:
    minimum, maximum = (words.get(key) and Decimal(words[key]) for key in ("min", "max"))
    return Bounds(minimum or None, maximum or None)


async def _check_and_adapt(case: Case) -> Any:
    words, event = case.context["setup"]["market"], case.context["event"]
    market = _market(
        amount_tick=_tick(words["digits"]["amount"]),
        price_tick=_tick(words["digits"]["price"]),
        **{name: _bounds(words[name]) for name in ("amount", "cost", "price")},
    )
    parts = check_and_adapt(Decimal(event["quantity"]), Decimal(event["price"]), market)
    return {"orders": [list(part) for part in parts]}


async def _split(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    market = _market(
        amount_tick=_tick(setup["amount_digits"]),
        amount=Bounds(maximum=Decimal(setup["max_amount"])),
        cost=Bounds(maximum=Decimal(setup["max_cost"])),
    )
    parts = check_and_adapt(Decimal(event["quantity"]), Decimal(event["price"]), market)
    return {"orders": [list(part) for part in parts]}


async def _dust(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    market = _market(
        amount=Bounds(Decimal(setup["min_amount"])),
        cost=Bounds(Decimal(setup["min_cost"])),
    )
    amount, price = Decimal(event["quantity"]), Decimal(event["price"])
    return {"quantity": sweep_dust(amount, price, Decimal(setup["holding"]), market)}


async def _min_max(case: Case) -> Any:
    entry = {"symbol": SYMBOL, "base": BTC, "quote": USDT, **case.context["setup"]["market"]}
    market = parse_ccxt_markets([entry])[SYMBOL]
    names = (("amount", market.amount), ("cost", market.cost), ("price", market.price))
    return {
        key: value
        for name, bounds in names
        for key, value in ((f"{name}_min", bounds.minimum), (f"{name}_max", bounds.maximum))
    }


async def _ceilings(case: Case) -> Any:
    setup = case.context["setup"]
    ((adding, count),) = case.context["event"].items()
    limit = Order(id=OrderId("limit"), symbol=SYMBOL, side="buy", type="limit", amount=1, price=1)
    stop = limit.model_copy(update={"type": "stop_limit", "stop_price": Decimal(1)})
    present = [limit] * setup["open"]["limit"] + [stop] * setup["open"]["stop"]
    market = _market(max_orders=setup["max_per_kind"], max_stops=setup["max_per_kind"])
    check_ceilings([stop if "stop" in adding else limit] * count, present, market)
    return {"ok": True}


async def _fees(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    market = _market(
        maker=Decimal(str(setup["maker_percent"])) / 100, taker=Decimal(str(setup["taker_percent"])) / 100
    )
    side: Side = event["type"].partition("_")[0]
    fill = Fill(Decimal(event["price"]), 0, event["taker_or_maker"])
    fee = fee_of(market, side, Decimal(event["quantity"]), fill)
    currency = {"BTC": "base", "USDT": "quote"}[fee.currency or ""]
    return {"fee": fee.cost, "currency": currency, "rate": market.fee_rate(fill.liquidity)}


# The ledger


def _book(setup: Words, market: Market) -> PaperBook:
    totals = {Asset(asset): Decimal(total) for asset, (_, total) in setup["balances"].items()}
    ledger = Ledger(totals)
    futures = FuturesBooking(ledger, (), lambda _: market)
    return PaperBook(ledger, lambda _: market, lambda *_: None, futures)


def _balances(ledger: Ledger, expected: Words) -> dict[str, Any]:
    return {
        asset: [ledger.available(Asset(asset)), ledger.total(Asset(asset))]
        for asset in expected
        if asset in ("BTC", "USDT", "DOT")
    }


async def _lock(case: Case) -> Any:
    setup, event = case.context["setup"], case.context["event"]
    market = _market(maker=Decimal(0), taker=Decimal(0))
    book = _book(setup, market)
    if "cancel" in event:
        order = _order(event["cancel"])
        book.restore([order])
        assert _balances(book.ledger, setup["balances"]) == {
            asset: list(map(Decimal, pair)) for asset, pair in setup["balances"].items()
        }
        book.cancel([book.orders[order.id]])
        return _balances(book.ledger, case.expected)
    book.restore([_order(event["create"])])
    answer = _balances(book.ledger, case.expected)
    lock = book.ledger.lock_of(OrderId("order"))
    return answer | {"locked_quantity": lock.amount if lock else 0}


async def _fill(case: Case) -> Any:
    create, _ = case.context["event"]
    book = _book(case.context["setup"], _market(maker=Decimal(0), taker=Decimal(0)))
    book.restore([_order(create["create"])])
    (order,) = book.orders.values()
    expected = case.expected
    after_create = _balances(book.ledger, expected.get("after_create", {}))
    price = Decimal(create["create"]["price"])
    book.fill(order, Fill(price, 0, "taker"), price)
    if not after_create:
        return _balances(book.ledger, expected)
    return {
        "after_create": after_create,
        "after_fill": _balances(book.ledger, expected["after_fill"]),
    }


async def _create(case: Case) -> Any:
    """Create one order, whose fee may be due in quote."""
    setup, words = case.context["setup"], case.context["event"]["create"]
    rate = Decimal(str(setup.get("taker_percent", 0))) / 100
    fee_side: Any = "quote" if words.get("fee_currency") == "USDT" else "get"
    book = _book(setup, _market(maker=rate, taker=rate, fee_side=fee_side))
    order = _order(words)
    book.enter(order, Decimal(words["price"]) + 1, 0)
    return {"USDT_available": book.ledger.available(USDT)}


async def _transfer(case: Case) -> Any:
    ((kind, amount),) = case.context["event"].items()
    book = _book(case.context["setup"], _market())
    book.ledger.change({USDT: Decimal(amount) * (1 if kind == "deposit" else -1)})
    return _balances(book.ledger, case.expected)


# Orders

_P: Final = Decimal(100)
_T0: Final = 1_000.0


async def _rule(case: Case) -> Any:
    """Show the trades of a case to its order, each as a price of one instant."""
    setup = case.context["setup"]
    if "trades" not in case.context["event"]:
        book = _book({"balances": {"USDT": ["100", "100"]}}, _market())
        order = _order({"type": setup["order"], "qty": "1", "price": "100"})
        book.enter(order, _P, 0)
        return {"filled": order.status == "closed"}
    kinds: Mapping[str, dict[str, Any]] = {
        "sell_limit": {"type": "limit", "price": _P},
        "stop_loss_limit (limit P-10)": {"type": "stop_limit", "price": _P - 10, "stop_price": _P},
    }
    order = Order(
        id=OrderId("order"),
        symbol=SYMBOL,
        side="sell",
        amount=Decimal(1),
        created_at=_T0,
        **kinds[setup["order"]],
    )
    trades = case.context["event"]["trades"]
    bars = [price_now(float(_P) + _shift(price), _T0 + _shift(time)) for price, time in trades]
    for count in range(1, len(bars)):
        if first_touch(order, join_bars(bars[:count])) is not None:
            return {"filled_on": f"trade {count}"}
    last = first_touch(order, join_bars(bars))
    return {"filled_on": "last trade only" if last is not None else "none"}


def _shift(text: str) -> float:
    """Read `P-1` as -1, `t0` as 0."""
    return float(text.lstrip("P").removeprefix("t0") or 0)


async def _outdated_price(case: Case) -> Any:
    order = _order(
        {"type": case.context["setup"]["order"], "qty": "1", "price": case.context["setup"]["price"]}
    )
    mark = Decimal(case.context["event"]["mark_price"].rstrip("."))
    return {"price": mark if crosses(order, mark) else order.price}


async def _fee_reduction(case: Case) -> Any:
    quantity = case.context["setup"]["chained_quantity"]
    cost, currency = case.context["event"]["parent_fee"]
    entry = _order({"type": "buy_limit", "qty": quantity, "price": "10"})
    entry.filled, entry.fee = entry.amount, Fee(cost=cost, currency=currency)
    entry.chained = [_order({"type": "sell_limit", "qty": quantity, "price": "11"})]
    opened = opened_exits(entry, _market(amount_tick=Decimal("0.00001")), 0)
    return {"create": bool(opened), "quantity": opened[0].amount if opened else entry.amount}


EXCHANGE_MODES: Final[Mapping[str, Callable[[Case], Awaitable[Any]]]] = {
    "precision.price": _precision,
    "precision.amount": _precision,
    "precision.truncate": _truncate,
    "limits.check_and_adapt": _check_and_adapt,
    "limits.split": _split,
    "limits.dust": _dust,
    "limits.min_max": _min_max,
    "limits.open_orders": _ceilings,
    "fees.simulated": _fees,
    "portfolio.lock": _lock,
    "portfolio.fill": _fill,
    "portfolio.fill_fees": _create,
    "portfolio.negative": _create,
    "portfolio.transfer": _transfer,
    "fill.rule": _rule,
    "chained.outdated_price": _outdated_price,
    "chained.fee_reduction": _fee_reduction,
    "valuation.bridge": _bridge,
    "amount.parse": _parse,
    "amount.resolve": _resolve,
    "price.offset": _offset,
}
"""By the group of an entry."""
