"""How a case of each mode is run: its input through the product, its outcome in the corpus' terms."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine import AutomationJob, InvocationRequest
from engine.dsl import (
    CompiledScript,
    Defaults,
    Done,
    DSLExecutor,
    Kind,
    OperatorContext,
    OperatorRegistry,
    OperatorSet,
    ScriptContext,
    compile_script,
    operator,
)
from engine.errors import ActionStatus, DslError, OctoflowError
from engine.money import floor_to_tick
from engine.operators import default_registry
from engine.orders.quantity import Marker, parse_amount, parse_price, parse_quantity
from engine.orders.sizing import cap, resolve_amount, resolve_price
from engine.paper.context import PaperContext
from engine.state import ExchangeAccountElements, Order, Trade
from engine.values import format_decimal
from tests.conformance.compare import Failed
from tests.conformance.corpus import Case
from tests.conformance.exchange_modes import EXCHANGE_MODES
from tests.conformance.market import CaseMarket, account_elements
from tests.support.builders import scripts

NOW: Final = 1_700_000_000.0

Mode = Callable[[Case], Awaitable[Any]]


async def run(case: Case) -> Any:
    """Return the outcome of a case; an error is an outcome too."""
    try:
        return await MODES[case.mode](case)
    except OctoflowError as error:
        return Failed.of(error)


# Scripts


async def _evaluate(case: Case) -> Any:
    registry = _extended_registry([]) if "operators" in case.context else None
    value, _ = await _execute(case, registry)
    return value


async def _order(case: Case) -> Any:
    value, account = await _execute(case)
    if "open_orders" in case.context:
        return value
    orders = [
        *account.orders.open_orders,
        *(one for order in account.orders.open_orders for one in order.chained),
    ]
    return {
        "$orders": [_order_in_words(order) for order in orders],
        "$trades": [_trade_in_words(trade) for trade in account.trades],
    }


async def _trace(case: Case) -> Any:
    trace: list[Any] = []
    value, _ = await _execute(case, _extended_registry(trace))
    return {"$value": value, "$trace": trace}


async def _dependencies(case: Case) -> Any:
    found = _compile(case).dependencies(_defaults(case))
    rows = {(row.source == "orders", row.symbol, row.time_frame, row.source): None for row in found}
    return [
        {"kind": "symbol", "symbol": symbol, "time_frame": None}
        if is_order
        else {
            "kind": "exchange_data",
            "symbol": symbol,
            "time_frame": frame,
            "data_source": "OHLCV" if source == "candles" else "MarkPrice",
        }
        for is_order, symbol, frame, source in sorted(rows, key=lambda row: row[0])
    ]


async def _call_result(case: Case) -> Any:
    try:
        value = await _evaluate(case)
    except DslError as error:
        named, _, rest = error.message.partition(", ")
        known = error.status is not ActionStatus.DSL_EXECUTION_ERROR
        return {
            "succeeded": False,
            "error": error.status.value if known else named,
            "error_message": error.message if known else rest,
        }
    return {"succeeded": True, "error": None, "error_message": None, "result": value}


async def _error_statement_status(case: Case) -> Any:
    arguments = ", ".join(repr(argument) for argument in case.context["args"])
    script = compile_script(f"error({arguments})", default_registry())
    try:
        await DSLExecutor(script, ScriptContext(now=NOW)).run()
    except DslError as error:
        return {"status": error.status.value, "message": error.message}
    return None


async def _batch(case: Case) -> Any:
    state = scripts(*case.context["independent_actions"])
    job = AutomationJob(InvocationRequest(state=state, now=case.context["now"]))
    outcome = await job.run()
    actions = job.dump()["automation"]["actions_dag"]["actions"]
    return {
        "next_execution": outcome.next_due_at or 0,
        "actions": [
            {"completed": "executed_at" in action, "error_status": action.get("error_status")}
            for action in actions
        ],
    }


async def _execute(
    case: Case, registry: OperatorRegistry | None = None
) -> tuple[Any, ExchangeAccountElements]:
    script = _compile(case, registry)
    now = case.context.get("now", NOW)
    async with PaperContext(account_elements(case), source=CaseMarket(case), now=now, ids=_id) as exchange:
        dependencies = script.dependencies(_defaults(case))
        if dependencies or script.needs_exchange:
            await exchange.require(dependencies)
        context = ScriptContext(now=now, defaults=_defaults(case), services=exchange.services())
        result = await DSLExecutor(script, context).run()
        assert isinstance(result, Done), f"the script waits: {result}"
        return result.value, exchange.sync_back()[0]


def _compile(case: Case, registry: OperatorRegistry | None = None) -> CompiledScript:
    return compile_script(case.expression or "", registry or default_registry())


def _defaults(case: Case) -> Defaults:
    return Defaults(case.context.get("default_symbol"), case.context.get("default_time_frame"))


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name).hex


def _extended_registry(trace: list[Any]) -> OperatorRegistry:
    """The built-in operators, and those that cases define for themselves."""
    own = OperatorSet("corpus", "Operators of the corpus.")

    @operator(own, kind=Kind.PURE, example="plus_42()")
    def plus_42(*values: int) -> int:
        """Add 42."""
        return 42 + sum(values)

    @operator(own, kind=Kind.EFFECT, example="fx(1)")
    def fx(context: OperatorContext, v: Any = "dflt", w: Any = None, z: Any = None) -> Any:
        """Record a value and return it."""
        trace.append(v)
        return v

    return OperatorRegistry([*default_registry().sets(), own])


def _order_in_words(order: Order) -> dict[str, Any]:
    kind = order.type.upper()
    words: dict[str, Any] = {
        "type": kind if kind.startswith("STOP") else f"{order.side.upper()}_{kind}",
        "side": order.side,
        "price": order.stop_price if order.price is None else order.price,
        "quantity": order.amount,
    }
    optional = {
        "tag": order.tag,
        "reduce_only": order.reduce_only or None,
        "group": order.group and order.group.partition(":")[0],
        "cancel_policy": order.cancel_policy and order.cancel_policy["type"],
    }
    return words | {name: value for name, value in optional.items() if value is not None}


def _trade_in_words(trade: Trade) -> dict[str, Any]:
    return {
        "type": f"{trade.side}_{trade.type}".upper(),
        "side": trade.side,
        "quantity": trade.amount,
        "price": trade.price,
    }


# Amounts and prices

_KINDS: Final[Mapping[Marker, str]] = {
    Marker.NONE: "DELTA",
    Marker.BASE: "DELTA_BASE",
    Marker.QUOTE: "DELTA_QUOTE",
    Marker.OFFSET: "DELTA_EXPLICIT",
    Marker.ABSOLUTE: "FLAT",
    Marker.PERCENT: "PERCENT",
    Marker.AVAILABLE_PERCENT: "AVAILABLE_PERCENT",
    Marker.PAIR_PERCENT: "CURRENT_SYMBOL_ASSETS_PERCENT",
    Marker.TRADED_PERCENT: "TRADED_SYMBOLS_ASSETS_PERCENT",
    Marker.POSITION: "POSITION_PERCENT_ALIAS",
    Marker.POSITION_PERCENT: "POSITION_PERCENT",
    Marker.ENTRY: "ENTRY",
    Marker.ENTRY_PERCENT: "ENTRY_PERCENT",
}
"""The corpus' names of what a number counts."""


async def _parse_quantity(case: Case) -> Any:
    try:
        quantity = parse_quantity(_input(case))
    except DslError:
        words = {"symbol": "?", "type": "UNKNOWN", "value": None}
    else:
        value = None if quantity.value is None else format_decimal_exactly(quantity.value)
        words = {"symbol": quantity.marker.value, "type": _KINDS[quantity.marker], "value": value}
    return {name: words[name] for name in case.expected}


def format_decimal_exactly(value: Decimal) -> str:
    """A decimal without exponent; unlike for people, the sign of zero is kept."""
    return "-0" if value.is_zero() and value.is_signed() else format_decimal(value)


async def _price_offset(case: Case) -> Any:
    context = case.context
    quantity = parse_price(_input(case))
    price = resolve_price(
        quantity, Decimal(context["current_price"]), lambda: Decimal(context["entry_price"])
    )
    return format_decimal(floor_to_tick(price, Decimal(1).scaleb(-context["price_decimals"])))


async def _amount(case: Case) -> Any:
    context = case.context
    quantity = parse_amount(_input(case))
    target = Decimal(context.get("target_price") or context.get("current_price") or 1)
    requested = resolve_amount(quantity, target, _CaseHoldings(context))
    if "available" not in context:
        return {"$requested": requested}
    result = cap(requested, Decimal(context["available"]), adapt=context["allow_holdings_adaptation"])
    return {"$requested": requested, "$result": result}


class _CaseHoldings:
    """The holdings that a case names, in base."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._context = context

    def total(self) -> Decimal:
        return self._named("total_holding")

    def available(self) -> Decimal:
        return self._named("available_holding")

    def pair_value(self) -> Decimal:
        return self._named("symbol_assets_value_in_base")

    def traded_value(self) -> Decimal:
        return self._named("traded_assets_value_in_base")

    def position(self) -> Decimal:
        if self._context["position_mode"] != "one_way":
            raise DslError("hedge positions have two sizes", code="unsupported")
        return self._named("position_size")

    def _named(self, name: str) -> Decimal:
        if name not in self._context:
            raise DslError(f"the case has no {name}", code="invalid_parameter_format")
        return Decimal(self._context[name])


def _input(case: Case) -> Any:
    return case.context.get("input", case.expression)


MODES: Final[Mapping[str, Mode]] = {
    "eval": _evaluate,
    "live_candle": _evaluate,
    "trace": _trace,
    "order": _order,
    "dependencies": _dependencies,
    "call_result": _call_result,
    "error_statement_status": _error_statement_status,
    "batch": _batch,
    "parse_quantity": _parse_quantity,
    "price_offset": _price_offset,
    "amount": _amount,
    **EXCHANGE_MODES,
}
