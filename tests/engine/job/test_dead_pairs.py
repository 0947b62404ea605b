"""One pair that cannot be had never stops the others, whatever is wrong with it and since whenever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings

from engine.errors import ConfigurationError, RetryableError
from engine.market import generic_market
from engine.types import Symbol
from tests.engine.market.test_damaged_files import damages
from tests.support.builders import Invoked, action, automation, paper
from tests.support.live_job import LiveRun
from tests.support.market import HEADER
from tests.support.memory_exchange import MemoryExchange
from tests.support.public_answers import BINANCE, HOUR, NOW, START, AnsweringExchange, answering

SICK, WELL = "ETH/USDT", "BTC/USDT"

MOMENTS: dict[str, tuple[str, ...]] = {
    "first fetch": (),
    "open order": (f"limit('buy', '{SICK}', 0.1, '-50%')",),
    "held asset": (f"market('buy', '{SICK}', 0.1)",),
    "order and held asset": (f"market('buy', '{SICK}', 0.1)", f"limit('sell', '{SICK}', 0.05, '+90%')"),
}
"""What the automation has done with the pair, before it dies."""

SICK_SCRIPTS = {
    "sick price": f"price('{SICK}')",
    "sick close": f"close('{SICK}', '1h')[-1]",
    "sick order": f"market('buy', '{SICK}', 0.1)",
    "sick saved": f"if_error(price('{SICK}') + close('{SICK}', '1h')[-1], -1)",
}
WELL_SCRIPTS = {
    "well price": f"price('{WELL}')",
    "well close": f"close('{WELL}', '1h')[-1]",
    "well limit": f"limit('buy', '{WELL}', 0.1, '-50%')",
    "well order": f"market('buy', '{WELL}', 0.1)",
    "well account": "total('USDT')",
    "well sum": "1 + 1",
}


def on_paper(**details: Any) -> Invoked:
    """An automation with 1000 USDT, on some exchange."""
    return Invoked(paper(automation(action("start", "1")), {"USDT": 1_000}, **details))


def add(invoked: Invoked, scripts: dict[str, str]) -> None:
    dag = invoked.state["automation"].setdefault("actions_dag", {"actions": []})
    dag["actions"] += [action(key, script) for key, script in scripts.items()]


async def everything_else_runs(invoked: Invoked, now: float) -> None:
    """Add actions of both pairs, invoke, and see that those of the pair that is well have run."""
    add(invoked, {**SICK_SCRIPTS, **WELL_SCRIPTS})
    outcome = await invoked.invoke(now)
    assert outcome.status.value == "running" or outcome.next_due_at is None
    for key in WELL_SCRIPTS:
        invoked.result(key)
    for key in SICK_SCRIPTS:
        stored = invoked.action(key)
        if "executed_at" not in stored:
            assert stored["not_before"] > now
            assert any(f"'{key}' waits" in note for note in outcome.notes), outcome.notes


# Recorded


def record(folder: Path, base: str, hours: range, *, time_frame: str = "1h", text: str | None = None) -> None:
    path = folder / "candles" / "binance" / f"{base}-USDT-{time_frame}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{(START + hour * HOUR) * 1_000},100,101,99,100,5" for hour in hours]
    path.write_text("".join(f"{line}\n" for line in [HEADER, *rows]) if text is None else text)


def ends(folder: Path) -> None:
    record(folder, "ETH", range(4))


def begins_later(folder: Path) -> None:
    record(folder, "ETH", range(50, 60))


def has_a_hole(folder: Path) -> None:
    path = folder / "candles" / "binance" / "ETH-USDT-1h.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]))
    with path.open("a") as file:
        file.write(f"{(START + 15 * HOUR) * 1_000},100,101,99,100,5\n")


def vanishes(folder: Path) -> None:
    (folder / "candles" / "binance" / "ETH-USDT-1h.csv").unlink()


def becomes_nonsense(folder: Path) -> None:
    record(folder, "ETH", range(0), text="nonsense")


def lacks_the_time_frame(folder: Path) -> None:
    vanishes(folder)
    record(folder, "ETH", range(0, 40, 4), time_frame="4h")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    "die", [ends, begins_later, has_a_hole, vanishes, becomes_nonsense, lacks_the_time_frame]
)
async def test_on_a_recorded_market(tmp_path: Path, moment: str, die: Callable[[Path], None]) -> None:
    for base in ("BTC", "ETH"):
        record(tmp_path, base, range(40))
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(tmp_path)})
    )
    add(invoked, {f"before {number}": script for number, script in enumerate(MOMENTS[moment])})
    await invoked.invoke(START + 2 * HOUR)
    assert set(invoked.statuses) <= {None}

    die(tmp_path)
    await everything_else_runs(invoked, START + 9.5 * HOUR)
    await invoked.invoke(START + 12 * HOUR)
    assert invoked.result("well sum") == 2


@given(content=damages())
@settings(max_examples=40, deadline=None)
async def test_a_damaged_file_is_an_error_of_those_who_read_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    record(folder, "BTC", range(60))
    (folder / "candles" / "binance" / "ETH-USDT-1h.csv").write_bytes(content)
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(folder)})
    )
    add(invoked, {**SICK_SCRIPTS, **WELL_SCRIPTS})
    for hour in (5, 20):
        await invoked.invoke(START + hour * HOUR)
        for key in WELL_SCRIPTS:
            invoked.result(key)


async def test_orders_of_a_recording_that_has_ended_wait_and_are_told_of(tmp_path: Path) -> None:
    for base in ("BTC", "ETH"):
        record(tmp_path, base, range(40))
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(tmp_path)})
    )
    add(invoked, {"order": f"limit('buy', '{SICK}', 1, 40)"})
    await invoked.invoke(START + HOUR)
    ends(tmp_path)

    add(invoked, WELL_SCRIPTS)
    outcome = await invoked.invoke(START + 9 * HOUR)

    assert any("ETH/USDT: there are no candles from 2023-11-15T03:00:00Z" in note for note in outcome.notes)
    orders = invoked.state["automation"]["exchange_account_elements"]["orders"]["open_orders"]
    assert SICK in [order["symbol"] for order in orders]


# The end of a recording


async def test_the_end_of_the_recording_finishes_the_automation_and_names_what_is_left(
    tmp_path: Path,
) -> None:
    record(tmp_path, "BTC", range(5))
    record(tmp_path, "ETH", range(3))
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(tmp_path)})
    )
    add(invoked, {"order": f"limit('buy', '{WELL}', 1, 40)", "wait": f"wait({10 * HOUR})"})
    invoked.state["automation"]["actions_dag"]["actions"].append(action("then", f"price('{WELL}')", "wait"))
    await invoked.invoke(START + HOUR)

    outcome = await invoked.invoke(START + 11 * HOUR)

    assert (outcome.status.value, outcome.next_due_at) == ("finished", None)
    assert outcome.notes[-1] == (
        "the recording ended at 2023-11-15T04:00:00Z; still open: limit buy 1 BTC/USDT at 40"
    )
    assert "executed_at" not in invoked.action("then")


async def test_what_filled_before_the_recording_ended_is_settled(tmp_path: Path) -> None:
    record(tmp_path, "BTC", range(5))
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(tmp_path)})
    )
    add(invoked, {"order": f"limit('buy', '{WELL}', 1, 99.5)"})
    await invoked.invoke(START + HOUR)
    add(invoked, {"then": f"price('{WELL}')"})

    outcome = await invoked.invoke(START + 11 * HOUR)

    assert outcome.status.value == "finished"
    assert "ended at 2023-11-15T04:00:00Z; still open: nothing" in outcome.notes[-1]
    (trade,) = invoked.state["automation"]["exchange_account_elements"]["trades"]
    assert trade["price"] == "99.5"


async def test_a_start_behind_the_end_is_an_error_that_keeps_the_state(tmp_path: Path) -> None:
    record(tmp_path, "BTC", range(5))
    invoked = Invoked(
        paper(automation(action("start", "1")), {"USDT": 1_000}, recorded={"folder": str(tmp_path)})
    )
    add(invoked, {"price": f"price('{WELL}')"})
    with pytest.raises(ConfigurationError, match="outside the recording of BTC/USDT") as caught:
        await invoked.invoke(START + 11 * HOUR)
    assert caught.value.code == "recording_ended"


# Public


def candle(hour: int) -> list[Any]:
    opened = (START + hour * HOUR) * 1_000
    return [opened, "100", "101", "99", "100", "5", opened + HOUR * 1_000 - 1, "500", 7, "2", "200", "0"]


def both(exchange: AnsweringExchange) -> None:
    """Answer for both pairs by what is asked for."""

    def instead(request: web.Request) -> web.Response | None:
        symbol = request.query.get("symbol")
        if request.path.endswith("klines"):
            return web.json_response([candle(hour) for hour in range(5)])
        if request.path.endswith("24hr"):
            tickers = [{**BINANCE["24hr"], "symbol": f"{base}USDT"} for base in ("BTC", "ETH")]
            return web.json_response(next((one for one in tickers if one["symbol"] == symbol), tickers))
        return None

    exchange.instead = instead


def replaced(path: str, body: Any, status: int = 200) -> Callable[[AnsweringExchange], None]:
    """Answer differently what is asked of the sick pair under a path."""

    def die(exchange: AnsweringExchange) -> None:
        usual = exchange.instead

        def instead(request: web.Request) -> web.Response | None:
            asked = request.query.get("symbol", "")
            if request.path.endswith(path) and asked == "ETHUSDT":
                return web.json_response(body, status=status)
            if path == "24hr" and request.path.endswith(path) and not asked:
                tickers = [{**BINANCE["24hr"], "symbol": "BTCUSDT"}]
                tickers += [] if status != 200 else [{**body, "symbol": "ETHUSDT"}]
                return web.json_response(tickers)
            return usual(request)

        exchange.instead = instead

    return die


def delisted(exchange: AnsweringExchange) -> None:
    exchange.answers["exchangeInfo"]["symbols"].pop()
    usual = exchange.instead
    refused = {"code": -1121, "msg": "Invalid symbol."}

    def instead(request: web.Request) -> web.Response | None:
        if request.query.get("symbol") == "ETHUSDT":
            return web.json_response(refused, status=400)
        return usual(request)

    exchange.instead = instead
    forget()


def forget() -> None:
    from engine.market import PROCESS_CACHES

    PROCESS_CACHES._markets.clear()


PUBLIC_DEATHS: dict[str, Callable[[AnsweringExchange], None]] = {
    "delisted": delisted,
    "ticker at 0": replaced("24hr", {"lastPrice": "0"}),
    "ticker is null": replaced("24hr", {"lastPrice": None}),
    "ticker refused": replaced("24hr", {"code": -1121, "msg": "Invalid symbol."}, 400),
    "ticker fails": replaced("24hr", {"code": -1001, "msg": "Internal error."}, 500),
    "candles fail": replaced("klines", {"code": -1001, "msg": "Internal error."}, 500),
    "candles refused": replaced("klines", {"code": -1121, "msg": "Invalid symbol."}, 400),
    "no candles": replaced("klines", []),
    "candles are nonsense": replaced("klines", [[None] * 12, "text", {}]),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("death", PUBLIC_DEATHS)
async def test_on_an_exchange_on_paper(moment: str, death: str) -> None:
    async with answering(BINANCE) as exchange:
        both(exchange)
        invoked = on_paper(url=exchange.url)
        add(invoked, {f"before {number}": script for number, script in enumerate(MOMENTS[moment])})
        await invoked.invoke(NOW)
        assert set(invoked.statuses) <= {None}

        PUBLIC_DEATHS[death](exchange)
        await everything_else_runs(invoked, NOW + 700)

        both(exchange)
        if death != "delisted":
            await invoked.invoke(NOW + 1_400)
            assert "executed_at" in invoked.action("sick close"), "what waited has run"


async def test_if_error_sees_that_a_pair_is_dead() -> None:
    async with answering(BINANCE) as exchange:
        both(exchange)
        replaced("klines", {"code": -1121, "msg": "Invalid symbol."}, 400)(exchange)
        invoked = on_paper(url=exchange.url)
        add(invoked, {"saved": f"if_error(close('{SICK}', '1h')[-1], -1)", "other": f"price('{WELL}')"})
        await invoked.invoke(NOW)
        assert invoked.result("saved") == -1


async def test_an_exchange_that_gives_nothing_at_all_is_worth_another_try() -> None:
    async with answering(BINANCE) as exchange:
        invoked = on_paper(url=exchange.url)
        add(invoked, {"price": f"price('{WELL}')"})
        exchange.instead = lambda _request: web.json_response({"code": -1001}, status=503)
        with pytest.raises(RetryableError):
            await invoked.invoke(NOW)


async def test_candles_that_did_not_come_are_walked_when_they_do() -> None:
    async with answering(BINANCE) as exchange:
        both(exchange)
        invoked = on_paper(url=exchange.url)
        add(invoked, {"order": f"limit('buy', '{SICK}', 1, 50)"})
        await invoked.invoke(START + 0.5 * HOUR)
        usual = exchange.instead
        replaced("klines", {"code": -1001, "msg": "Internal error."}, 500)(exchange)
        add(invoked, {"look": f"price('{WELL}')"})
        await invoked.invoke(START + 2.5 * HOUR)
        assert not invoked.state["automation"]["exchange_account_elements"].get("trades")

        def fell_meanwhile(request: web.Request) -> web.Response | None:
            if not request.path.endswith("klines"):
                return usual(request)
            rows = [candle(hour) for hour in range(5)]
            rows[1][3] = "40"
            return web.json_response(rows)

        exchange.instead = fell_meanwhile
        add(invoked, {"again": f"close('{SICK}', '1h')[-1]"})
        await invoked.invoke(START + 4.5 * HOUR)
        (trade,) = invoked.state["automation"]["exchange_account_elements"]["trades"]
        assert trade["price"] == "50"


# Live


class Partial(MemoryExchange):
    """An exchange on which one pair can die."""

    def __init__(self) -> None:
        both = [generic_market(Symbol(symbol)) for symbol in (WELL, SICK)]
        super().__init__({WELL: 100, SICK: 100}, {"USDT": 1_000}, markets=both, clock=NOW)
        self.refused: set[str] = set()

    async def open_orders(self, symbol: Symbol) -> Any:
        self._refuse("open_orders", symbol)
        return await super().open_orders(symbol)

    async def order(self, order_id: Any, symbol: Symbol) -> Any:
        self._refuse("order", symbol)
        return await super().order(order_id, symbol)

    async def trades(self, symbol: Symbol, since: float) -> Any:
        self._refuse("trades", symbol)
        return await super().trades(symbol, since)

    async def find_orders(self, symbol: Symbol, *wanted: Any) -> Any:
        self._refuse("find_orders", symbol)
        return await super().find_orders(symbol, *wanted)

    def _refuse(self, name: str, symbol: Symbol) -> None:
        if symbol == SICK and name in self.refused:
            raise ConfigurationError(f"BadSymbol: there is no {symbol}", code="exchange_refuses")


LIVE_DEATHS = {
    "delisted": {"open_orders", "order", "trades", "find_orders", "markets"},
    "orders refused": {"open_orders", "order", "find_orders"},
    "trades refused": {"trades"},
    "not looked up": {"order", "find_orders"},
    "ticker fails": {"tickers"},
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("death", LIVE_DEATHS)
async def test_on_a_live_account(moment: str, death: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Partial()
    run = LiveRun(
        action("start", "1"),
        *(action(f"before {number}", script) for number, script in enumerate(MOMENTS[moment])),
        exchange=exchange,
    )
    await run.settle(NOW)
    assert set(run.statuses) <= {None}

    exchange.refused = LIVE_DEATHS[death]
    for order in list(exchange.orders.values()):
        if order.symbol == SICK and order.status == "open":
            exchange.cancel_elsewhere(order.id)
    market = exchange.market
    if "markets" in exchange.refused:
        market._markets = {Symbol(WELL): market._markets[Symbol(WELL)]}
    if "tickers" in exchange.refused:
        usual = market.tickers

        async def tickers(symbols: Any, *, now: float) -> Any:
            if SICK in symbols:
                raise RetryableError(f"no answer for {SICK}")
            return await usual(symbols, now=now)

        monkeypatch.setattr(market, "tickers", tickers)
    wells = {key: script for key, script in WELL_SCRIPTS.items() if "close" not in key}
    add(run, {"sick order": SICK_SCRIPTS["sick order"], **wells, "well wait": "wait(1000)"})
    for later in range(1, 6):
        await run.settle(NOW + 100 * later)

    for key in wells:
        run.result(key)
