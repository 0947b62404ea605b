"""`CcxtTradingApi`: the private side of an account, through ccxt's own class of the exchange."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engine.errors import ActionStatus, ConfigurationError
from engine.exchanges import Capabilities, Client, KeyRights, RequestFailure, is_a
from engine.live.venue.answers import (
    answer_to_cancel,
    answer_to_change,
    answer_to_create,
    answer_to_withdraw,
)
from engine.live.venue.api import Absent, Accepted, Confirmed, Duplicate, OrderReport, Refused, Unclear
from engine.live.venue.order_requests import CcxtMarket, UnpricedOrder, order_call
from engine.live.venue.pages import fetch_pages, page_size
from engine.live.venue.reports import Raw, order_report, portfolio, positions, trade, withdrawal
from engine.live.venue.wire import Wire
from engine.state import Order, Portfolio, Position, Trade, Transaction
from engine.types import MarketKind, OrderId, Seconds, Symbol, Timestamp
from engine.values import format_decimal

CLOCK_MARGIN: Final[Seconds] = 60
"""How much earlier than asked histories are read: the exchange's times are not the invocation's."""


class CcxtTradingApi:
    """The private side of one exchange account.

    Args:
        wire: sends the requests.
        capabilities: the exchange's row.
        kind: of the account's markets.
    """

    def __init__(self, wire: Wire, capabilities: Capabilities, kind: MarketKind) -> None:
        self._wire = wire
        self._capabilities = capabilities
        stops = (capabilities.stop_book_params,) if kind in capabilities.own_stop_book else ()
        self._books: Sequence[Mapping[str, Any]] = ({}, *stops)

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange can do."""
        return self._capabilities

    def exchange_time(self) -> Timestamp:
        """Return the exchange's clock as far as it is known."""
        return self._wire.clock.now()

    async def create_order(self, order: Order) -> Accepted | Refused | Duplicate | Unclear:
        """Send an order under its `client_order_id`, with amount and price exactly as given."""

        async def create(client: Client) -> OrderReport:
            market = client.market(order.symbol)
            call = order_call(order, market, self._capabilities)
            raw = await client.create_order(
                call.symbol, call.type, call.side, call.amount, call.price, dict(call.params)
            )
            return self._report(raw, market, client_order_id=order.client_order_id, created=order)

        answer = await self._wire.send(create)
        if isinstance(answer, RequestFailure):
            if isinstance(answer.error, UnpricedOrder):
                return Refused(ActionStatus.INVALID_ORDER, answer.message)
            return answer_to_create(answer.error, answer.message, self._capabilities, answer.retry_after)
        return Accepted(answer)

    async def cancel_order(self, order_id: OrderId, symbol: Symbol) -> Confirmed | Absent | Refused | Unclear:
        """Cancel an order; one that is not among the others is looked for among the stops kept apart."""
        *others, last = self._books
        for book in others:
            answer = await self._cancel(order_id, symbol, book)
            if not isinstance(answer, Absent):
                return answer
        return await self._cancel(order_id, symbol, last)

    async def set_leverage(self, symbol: Symbol, leverage: Decimal) -> Confirmed | Refused | Unclear:
        """Change the leverage of a futures symbol; sending it twice changes nothing."""
        whole = leverage == leverage.to_integral_value()
        number = int(leverage) if whole else float(leverage)
        answer = await self._wire.send(lambda client: client.set_leverage(number, symbol))
        if isinstance(answer, RequestFailure):
            return answer_to_change(answer.error, answer.message, answer.retry_after)
        return Confirmed()

    async def withdraw(self, transaction: Transaction) -> Confirmed | Refused | Duplicate | Unclear:
        """Send funds away under the client id `transaction.txid`."""
        parameter = self._capabilities.withdrawal_id_parameter
        if parameter is None:
            problem = f"{self._wire.client.id} cannot tell whether a withdrawal happened"
            return Refused(ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR, problem)
        if not transaction.address_to:
            return Refused(ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR, "the withdrawal has no address")
        given = {parameter: transaction.txid, "network": transaction.network, "tag": transaction.tag}
        params = {name: value for name, value in given.items() if value is not None}
        amount = format_decimal(transaction.amount)
        answer = await self._wire.send(
            lambda client: client.withdraw(transaction.asset, amount, transaction.address_to, params=params)
        )
        if isinstance(answer, RequestFailure):
            return answer_to_withdraw(answer.error, answer.message, self._capabilities, answer.retry_after)
        return Confirmed()

    async def find_orders(
        self, symbol: Symbol, client_order_ids: Collection[str], since: Timestamp
    ) -> Mapping[str, OrderReport]:
        """Look orders up by client id, open or not, created after `since`; unknown ones are left out."""
        row = self._capabilities
        if not client_order_ids:
            return {}
        # What takes fewer requests.
        if row.finds_by_client_id and (len(client_order_ids) <= len(row.history) or not row.finds_in_history):
            found = {known: await self._find_one(known, symbol) for known in client_order_ids}
            return {known: report for known, report in found.items() if report is not None}
        if not row.finds_in_history:
            raise ConfigurationError(
                f"{self._wire.client.id} cannot look orders up by their client ids", code="exchange_refuses"
            )
        listed = [
            report
            for book in self._books
            for name in row.history
            for report in await self._list(name, symbol, since, book)
        ]
        return {
            report.client_order_id: report
            for report in listed
            if report.client_order_id is not None and report.client_order_id in client_order_ids
        }

    async def find_withdrawal(self, txid: str, asset: str, since: Timestamp) -> Transaction | None:
        """Look a withdrawal up by its client id."""
        parameter = self._capabilities.withdrawal_id_parameter
        if parameter is None:
            raise ConfigurationError(
                f"{self._wire.client.id} cannot look withdrawals up", code="exchange_refuses"
            )
        start, params = _milliseconds(since - CLOCK_MARGIN), {parameter: txid}
        listed = await self._wire.read(
            lambda client: client.fetch_withdrawals(asset, start, None, dict(params))
        )
        found = next((raw for raw in listed if (raw.get("info") or {}).get(parameter) == txid), None)
        return None if found is None else withdrawal(found, txid, asset)

    async def order(self, order_id: OrderId, symbol: Symbol) -> OrderReport | None:
        """Return an order, open or not; None when the exchange does not know it."""
        return await self._fetch_order(order_id, symbol, {})

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return all open orders of a symbol, whoever placed them."""
        return [
            report
            for book in self._books
            for report in await self._list("fetch_open_orders", symbol, None, book)
        ]

    async def trades(self, symbol: Symbol, since: Timestamp) -> Sequence[Trade]:
        """Return the fills of a symbol since an instant, oldest first."""

        async def fetch(client: Client) -> Sequence[Trade]:
            market = client.market(symbol)
            raws = await fetch_pages(client, "fetch_my_trades", symbol, _milliseconds(since), {})
            return [trade(raw, market) for raw in raws]

        found = await self._wire.read(fetch)
        return sorted(found, key=lambda fill: fill.timestamp)

    async def portfolio(self) -> Portfolio:
        """Return the balances; assets without holdings are left out."""
        return portfolio(await self._wire.read(lambda client: client.fetch_balance()))

    async def positions(self, symbols: Collection[Symbol]) -> Sequence[Position]:
        """Return the futures positions of some symbols."""
        if not symbols:
            return ()

        async def fetch(client: Client) -> Sequence[Position]:
            return positions(await client.fetch_positions(list(symbols)), client.markets)

        return [known for known in await self._wire.read(fetch) if known.symbol in symbols]

    async def key_rights(self) -> KeyRights:
        """Return what the key may do, as far as the exchange tells."""

        async def ask(client: Client) -> KeyRights:
            reader = self._capabilities.key_rights
            return KeyRights() if reader is None else await reader(client)

        return await self._wire.read(ask)

    async def clock_difference(self) -> Seconds:
        """Measure anew how far this machine's clock is ahead of the exchange's."""
        return await self._wire.read(lambda _client: self._wire.clock.measure())

    async def _cancel(
        self, order_id: OrderId, symbol: Symbol, book: Mapping[str, Any]
    ) -> Confirmed | Absent | Refused | Unclear:
        answer = await self._wire.send(lambda client: client.cancel_order(order_id, symbol, dict(book)))
        if isinstance(answer, RequestFailure):
            return answer_to_cancel(answer.error, answer.message, answer.retry_after)
        return Confirmed()

    async def _find_one(self, client_order_id: str, symbol: Symbol) -> OrderReport | None:
        """Return an order by its client id, also one whose id has become free again by its fill."""
        return await self._fetch_order(None, symbol, {"clientOrderId": client_order_id})

    async def _fetch_order(
        self, order_id: OrderId | None, symbol: Symbol, params: Mapping[str, Any]
    ) -> OrderReport | None:
        for book in self._books:
            asked = {**self._capabilities.look_up_params, **params, **book}

            async def fetch(client: Client, asked: Mapping[str, Any] = asked) -> OrderReport | None:
                try:
                    raw = await client.fetch_order(order_id, symbol, dict(asked))
                except Exception as error:
                    if is_a(error, "OrderNotFound"):
                        return None
                    raise
                known_as = asked.get("clientOrderId")
                return self._report(raw, client.market(symbol), client_order_id=known_as)

            if (found := await self._wire.read(fetch)) is not None:
                return found
        return None

    async def _list(
        self, name: str, symbol: Symbol, since: Timestamp | None, book: Mapping[str, Any]
    ) -> Sequence[OrderReport]:
        """Return one of ccxt's lists of orders; a list of open orders has no beginning."""
        start = None if since is None or name == "fetch_open_orders" else since - CLOCK_MARGIN

        async def fetch(client: Client) -> Sequence[OrderReport]:
            market = client.market(symbol)
            if start is None:
                raws = await client.fetch_open_orders(symbol, None, page_size(client, name), dict(book))
            else:
                raws = await fetch_pages(client, name, symbol, _milliseconds(start), book)
            return [self._report(raw, market) for raw in raws]

        return await self._wire.read(fetch)

    def _report(
        self, raw: Raw, market: CcxtMarket, client_order_id: str | None = None, created: Order | None = None
    ) -> OrderReport:
        return order_report(
            raw,
            market,
            stop_id_parameter=self._capabilities.stop_id_parameter,
            client_order_id=client_order_id,
            created=created,
        )


def _milliseconds(time: Timestamp) -> int:
    return int(time * 1_000)
