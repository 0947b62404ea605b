"""Leverage to change: sending it twice changes nothing, so it is simply sent until there is an answer."""

from __future__ import annotations

from engine.effects import Applied, Dropped, Outcome, Refusal
from engine.live.guard.guard_turn import GuardTurn, Unsettled
from engine.live.guard.result import Mode
from engine.live.venue import Confirmed, Refused, Unclear
from engine.money import to_decimal
from engine.state import Intent
from engine.types import Symbol


class Leveraging:
    """The changes of leverage of one round."""

    def __init__(self, shared: GuardTurn) -> None:
        self._round = shared

    async def carry_out(self, intent: Intent) -> Outcome | Unsettled:
        """Do with one change what the table of `engine.live.guard.guard` says."""
        if self._round.mode is Mode.LOOK_UP:
            return self._round.held(intent)
        if self._round.mode is Mode.WIND_DOWN or not self._round.timing.is_young(intent):
            return Dropped()
        if not self._round.timing.has_landed(intent, self._round.api.exchange_time()):
            return self._round.until_landed(intent)
        if not self._round.may_send():
            return self._round.held(intent)
        symbol, leverage = Symbol(intent.params["symbol"]), to_decimal(intent.params["leverage"])
        answer = await self._round.send(intent, self._round.api.set_leverage(symbol, leverage))
        match answer:
            case Confirmed():
                return Applied()
            case Refused():
                return Refusal(answer.status, answer.message)
            case Unclear():
                return self._round.unclear(intent, answer)
