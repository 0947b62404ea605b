"""`LiveContext`: the exchange's life inside one invocation, for accounts with credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.effects import Dropped, Placed
from engine.errors import ConfigurationError, DslError
from engine.exchanges import concurrently
from engine.live.account import LiveAccount
from engine.live.books import (
    LiveRepositories,
    LookAtAccount,
    Surroundings,
    apply_outcome,
    ending,
    ends_at_a_price,
    is_obsolete,
    is_settled,
    needs_price,
    plan_follow_ups,
    repeated,
    watch_at,
)
from engine.live.guard import NOTHING_RESOLVED, EffectGuard, GuardResult, Mode, SettledEffect
from engine.market import (
    Bars,
    CandleKey,
    Market,
    MarketData,
    MarketSnapshot,
    join_bars,
    price_now,
    wanted,
)
from engine.orders import Account
from engine.state import (
    ExchangeAccountElements,
    Intent,
    Order,
    Orders,
)
from engine.types import OrderId, Price, Seconds, Symbol, Timestamp

if TYPE_CHECKING:
    from engine.dsl import DataDependency


class LiveContext:
    """Market data and account of one invocation on a real exchange; the exchange's books are what counts.

    First the pending effects are settled, then the first `require` catches up with what the exchange did and
    plans what follows from that.

    Args:
        elements: the stored account; it is not changed.
        repositories: what the exchange has; its client is closed with the context.
        guard: carries effects out on it.
        now: market time of the invocation, UNIX seconds.
        watch_every: how often orders are looked at that the exchange cannot take care of by itself.
    """

    def __init__(
        self,
        elements: ExchangeAccountElements,
        *,
        repositories: LiveRepositories,
        guard: EffectGuard,
        now: Timestamp,
        watch_every: Seconds,
    ) -> None:
        self._before = elements
        self._elements = elements.model_copy(deep=True)
        orders = self._elements.orders
        orders.missing_orders = []
        # What the account did while it was simulated is not on the exchange.
        orders.open_orders = [order for order in orders.open_orders if order.origin is not None]
        self._repositories = repositories
        self._exchange = repositories.exchange
        self._guard = guard
        self._now = now
        self._watch_every = watch_every
        self._data = MarketSnapshot(self._exchange.source, now)
        self._account: LiveAccount | None = None
        self._pending: Sequence[Intent] = ()
        self._placed: dict[OrderId, Order] = {}
        self._follow_ups: list[Intent] = []
        self._histories: dict[OrderId, Bars] = {}
        self._notes: list[str] = []

    async def carry_out(
        self, intents: Sequence[Intent], mode: Mode, *, resolved: Mapping[str, bool] = NOTHING_RESOLVED
    ) -> GuardResult:
        """Carry pending effects out, and write what became of them into the account.

        A follow-up that the guard drops, because it became too old during an outage or a person did not find
        it, is planned again under a new key: an exit must not be lost. It is among the pending ones then. One
        that makes no sense any more is dropped without asking the exchange, as long as it was never sent: the
        order to cancel has left the book, the group of the exit is over, or the automation goes on after all.

        Args:
            intents: the pending effects, in the order in which they were planned.
            mode: what may be done.
            resolved: keys of unresolved effects, and whether a person found them on the exchange.

        Raises:
            RetryableError, PostponedError, ConfigurationError: as `EffectGuard`; nothing changed then.
        """
        ends = mode is Mode.WIND_DOWN
        obsolete = [one for one in intents if is_obsolete(one, self._elements.orders, ends=ends)]
        gone = {intent.key for intent in obsolete}
        settlement = await self._guard.carry_out(
            [intent for intent in intents if intent.key not in gone], mode, resolved=resolved
        )
        settled, again = [SettledEffect(intent, Dropped()) for intent in obsolete], []
        for one in settlement.settled:
            dropped = isinstance(one.outcome, Dropped) and one.intent.is_follow_up
            if dropped and mode is not Mode.WIND_DOWN:
                again.append(repeated(one.intent, self._now, self._exchange.api.capabilities))
            else:
                self._apply(one)
                settled.append(one)
        self._pending = [*settlement.pending, *again]
        next_at = self._now if again else settlement.next_at
        return replace(settlement, settled=settled, pending=self._pending, next_at=next_at)

    async def require(self, dependencies: Iterable[DataDependency]) -> None:
        """Fetch what the dependencies name and is not there yet, concurrently; catch up first.

        Raises:
            RetryableError: the exchange does not answer.
            PostponedError: the account cannot be used for longer.
            ConfigurationError: something cannot be had on this exchange.
        """
        tickers, candles = wanted(dependencies)
        if self._account is None:
            self._account = await self._open(tickers, candles)
        else:
            await self._data.fetch(tickers, candles)

    @property
    def notes(self) -> Sequence[str]:
        """What could not be had of the exchange, in words."""
        return list(dict.fromkeys([*self._notes, *self._exchange.source.take_notes()]))

    @property
    def data(self) -> MarketSnapshot:
        """The market data of the invocation."""
        return self._data

    def take_follow_ups(self) -> Sequence[Intent]:
        """Return what catch-up planned since the last call of this method."""
        planned, self._follow_ups = self._follow_ups, []
        return planned

    def plan_cancel_all(self) -> Sequence[Intent]:
        """Return a cancellation of each open order of the automation; inactive ones are forgotten with it."""
        asked = {intent.params.get("client_order_id") for intent in self._pending if _cancels(intent)}
        orders = self._elements.orders
        wanted = [order for order in orders.open_orders if order.client_order_id not in asked]
        if not orders.open_orders:
            orders.inactive_orders = []
        return [ending(order, orders.inactive_orders, self._now) for order in wanted]

    @property
    def watch_at(self) -> Timestamp | None:
        """When open orders need care that the exchange does not give; None when they need none."""
        return watch_at(self._elements.orders, self._now, self._watch_every)

    def services(self) -> Mapping[type, object]:
        """Return what operators may ask for, by protocol."""
        return {MarketData: self._data, Account: self._account} if self._account else {MarketData: self._data}

    def sync_back(self) -> tuple[ExchangeAccountElements, tuple[str, ...]]:
        """Return the account as far as it is known now, and the names of the elements that changed."""
        return self._elements, self._elements.changes_since(self._before)

    async def close(self) -> None:
        """Release the exchange's connections."""
        await self._exchange.close()

    # Inside

    def _apply(self, settled: SettledEffect) -> None:
        apply_outcome(self._elements, settled.intent, settled.outcome, self._exchange.api.capabilities)
        if isinstance(settled.outcome, Placed) and settled.outcome.order.status != "open":
            self._placed[settled.outcome.order.id] = settled.outcome.order

    async def _open(self, tickers: set[Symbol], candles: Mapping[CandleKey, int]) -> LiveAccount:
        """Catch up, in one step as far as the state is concerned: a failure on the way changes nothing."""
        look = LookAtAccount(self._repositories, tickers)
        orders = self._elements.orders
        market_data = self._data.fetch(tickers | set(needs_price(orders)), candles)
        if orders.open_orders or any(not is_settled(order) for order in orders.closing_orders):
            # The balance is read behind the orders, so that it has every fill that they have.
            await concurrently([market_data, look.catch_up(self._elements, self._placed, self._now)])
            await look.fetch_holdings(self._elements)
            await self._fetch_histories(look.caught_up.open_orders)
        else:
            await concurrently([market_data, look.fetch_holdings(self._elements)])
        self._take(look)
        return LiveAccount(
            self._elements,
            data=self._data,
            capabilities=self._exchange.api.capabilities,
            now=self._now,
            ended=[*self._before.orders.missing_orders, *self._elements.orders.missing_orders],
        )

    def _take(self, look: LookAtAccount) -> None:
        """Write what was read into the account, and plan what follows from it."""
        elements, around = self._elements, self._surroundings()
        self._notes += look.notes
        follow_ups = plan_follow_ups(look.caught_up, elements.orders, self._pending, around)
        self._follow_ups += follow_ups.intents
        elements.orders = follow_ups.orders
        trades = [*elements.trades, *look.caught_up.trades]
        elements.orders.closing_since = self._closing_since(elements.orders)
        elements.trades = sorted(trades, key=lambda trade: trade.timestamp)
        elements.portfolio = elements.portfolio.holding(look.portfolio.content)
        elements.positions = list(look.positions)

    def _closing_since(self, orders: Orders) -> Timestamp:
        waits = any(not is_settled(order) for order in orders.closing_orders)
        return (orders.closing_since or self._now) if waits else 0

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            market=self._market,
            price=self._price,
            bars=self._bars,
            capabilities=self._exchange.api.capabilities,
            now=self._now,
        )

    def _market(self, symbol: Symbol) -> Market | None:
        with suppress(DslError):
            return self._data.market(symbol)
        return None

    def _price(self, symbol: Symbol) -> Price | None:
        with suppress(DslError):
            return self._data.mark_price(symbol)
        return None

    def _bars(self, order: Order) -> Bars | None:
        """Return what the price did since an order was created, if that can end it, and the price now."""
        price = self._price(order.symbol)
        if price is None:
            return None
        now = price_now(float(price), self._now)
        history = self._histories.get(order.id)
        return now if history is None else join_bars([history, now])

    async def _fetch_histories(self, orders: Iterable[Order]) -> None:
        """Fetch what the price did, for orders that end at one; what scripts read says nothing here."""
        watched = [order for order in orders if ends_at_a_price(order)]
        await concurrently([self._add_history(order) for order in watched])

    async def _add_history(self, order: Order) -> None:
        with suppress(ConfigurationError):  # without candles, the price now is all there is
            self._histories[order.id] = await self._exchange.source.history(
                order.symbol, since=order.created_at, now=self._now
            )


def _cancels(intent: Intent) -> bool:
    return intent.kind == "cancel_order"
