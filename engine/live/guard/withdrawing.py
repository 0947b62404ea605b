"""Funds to send away: looked up by their client id, and never sent again once they may be on their way."""

from __future__ import annotations

from engine.effects import Dropped, Outcome, Refusal, Sent
from engine.errors import ActionStatus, OctoflowError
from engine.live.guard.guard_turn import LOOK_BACK, GuardTurn, Unsettled
from engine.live.guard.result import Mode
from engine.live.venue import Confirmed, Duplicate, Refused, Unclear
from engine.state import Intent, Transaction

_FIXED = ("asset", "amount", "address_to")
"""What makes a withdrawal the one that was meant; networks have different names on different exchanges."""


class Withdrawing:
    """The withdrawals of one round."""

    def __init__(self, shared: GuardTurn) -> None:
        self._round = shared

    async def carry_out(self, intent: Intent) -> Outcome | Unsettled:
        """Do with one withdrawal what the table of `engine.live.guard.guard` says."""
        planned = intent.status == "planned"
        if self._round.halt is not None or (planned and self._round.mode is Mode.LOOK_UP):
            return self._round.held(intent)
        if planned and not self._round.api.capabilities.withdrawal_ids:
            return Refusal(
                ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR,
                "this exchange cannot tell whether a withdrawal happened, so none is sent",
            )
        transaction = _transaction(intent)
        known = await self._look_up(intent, transaction)
        if known is not None:
            return known
        if not planned:
            return self._still_unknown(intent)
        if self._round.mode is Mode.WIND_DOWN or not self._round.timing.is_young(intent):
            return Dropped()
        return await self._send(intent, transaction)

    def _still_unknown(self, intent: Intent) -> Unsettled:
        """Return a withdrawal that was sent and is not seen, which proves nothing: their lists lag."""
        if intent.status == "unresolved":
            return self._round.left(intent)
        timing = self._round.timing
        landed = timing.has_landed(intent, self._round.api.exchange_time())
        if timing.is_silent(intent) or (self._round.mode is Mode.WIND_DOWN and landed):
            return self._round.given_up(intent, "it was sent, and the exchange does not show it")
        return self._round.later(intent)

    async def _send(self, intent: Intent, transaction: Transaction) -> Outcome | Unsettled:
        if not self._round.may_send():
            return self._round.held(intent)
        answer = await self._round.send(intent, self._round.api.withdraw(transaction))
        match answer:
            case Confirmed():
                sent = {"timestamp": self._round.api.exchange_time(), "status": "pending"}
                return Sent(transaction.model_copy(update=sent))
            case Refused():
                return Refusal(answer.status, answer.message)
            case Duplicate():
                self._round.contest(intent)
                known = await self._look_up(intent, transaction)
                why = f"the exchange has a withdrawal under its key ({answer.message})"
                return known or self._round.contested(intent, why)
            case Unclear():
                return self._round.unclear(intent, answer)

    async def _look_up(self, intent: Intent, transaction: Transaction) -> Outcome | Unsettled | None:
        """Return what the exchange has under the key; None for nothing."""
        since = intent.planned_at - LOOK_BACK
        try:
            found = await self._round.api.find_withdrawal(transaction.txid, transaction.asset, since)
        except OctoflowError as failure:
            return self._round.unanswered(intent, failure)
        if found is None:
            return None
        different = [name for name in _FIXED if getattr(found, name) != getattr(transaction, name)]
        if different:
            why = f"the exchange has a different withdrawal under its key: {', '.join(different)}"
            return self._round.contested(intent, why)
        return Sent(found)


def _transaction(intent: Intent) -> Transaction:
    return Transaction.model_validate(intent.params)
