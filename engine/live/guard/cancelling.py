"""Orders to cancel: naming the same order twice harms nothing, but what became of it must be known."""

from __future__ import annotations

from enum import Enum, auto

from engine.effects import Cancelled, Dropped, Outcome, Refusal
from engine.errors import ActionStatus, OctoflowError
from engine.live.guard.guard_turn import GuardTurn, Unsettled
from engine.live.guard.result import Mode
from engine.live.venue import Absent, Confirmed, OrderReport, Refused, Unclear
from engine.state import Intent
from engine.types import OrderId, Symbol


class _Target(Enum):
    """What the exchange says about the order that is to go."""

    OPEN = auto()
    FILLED = auto()
    GONE = auto()


class Cancelling:
    """The cancellations of one round."""

    def __init__(self, shared: GuardTurn) -> None:
        self._round = shared

    async def carry_out(self, intent: Intent) -> Outcome | Unsettled:
        """Do with one cancellation what the table of `engine.live.guard.guard` says."""
        mode = self._round.mode
        tried = intent.status in ("tried", "unresolved")
        if self._round.halt is not None or (mode is Mode.LOOK_UP and not tried):
            return self._round.held(intent)
        in_time = mode is Mode.WIND_DOWN or self._round.timing.is_young(intent)
        if tried or not in_time:
            known = await self._look_up(intent)
            if known is not None:
                return known
        if mode is Mode.LOOK_UP:
            return self._round.held(intent)
        return await self._send(intent) if in_time else Dropped()

    async def _send(self, intent: Intent) -> Outcome | Unsettled:
        if not self._round.may_send():
            return self._round.held(intent)
        order_id, symbol = _target(intent)
        answer = await self._round.send(intent, self._round.api.cancel_order(order_id, symbol))
        match answer:
            case Confirmed():
                return Cancelled(order_id, symbol)
            case Refused():
                return Refusal(answer.status, answer.message)
            case Absent():
                known = await self._look_up(intent)
                return known or self._round.until_landed(intent)
            case Unclear():
                return self._round.unclear(intent, answer)

    async def _look_up(self, intent: Intent) -> Outcome | Unsettled | None:
        """Return what became of the order; None while it is open."""
        order_id, symbol = _target(intent)
        try:
            report = await self._round.api.order(order_id, symbol)
        except OctoflowError as failure:
            return self._round.unanswered(intent, failure)
        match _seen(report):
            case _Target.OPEN:
                return None
            case _Target.GONE:
                return Cancelled(order_id, symbol)
            case _Target.FILLED:
                return Refusal(ActionStatus.ORDER_NOT_FOUND, f"order {order_id} has filled")


def _seen(report: OrderReport | None) -> _Target:
    """Return what a report says; the exchange forgets orders that were cancelled unfilled."""
    if report is None:
        return _Target.GONE
    return {"open": _Target.OPEN, "closed": _Target.FILLED}.get(report.status, _Target.GONE)


def _target(intent: Intent) -> tuple[OrderId, Symbol]:
    return OrderId(intent.params["id"]), Symbol(intent.params["symbol"])
