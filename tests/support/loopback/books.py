"""The books of an exchange: accounts, orders and their matching against one price per market."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Final

from tests.support.loopback.accounts import (
    ZERO,
    AcceptedOrder,
    Account,
    ApiKey,
    BookOrder,
    Fill,
    Kind,
    MarketId,
    Milliseconds,
    OrderRequest,
    Rights,
    Side,
    Status,
    Withdrawal,
)
from tests.support.loopback.filters import check
from tests.support.loopback.markets import Listing
from tests.support.loopback.refusals import Reason, Refused

FEE_RATE: Final = Decimal("0.001")
SATOSHI: Final = Decimal("0.00000001")
_AT_ONCE: Final = frozenset({"IOC", "FOK"})


class Books:
    """All accounts of one exchange.

    Every market has one price with any amount behind it. An order that crosses it fills at once as taker; one
    that rests fills at its own price, as maker, when the price gets there.

    Attributes:
        listings: the markets.
        prices: last price of every market.
        accounts: by API key.
        accepted: every order that was ever taken, oldest first.
    """

    def __init__(self, listings: Mapping[MarketId, Listing], clock: Callable[[], Milliseconds]) -> None:
        self.listings = dict(listings)
        self.prices = {market: listing.price for market, listing in listings.items()}
        self.accounts: dict[ApiKey, Account] = {}
        self.accepted: list[AcceptedOrder] = []
        self._clock = clock
        self._ids = itertools.count(1)

    def add_account(
        self,
        key: str,
        secret: str,
        balances: Mapping[str, Decimal | int | str],
        *,
        passphrase: str = "",
        rights: Rights | None = None,
    ) -> Account:
        """Open an account that holds `balances`, free."""
        account = Account(key=ApiKey(key), secret=secret, passphrase=passphrase, rights=rights or Rights())
        for asset, free in balances.items():
            account.balance(asset).free = Decimal(free)
        self.accounts[account.key] = account
        return account

    def listing(self, market: str) -> Listing:
        """Return a market.

        Raises:
            Refused: there is none of that name.
        """
        found = self.listings.get(MarketId(market))
        if found is None:
            raise Refused(Reason.UNKNOWN_MARKET)
        return found

    def set_price(self, market: str, price: Decimal | int | str) -> None:
        """Move the price of a market; stops trigger and resting orders fill."""
        self.prices[self.listing(market).id] = Decimal(price)
        for account in self.accounts.values():
            for order in account.open_orders:
                if order.request.market == market:
                    self._meet_price(account, order)

    def create(
        self,
        account: Account,
        request: OrderRequest,
        *,
        fill: Decimal = Decimal(1),
        params: Mapping[str, str] | None = None,
    ) -> BookOrder:
        """Take an order.

        Args:
            fill: which part of what it could trade at once does trade.
            params: what `accepted` keeps of the request, in the dialect's words.

        Raises:
            Refused: the books are unchanged.
        """
        listing = self.listing(request.market)
        price = self.prices[listing.id]
        if request.client_id and self._open_of(account, request.market, request.client_id) is not None:
            raise Refused(Reason.DUPLICATE_CLIENT_ID)
        check(request, listing, price, account)
        if request.kind is Kind.LIMIT_MAKER and _crosses(request, price):
            raise Refused(Reason.WOULD_TAKE)
        if request.kind.waits and _triggers(request, price):
            raise Refused(Reason.WOULD_TRIGGER)
        order = self._book(account, request, price)
        self.accepted.append(
            AcceptedOrder(order.client_id, order.id, account.key, order.created_at, dict(params or {}))
        )
        if not order.waiting:
            self._start(account, order, fill)
        return order

    def cancel(self, account: Account, order: BookOrder) -> BookOrder:
        """Cancel an open order.

        Raises:
            Refused: it is not open any more.
        """
        if not order.is_open:
            raise Refused(Reason.NOTHING_TO_CANCEL)
        self._close(account, order, Status.CANCELED)
        return order

    def fill(self, account: Account, order: BookOrder, amount: Decimal | None = None) -> None:
        """Fill an open order, or a part of it, at its own price as maker, whatever the market does."""
        price = order.request.price or self.prices[order.request.market]
        self._trade(account, order, order.remaining if amount is None else amount, price, maker=True)

    def withdraw(
        self, account: Account, asset: str, amount: Decimal, address: str, *, client_id: str, network: str
    ) -> Withdrawal:
        """Send funds away; like on Binance a client id that was used before is not refused.

        Raises:
            Refused: the key may not, or the account does not hold enough.
        """
        if not account.rights.withdraw:
            raise Refused(Reason.NOT_PERMITTED)
        if amount > account.balance(asset).free:
            raise Refused(Reason.INSUFFICIENT_FUNDS)
        account.balance(asset).free -= amount
        number = next(self._ids)
        withdrawal = Withdrawal(
            id=f"{number:032x}",
            client_id=client_id,
            asset=asset,
            amount=amount,
            address=address,
            network=network,
            time=self._clock(),
        )
        account.withdrawals.append(withdrawal)
        return withdrawal

    def find(self, account: Account, market: str, *, order_id: str = "", client_id: str = "") -> BookOrder:
        """Return an order, open or not; of several under one client id the newest.

        Raises:
            Refused: the account has no such order.
        """
        for order in reversed(account.orders):
            named = str(order.id) == order_id if order_id else order.client_id == client_id
            if named and order.request.market == market:
                return order
        raise Refused(Reason.UNKNOWN_ORDER)

    def _open_of(self, account: Account, market: str, client_id: str) -> BookOrder | None:
        found = (
            order
            for order in account.open_orders
            if order.client_id == client_id and order.request.market == market
        )
        return next(found, None)

    def _book(self, account: Account, request: OrderRequest, price: Decimal) -> BookOrder:
        asset, lock = self._paid_with(request), request.amount
        if request.side is Side.BUY:
            lock *= request.price or request.stop_price or price
        balance = account.balance(asset)
        if lock > balance.free:
            raise Refused(Reason.INSUFFICIENT_FUNDS)
        balance.free -= lock
        balance.locked += lock
        number, now = next(self._ids), self._clock()
        order = BookOrder(
            id=number,
            client_id=request.client_id or f"loopback{number}",
            request=request,
            created_at=now,
            updated_at=now,
            locked=lock,
            waiting=request.kind.waits,
        )
        account.orders.append(order)
        return order

    def _start(self, account: Account, order: BookOrder, part: Decimal = Decimal(1)) -> None:
        """Let an order trade for the first time, as taker; what cannot wait expires."""
        request, price = order.request, self.prices[order.request.market]
        at_market = not request.kind.has_price
        if at_market or _crosses(request, price):
            step = self.listings[request.market].step
            amount = (request.amount * part / step).to_integral_value(ROUND_DOWN) * step
            if request.time_in_force != "FOK" or amount == request.amount:
                self._trade(account, order, amount, price, maker=False)
        if order.is_open and (at_market or request.time_in_force in _AT_ONCE):
            self._close(account, order, Status.EXPIRED)

    def _meet_price(self, account: Account, order: BookOrder) -> None:
        request, price = order.request, self.prices[order.request.market]
        if order.waiting:
            if _triggers(request, price):
                order.waiting = False
                self._start(account, order)
        elif _crosses(request, price):
            self._trade(account, order, order.remaining, request.price, maker=True)

    def _trade(
        self, account: Account, order: BookOrder, amount: Decimal, price: Decimal, *, maker: bool
    ) -> None:
        if not amount:
            return
        request, cost = order.request, amount * price
        released = order.locked * amount / order.remaining
        paid, got = (cost, amount) if request.side is Side.BUY else (amount, cost)
        paying = account.balance(self._paid_with(request))
        if paid > released + paying.free:  # a stop that gapped beyond what was reserved for it
            self._close(account, order, Status.EXPIRED)
            return
        paying.locked -= released
        paying.free += released - paid
        order.locked -= released
        fee, fee_asset = self._fee(account, request, got, cost)
        account.balance(self._paid_out_in(request)).free += got
        account.balance(fee_asset).free -= fee
        order.filled += amount
        order.cost += cost
        order.updated_at = self._clock()
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        fill = Fill(
            id=next(self._ids),
            order_id=order.id,
            market=request.market,
            side=request.side,
            price=price,
            amount=amount,
            fee=fee,
            fee_asset=fee_asset,
            time=order.updated_at,
            maker=maker,
        )
        order.fills.append(fill)
        account.fills.append(fill)

    def _fee(
        self, account: Account, request: OrderRequest, got: Decimal, cost: Decimal
    ) -> tuple[Decimal, str]:
        """Return the fee of a fill: of what it brings, or in the account's fee asset while that lasts."""
        quote = self.listings[request.market].quote
        chosen = account.fee_asset
        rate = self.prices.get(MarketId(f"{chosen}{quote}"), ZERO)
        if chosen is not None and rate:
            fee = (cost * FEE_RATE / rate).quantize(SATOSHI)
            if fee <= account.balance(chosen).free:
                return fee, chosen
        return (got * FEE_RATE).quantize(SATOSHI, ROUND_DOWN), self._paid_out_in(request)

    def _close(self, account: Account, order: BookOrder, status: Status) -> None:
        balance = account.balance(self._paid_with(order.request))
        balance.locked -= order.locked
        balance.free += order.locked
        order.locked, order.waiting = ZERO, False
        order.status, order.updated_at = status, self._clock()

    def _paid_with(self, request: OrderRequest) -> str:
        listing = self.listings[request.market]
        return listing.quote if request.side is Side.BUY else listing.base

    def _paid_out_in(self, request: OrderRequest) -> str:
        listing = self.listings[request.market]
        return listing.base if request.side is Side.BUY else listing.quote

    def orders_of(self, account: Account, market: str | None = None) -> Iterator[BookOrder]:
        """Yield the orders of an account, oldest first, of one market or of all."""
        return (order for order in account.orders if market in (None, order.request.market))


def _crosses(request: OrderRequest, price: Decimal) -> bool:
    """Whether a limit trades at a price."""
    return request.price >= price if request.side is Side.BUY else request.price <= price


def _triggers(request: OrderRequest, price: Decimal) -> bool:
    """Whether a stop starts at a price: losses are cut as it turns, profits taken as it goes on."""
    cuts_loss = request.kind in (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)
    upwards = (request.side is Side.BUY) == cuts_loss
    return price >= request.stop_price if upwards else price <= request.stop_price
