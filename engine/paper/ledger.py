"""The paper ledger: exact balances, and what open orders lock of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.errors import ActionStatus, OperatorError
from engine.money import ZERO, exact
from engine.types import Asset, OrderId
from engine.values import format_decimal


@dataclass(frozen=True, slots=True)
class Lock:
    """What an open order keeps from being used elsewhere."""

    asset: Asset
    amount: Decimal


class Ledger:
    """Totals per asset and a lock per open order; what is not locked is available.

    Every change is exact and happens whole or not at all: one that would leave a total or an available amount
    below zero is refused with `not_enough_funds`.
    """

    def __init__(self, totals: Mapping[Asset, Decimal]) -> None:
        self._totals = dict(totals)
        self._locks: dict[OrderId, Lock] = {}
        self._locked: dict[Asset, Decimal] = {}

    def copy(self) -> Ledger:
        """Return a ledger of the same holdings and locks."""
        other = Ledger(self._totals)
        other._locks, other._locked = dict(self._locks), dict(self._locked)
        return other

    def assets(self) -> Collection[Asset]:
        """Return the assets with holdings."""
        return [asset for asset, total in self._totals.items() if total]

    def total(self, asset: Asset) -> Decimal:
        """Return the holdings, locked ones included."""
        return self._totals.get(asset, ZERO)

    @exact
    def available(self, asset: Asset) -> Decimal:
        """Return the holdings that no order locks."""
        return self.total(asset) - self._locked.get(asset, ZERO)

    def lock_of(self, order_id: OrderId) -> Lock | None:
        """Return what an order locks."""
        return self._locks.get(order_id)

    @exact
    def lock(self, order_id: OrderId, lock: Lock) -> None:
        """Lock funds for a new order.

        Raises:
            OperatorError: `not_enough_funds`.
        """
        available = self.total(lock.asset) - self._locked.get(lock.asset, ZERO)
        if lock.amount > available:
            raise _not_enough(lock.asset, lock.amount, available)
        self._locks[order_id] = lock
        self._locked[lock.asset] = self._locked.get(lock.asset, ZERO) + lock.amount

    @exact
    def release(self, order_id: OrderId) -> None:
        """Give back exactly what the order locked, if it locked anything."""
        lock = self._locks.pop(order_id, None)
        if lock is not None:
            self._locked[lock.asset] -= lock.amount

    @exact
    def change(self, changes: Mapping[Asset, Decimal]) -> None:
        """Add the changes to the totals, locks untouched: a deposit, a withdrawal, a fill without a lock.

        Raises:
            OperatorError: `not_enough_funds`.
        """
        after = {asset: self.total(asset) + change for asset, change in changes.items()}
        for asset, total in after.items():
            locked = self._locked.get(asset, ZERO)
            if total < locked:
                raise _not_enough(asset, -changes[asset], self.total(asset) - locked)
        self._totals.update(after)

    def fill(self, order_id: OrderId, changes: Mapping[Asset, Decimal], keep: Lock | None = None) -> None:
        """Book a fill: the order's lock returns, the totals change, and the rest of the order locks `keep`.

        Raises:
            OperatorError: `not_enough_funds`; the order's lock is as before then.
        """
        before = self._locks.get(order_id)
        self.release(order_id)
        try:
            self.change(changes)
        except OperatorError:
            if before is not None:
                self.lock(order_id, before)
            raise
        if keep is not None:
            self.lock(order_id, keep)


def _not_enough(asset: Asset, needed: Decimal, available: Decimal) -> OperatorError:
    return OperatorError(
        ActionStatus.NOT_ENOUGH_FUNDS,
        f"{format_decimal(needed)} {asset} needed, {format_decimal(available)} {asset} available",
    )
