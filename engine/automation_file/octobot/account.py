"""The account of an automation of OctoBot: where it is, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from engine.automation_file.octobot.orders import (
    DETAILS,
    SIDES,
    Ownership,
    is_inactive,
    read_fee,
    read_order,
    read_symbol,
    read_type,
)
from engine.automation_file.octobot.reading import Part, shown
from engine.money import ZERO, exact
from engine.state import (
    AccountMetadata,
    AuthDetails,
    Balance,
    ConfiguredPortfolio,
    ExchangeAccountDetails,
    ExchangeAccountElements,
    ExchangeDetails,
    Holding,
    Order,
    Orders,
    Portfolio,
    Position,
    Trade,
    Transaction,
)
from engine.types import Asset, OrderId, Timestamp

UNNAMED_KEYS: Final = "env:OCTOBOT"
"""Reference of an account whose keys were in the source: it stays live, and runs once they are found."""

_ANYTHING_SECRET: Final = ("api_key", "api_secret", "api_password", "access_token", "encrypted")

_EXCHANGE: Final[Mapping[str, str | None]] = {
    "exchange_id": None,
    "exchange_credential_id": "keys are found by `auth_details.credential_ref` here: not kept",
}

_AUTH: Final[Mapping[str, str | None]] = {
    "exchange_type": None,
    "exchange_account_id": None,
    "exchange_credential_id": None,
    "broker_enabled": None,
    "incompatible_assets": "what cannot be traded is asked of the exchange here: not kept",
}

_HOLDING: Final[Mapping[str, str | None]] = dict.fromkeys(
    ("unlocked_available", "unlocked_total", "unlocked_value"), None
)

_PORTFOLIO: Final[Mapping[str, str | None]] = {
    "asset_values": None,
    "initial_value": "what the account was worth at first: not kept",
    "full_content": "the part of the account that is not the automation's: not kept",
}

_ELEMENTS: Final[Mapping[str, str | None]] = {
    "trade_summaries": "ids of older trades: not kept, the newest 200 trades are",
}

_POSITION: Final[Mapping[str, str | None]] = {
    **dict.fromkeys(("id", "local_id", "status", "timestamp", "notional", "mark_price", "value"), None),
    **dict.fromkeys(("initial_margin", "maintenance_margin_rate", "contract_type", "contract_size"), None),
    **dict.fromkeys(("bankruptcy_price", "closing_fee", "auto_deposit_margin"), None),
    "realised_pnl": "profit that was taken is in the portfolio: not kept",
}

_TRADE: Final[Mapping[str, str | None]] = {
    **DETAILS,
    **dict.fromkeys(
        ("status", "reduceOnly", "id", "order_id", "exchange_id", "creation_time", "filled"), None
    ),
}

_TRANSACTION: Final[Mapping[str, str | None]] = {
    **dict.fromkeys(("id", "info", "internal", "address_from", "datetime"), None),
    "comment": "not kept",
}

_KINDS: Final[Mapping[str, Literal["deposit", "withdrawal"]]] = {
    "deposit": "deposit",
    "blockchain_deposit": "deposit",
    "withdrawal": "withdrawal",
    "blockchain_withdrawal": "withdrawal",
}

_MARKETS: Final[Mapping[str, Literal["spot", "future"]]] = {"spot": "spot", "future": "future"}


def is_live(details: Part) -> bool:
    """Whether an account of the source has keys, which makes it a live one there and here."""
    auth = details.part("auth_details")
    return any(name in auth for name in (*_ANYTHING_SECRET, "credential_ref", "exchange_credential_id"))


def read_details(part: Part, credentials: str | None) -> ExchangeAccountDetails:
    """Return where the account is; its keys are never taken over.

    Args:
        part: `exchange_account_details` of the source.
        credentials: where the keys of a live account are found here.
    """
    live = is_live(part)
    metadata, exchange, auth = part.part("metadata"), part.part("exchange_details"), part.part("auth_details")
    details = ExchangeAccountDetails(
        metadata=AccountMetadata(name=metadata.text("name")),
        exchange_details=_exchange(exchange, auth),
        auth_details=AuthDetails(credential_ref=_reference(auth, credentials) if live else None),
        portfolio=_configured(part.part("portfolio")),
    )
    metadata.leave({"id": None, "updated_at": None})
    exchange.leave(_EXCHANGE)
    auth.leave(_AUTH)
    part.leave({})
    return details


def read_portfolio(part: Part) -> Portfolio:
    """Return the balances that an automation has."""
    content = part.part("content")
    balances = {}
    for asset in content.names():
        balance = content.part(asset)
        total, available = balance.number("total"), balance.number("available")
        balance.leave({})
        if (total or ZERO) < 0 or (available or ZERO) < 0:
            balance.note("", "holdings below 0: not kept")
        elif total or available:
            total = available if total is None else total
            balances[Asset(asset)] = Balance(total=total, available=total if available is None else available)
    part.leave(_PORTFOLIO)
    return Portfolio(content=balances)


def read_elements(part: Part, owner: Ownership, looked_at: Timestamp) -> ExchangeAccountElements:
    """Return what the account holds.

    Args:
        part: the elements of the source.
        owner: whose the orders are.
        looked_at: when OctoBot settled the account last, UNIX seconds.
    """
    elements = ExchangeAccountElements(
        name=part.text("name"),
        portfolio=read_portfolio(part.part("portfolio")),
        orders=_orders(part.part("orders"), owner, looked_at),
        positions=list(_positions(part)),
        trades=sorted(_trades(part), key=lambda trade: trade.timestamp),
        transactions=sorted(_transactions(part), key=lambda transaction: transaction.timestamp),
    )
    for name, count in elements.cut_to_bounds().items():
        part.note(name, f"the oldest {count} were left out: the newest 200 are kept")
    part.leave(_ELEMENTS)
    return elements


def order_ids(value: Any) -> Iterator[str]:
    """Yield the ids of the orders that an action's result tells of, whichever way it does."""
    listed = value.get("created_orders") if isinstance(value, Mapping) else None
    for order in listed if isinstance(listed, list) else ():
        details = order.get("origin_value", order) if isinstance(order, Mapping) else {}
        for name in ("exchange_id", "id"):
            if isinstance(details, Mapping) and isinstance(details.get(name), str):
                yield details[name]


def _exchange(exchange: Part, auth: Part) -> ExchangeDetails:
    kind = exchange.text("exchange_type") or "spot"
    if kind not in _MARKETS:
        exchange.note("exchange_type", f"{shown(kind)} is not traded here: taken for spot")
    sandboxed = exchange.flag("sandboxed")
    return ExchangeDetails(
        internal_name=exchange.text("internal_name") or exchange.text("name"),
        exchange_type=_MARKETS.get(kind, "spot"),
        exchange_account_id=exchange.name("exchange_account_id"),
        sandboxed=auth.flag("sandboxed") or sandboxed,
        url=exchange.text("url"),
    )


def _reference(auth: Part, credentials: str | None) -> str:
    """Return where the keys are found, and say what is to be done where nobody said so."""
    kept = auth.text("credential_ref")
    for name in _ANYTHING_SECRET:
        auth.raw(name)
    if credentials is not None:
        return credentials
    if kept is not None and kept.partition(":")[2]:
        return kept
    auth.note(
        "",
        f"the keys were not copied: the account is a live one and looks for them at `{UNNAMED_KEYS}`;"
        " name the place where yours are with --credentials",
    )
    return UNNAMED_KEYS


def _configured(part: Part) -> ConfiguredPortfolio:
    holdings = []
    for holding in part.parts("content"):
        asset = holding.text("asset")
        if asset is None:
            holding.note("asset", "a holding of nothing: not kept")
            continue
        holdings.append(
            Holding(
                asset=Asset(asset),
                available=holding.number("available"),
                total=holding.number("total") or ZERO,
                value=holding.number("value") or None,
            )
        )
        holding.leave(_HOLDING)
    unit = part.text("unit")
    part.leave({})
    return ConfiguredPortfolio(content=holdings, unit=Asset(unit) if unit else None)


def _orders(part: Part, owner: Ownership, looked_at: Timestamp) -> Orders:
    orders = Orders(settled_at=0 if owner.is_live else looked_at)
    seen: set[OrderId] = set()
    for stored in part.parts("open_orders"):
        order = read_order(stored, owner)
        if order is None:
            continue
        inactive = owner.is_live and is_inactive(stored)
        refused = _refused(order, seen, owner)
        if refused is not None:
            stored.note("", refused)
            continue
        seen.add(order.id)
        (orders.inactive_orders if inactive else orders.open_orders).append(order)
        if inactive:
            stored.note(
                "", "not in the exchange's book: Octoflow places it there when its price or place comes"
            )
    for stored in part.parts("missing_orders"):
        waiting = "co" in stored
        order = read_order(stored, owner)
        if order is None:
            continue
        orders.missing_orders.append(order)
        if waiting:
            stored.note("co", "whether its exits were placed is not known: look for them on the account")
    part.leave({})
    return orders


def _refused(order: Order, seen: set[OrderId], owner: Ownership) -> str | None:
    """Return why an order cannot be an open one."""
    if order.id in seen:
        return "an order of this id stands above: not kept"
    if order.status != "open":
        return f"an order that is {order.status}: not kept among those that are open"
    if order.type == "market" and not owner.is_live:
        return "a market order does not rest on paper: not kept"
    return None


@exact
def _position(part: Part, contract: Part) -> Position | None:
    symbol, side = read_symbol(part), part.text("side")
    amount = part.number("size") or part.number("quantity") or ZERO
    part.raw("quantity")
    leverage = part.number("leverage") or contract.number("current_leverage") or Decimal(1)
    kind = contract.text("contract_type") or part.text("contract_type") or ""
    for name, wanted in (("margin_type", "isolated"), ("position_mode", "one_way_mode")):
        found = part.text(name) or contract.text(name) or wanted
        if found != wanted:
            part.note(name, f"{shown(found)} is not kept: it is the exchange's own setting")
    if symbol is None:
        return None
    if kind.startswith("inverse"):
        part.note("", "a position in an inverse contract: not kept, only linear ones are traded here")
        return None
    if not amount and leverage == 1:
        return None
    return Position(
        symbol=symbol,
        side="short" if side == "short" or amount < 0 else "long",
        amount=abs(amount),
        entry_price=part.number("entry_price") or ZERO,
        leverage=leverage,
        margin=part.number("collateral") or part.number("initial_margin") or ZERO,
        liquidation_price=part.number("liquidation_price") or None,
        unrealised_pnl=part.number("unrealised_pnl") or ZERO,
    )


def _positions(elements: Part) -> Iterator[Position]:
    held = set()
    for stored in elements.parts("positions"):
        wrapped = "position" in stored
        part = stored.part("position") if wrapped else stored
        position = _position(part, stored.part("contract") if wrapped else Part({}, "", part.notes))
        if position is None:
            continue
        part.leave(_POSITION)
        if position.symbol in held:
            part.note("", "a second position in this symbol (hedge mode): not kept")
            continue
        held.add(position.symbol)
        yield position


@exact
def _trade(part: Part) -> Trade | None:
    symbol, side, kind = read_symbol(part), SIDES.get(part.text("side") or ""), read_type(part)
    amount, price = part.number("amount"), part.number("price")
    known = part.name("exchange_trade_id") or part.name("id")
    if symbol is None:
        return None
    if side is None or kind is None or not known or not amount or amount < 0 or price is None or price < 0:
        part.note("", "not a fill with id, side, type, amount and price: not kept")
        return None
    order_id = part.name("exchange_id") or part.name("order_id")
    return Trade(
        id=known,
        order_id=OrderId(order_id) if order_id else None,
        symbol=symbol,
        side=side,
        type=kind,
        amount=amount,
        price=price,
        cost=part.number("cost") or amount * price,
        fee=read_fee(part.part("fee")),
        timestamp=part.time("timestamp") or 0,
        tag=part.text("tag"),
    )


def _trades(elements: Part) -> Iterator[Trade]:
    for part in elements.parts("trades"):
        if part.text("status") in ("canceled", "canceling", "rejected", "expired"):
            part.note("", "an order that ended without a fill, no trade: not kept")
            continue
        trade = _trade(part)
        if trade is not None:
            part.leave(_TRADE)
            yield trade


def _transactions(elements: Part) -> Iterator[Transaction]:
    for part in elements.parts("transactions"):
        kind, asset = _KINDS.get(part.text("type") or ""), part.text("currency")
        txid, amount = part.name("txid") or part.name("id"), part.number("amount")
        if kind is None or not asset or not txid or amount is None:
            part.note("", "no deposit or withdrawal with id, currency and amount: not kept")
            continue
        yield Transaction(
            txid=txid,
            kind=kind,
            asset=Asset(asset),
            amount=abs(amount),
            fee=read_fee(part.part("fee")),
            network=part.text("network"),
            address_to=part.text("address_to"),
            tag=part.text("tag"),
            timestamp=part.time("timestamp") or 0,
            status=part.text("status"),
        )
        part.leave(_TRANSACTION)
