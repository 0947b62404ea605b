"""What each exchange can do for orders that happen once: client ids, look-ups, expiring signatures."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types import EffectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """One row of the table.

    Attributes:
        prefix: what every client order id must start with.
        length: characters that a client order id may have, the prefix included.
        signatures_expire: whether a signed request is refused some time after its timestamp.
        finds_by_client_id: whether one order can be fetched by its client id, open or not.
        finds_in_history: whether closed orders can be listed with their client ids.
        withdrawal_ids: whether withdrawals carry a client id by which they can be found.
        market_buys_by_cost: whether market buys are counted in quote, so that their amount is not fixed.
    """

    prefix: str = ""
    length: int = 32
    signatures_expire: bool = False
    finds_by_client_id: bool = False
    finds_in_history: bool = False
    withdrawal_ids: bool = False
    market_buys_by_cost: bool = False

    @property
    def can_look_up(self) -> bool:
        """Whether it can be told for certain that an order does not exist."""
        return self.finds_by_client_id or self.finds_in_history

    def client_order_id(self, key: EffectKey) -> str:
        """Return an effect's key in the form that the exchange takes."""
        return f"{self.prefix}{key}"[: self.length]
