"""What ccxt tells of an account, read into the engine's own types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, cast

from engine.live.venue.api import OrderReport
from engine.live.venue.order_requests import CcxtMarket, contract_size
from engine.money import ZERO, exact, to_decimal
from engine.state import Balance, Fee, Order, OrderStatus, Portfolio, Position, Side, Trade, Transaction
from engine.types import Asset, OrderId, Symbol, Timestamp

Raw = Mapping[str, Any]

_STATUSES: Final[Mapping[str | None, OrderStatus]] = {
    "open": "open",
    "closed": "closed",
    "canceled": "canceled",
    "canceling": "open",
    "expired": "expired",
    "rejected": "rejected",
}


@exact
def order_report(
    raw: Raw,
    market: CcxtMarket,
    *,
    stop_id_parameter: str | None = None,
    client_order_id: str | None = None,
    created: Order | None = None,
) -> OrderReport:
    """Read an order.

    Args:
        raw: in ccxt's unified form.
        market: of its symbol, in ccxt's form.
        stop_id_parameter: of the exchange's row.
        client_order_id: by which it was found.
        created: the order that was just sent; some exchanges answer with an id and nothing else.

    Raises:
        ValueError: it has no id, or no side.
    """
    size = contract_size(market)
    amount = _number(raw.get("amount"))
    untold = created.amount if created else ZERO
    filled = (_number(raw.get("filled")) or ZERO) * size
    side = raw.get("side") or (created.side if created else None)
    if raw.get("id") is None or side is None:
        raise ValueError("the exchange's answer names no order")
    return OrderReport(
        id=OrderId(str(raw["id"])),
        client_order_id=_client_id(raw, stop_id_parameter) or client_order_id,
        symbol=Symbol(raw.get("symbol") or market["symbol"]),
        side=cast(Side, side),
        kind=raw.get("type") or (created.type if created else None),
        amount=amount * size if amount is not None else untold,
        filled=filled,
        status=_STATUSES.get(raw.get("status"), "open"),
        created_at=_seconds(raw.get("timestamp")),
        price=_positive(raw.get("price")) or (created.price if created else None),
        stop_price=_positive(_first(raw, "triggerPrice", "stopPrice", "stopLossPrice", "takeProfitPrice"))
        or (created.stop_price if created else None),
        average=_positive(raw.get("average")) if filled else None,
        fees=_fees(raw),
    )


@exact
def trade(raw: Raw, market: CcxtMarket) -> Trade:
    """Read a fill."""
    amount = (_number(raw["amount"]) or ZERO) * contract_size(market)
    price = _number(raw["price"]) or ZERO
    return Trade(
        id=str(raw["id"]),
        order_id=None if raw.get("order") is None else OrderId(str(raw["order"])),
        symbol=Symbol(raw.get("symbol") or market["symbol"]),
        side=raw["side"],
        # The fill of an order that took from the book says so; which kind of order it was, its order tells.
        type="market" if raw.get("takerOrMaker") == "taker" else "limit",
        amount=amount,
        price=price,
        cost=_number(raw.get("cost")) or amount * price,
        fee=next(iter(_fees(raw)), None),
        timestamp=_seconds(raw.get("timestamp")),
    )


@exact
def portfolio(raw: Raw) -> Portfolio:
    """Read the balances; assets without holdings are left out."""
    content: dict[Asset, Balance] = {}
    for asset, total in (raw.get("total") or {}).items():
        held = _number(total)
        if held:
            available = _number((raw.get("free") or {}).get(asset))
            content[Asset(asset)] = Balance(total=held, available=held if available is None else available)
    return Portfolio(content=content)


@exact
def positions(raws: Iterable[Raw], markets: Mapping[str, CcxtMarket]) -> Sequence[Position]:
    """Read the futures positions that are open."""
    found = []
    for raw in raws:
        amount = _number(raw.get("contracts")) or ZERO
        if not amount:
            continue
        found.append(
            Position(
                symbol=Symbol(raw["symbol"]),
                side=cast(Literal["long", "short"], raw["side"]),
                amount=abs(amount) * contract_size(markets[raw["symbol"]]),
                entry_price=_number(raw.get("entryPrice")) or ZERO,
                leverage=_number(raw.get("leverage")) or Decimal(1),
                margin=_number(_first(raw, "initialMargin", "collateral")) or ZERO,
                liquidation_price=_positive(raw.get("liquidationPrice")),
                unrealised_pnl=_number(raw.get("unrealizedPnl")) or ZERO,
            )
        )
    return found


def withdrawal(raw: Raw, txid: str, asset: str) -> Transaction:
    """Read a withdrawal that was found by its client id."""
    return Transaction(
        txid=txid,
        kind="withdrawal",
        asset=Asset(raw.get("currency") or asset),
        amount=_number(raw.get("amount")) or ZERO,
        fee=next(iter(_fees(raw)), None),
        network=raw.get("network"),
        address_to=_first(raw, "addressTo", "address"),
        timestamp=_seconds(raw.get("timestamp")),
        status=raw.get("status"),
    )


def _client_id(raw: Raw, stop_id_parameter: str | None) -> str | None:
    """Return the client order id. Binance and its likes move a cancelled order's to `origClientOrderId`."""
    info = raw["info"] if isinstance(raw.get("info"), Mapping) else {}
    known = info.get("origClientOrderId") or raw.get("clientOrderId") or info.get(stop_id_parameter)
    return str(known) if known else None


def _fees(raw: Raw) -> tuple[Fee, ...]:
    listed = raw.get("fees") or [raw.get("fee")]
    return tuple(
        Fee(cost=to_decimal(fee["cost"]), currency=fee.get("currency"))
        for fee in listed
        if fee and fee.get("cost") is not None
    )


def _first(raw: Raw, *names: str) -> Any:
    return next((raw[name] for name in names if raw.get(name) is not None), None)


def _number(value: Any) -> Decimal | None:
    return None if value is None else to_decimal(value)


def _positive(value: Any) -> Decimal | None:
    """Read a price; exchanges write 0 for none."""
    number = _number(value)
    return number or None


def _seconds(milliseconds: Any) -> Timestamp:
    return int(milliseconds) / 1_000 if milliseconds else 0.0
