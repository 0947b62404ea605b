"""`PlanningAccount`: a simulated account that plans first and acts later, as a live one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar, cast

from engine.effects import Cancelled, Outcome, Placed, Planned, Refusal, Sent, dump_outcome
from engine.errors import OperatorError
from engine.orders import Account, OrderFilter, OrderRequest
from engine.types import Asset, EffectKey, Symbol

Effect = Callable[[Account], Iterable[Outcome]]
Key = Callable[[str], str]
T = TypeVar("T")


class PlanningAccount:
    """Answers `Planned` to what it is asked to do; the next invocation does it on paper.

    What only reads the account is passed on to the one on paper.
    """

    def __init__(self) -> None:
        self._account: Account | None = None
        self._planned: dict[str, Effect] = {}

    def carry_out(self, account: Account, suspension: dict[str, Any] | None) -> None:
        """Do what the invocation before planned, and give the outcomes to the call that waits for them.

        Args:
            account: on paper, as this invocation found it.
            suspension: where the script stands; it is changed.
        """
        self._account = account
        planned, self._planned = self._planned, {}
        if suspension is None or not planned:
            return
        done = {
            f"{key}/{leg}": dump_outcome(outcome)
            for key, effect in planned.items()
            for leg, outcome in enumerate(_carried_out(effect, account))
        }
        recalled = suspension["operator_state"]["ReCallingOperatorResult"]["last_execution_result"]
        if "intents" in recalled:  # the suspended call waits for them, and not for something else
            recalled.update(intents=list(done), outcomes=done)

    @property
    def has_planned(self) -> bool:
        """Whether something is planned that no invocation has done yet."""
        return bool(self._planned)

    def place(self, request: OrderRequest, key: Key) -> Planned:
        """See `Account`."""
        return self._plan(
            key, lambda account: [Placed(order) for order in _done(account.place(request, key))]
        )

    def cancel(self, wanted: OrderFilter, key: Key) -> Planned:
        """See `Account`."""

        def cancel(account: Account) -> Iterable[Outcome]:
            symbols = {order.id: order.symbol for order in account.open_orders(wanted)}
            gone = _done(account.cancel(wanted, key))
            return [Cancelled(order_id, symbols.get(order_id, Symbol(""))) for order_id in gone]

        return self._plan(key, cancel)

    def set_leverage(self, symbol: Symbol, leverage: Decimal, key: Key) -> Planned:
        """See `Account`."""
        return self._plan(key, lambda account: [_done(account.set_leverage(symbol, leverage, key))])

    def withdraw(
        self, asset: Asset, amount: Decimal, *, network: str, address: str, tag: str | None, key: Key
    ) -> Planned:
        """See `Account`."""

        def withdraw(account: Account) -> Iterable[Outcome]:
            sent = account.withdraw(asset, amount, network=network, address=address, tag=tag, key=key)
            return [Sent(_done(sent))]

        return self._plan(key, withdraw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def _plan(self, key: Key, effect: Effect) -> Planned:
        planned = EffectKey(f"{key('planned')}/{len(self._planned)}")
        self._planned[planned] = effect
        return Planned((planned,))


def _carried_out(effect: Effect, account: Account) -> Sequence[Outcome]:
    try:
        return tuple(effect(account))
    except OperatorError as error:
        return (Refusal(error.status, error.message),)


def _done(result: T | Planned) -> T:
    """Return what an account on paper gave: it never plans."""
    return cast("T", result)
