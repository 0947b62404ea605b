"""Orders to create: looked up first, adopted, sent, dropped, or left to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.effects import Dropped, Outcome, Placed, Refusal
from engine.errors import OctoflowError
from engine.live.guard.adoption import differences, outcome_of, taken_as_it_is
from engine.live.guard.guard_turn import LOOK_BACK, GuardTurn, Unsettled
from engine.live.guard.result import Mode
from engine.live.guard.verdicts import Leg, Seen, Verdict, leg_of, verdict_on
from engine.live.venue import Accepted, Duplicate, OrderReport, Refused, Unclear
from engine.state import Intent, Order
from engine.types import Symbol, Timestamp

_NO_LOOK_UP = "this exchange cannot tell whether an order arrived"


@dataclass(frozen=True, slots=True)
class LookUp:
    """What the exchange said about the orders of one symbol.

    Attributes:
        at: the exchange's clock right before it was asked.
        reports: what it has, by client id.
        failure: why it did not say anything.
    """

    at: Timestamp
    reports: Mapping[str, OrderReport] = field(default_factory=dict)
    failure: OctoflowError | None = None

    def of(self, order: Order) -> OrderReport | None:
        """Return what the exchange has under an order's client id."""
        return self.reports.get(order.client_order_id or "")


class Creating:
    """The orders to create of one round.

    Args:
        shared: the round.
        resolved: by key, whether a person found them on the exchange.
    """

    def __init__(self, shared: GuardTurn, resolved: Mapping[str, bool]) -> None:
        self._round = shared
        self._resolved = resolved
        self._look_ups: dict[Symbol, LookUp] = {}

    async def look_up(self, intents: Sequence[Intent]) -> None:
        """Ask the exchange about all orders at once, symbol by symbol, before any of them is sent."""
        wanted: dict[Symbol, list[Intent]] = {}
        for intent in intents:
            if intent.kind == "create_order" and self._is_looked_up(intent):
                wanted.setdefault(self._order(intent).symbol, []).append(intent)
        for symbol, legs in wanted.items():
            self._look_ups[symbol] = await self._ask(symbol, legs)

    async def carry_out(self, intent: Intent) -> Outcome | Unsettled:
        """Do with one order what the table of `engine.live.guard.guard` says."""
        if not self._is_looked_up(intent):
            return self._round.held(intent)
        order = self._order(intent)
        look_up = self._look_ups[order.symbol]
        report = look_up.of(order)
        if intent.key in self._resolved:
            return self._as_resolved(intent, order, report)
        seen = self._seen(intent, look_up, report)
        verdict = verdict_on(
            leg_of(intent), seen, self._round.mode, young=self._round.timing.is_young(intent)
        )
        match verdict:
            case Verdict.SEND:
                return await self._send(intent, order)
            case Verdict.ADOPT | Verdict.CONTEST if report is not None:
                return self._adopt(intent, order, report)
            case Verdict.ASK_AGAIN if look_up.failure is not None:
                return self._round.unanswered(intent, look_up.failure)
            case _:
                return self._wait_or_drop(verdict, intent)

    def _as_resolved(self, intent: Intent, order: Order, report: OrderReport | None) -> Outcome:
        """Believe a person, unless the very order that was not found is there after all."""
        if self._resolved[intent.key]:
            return Placed(order if report is None else taken_as_it_is(order, report))
        if report is not None and not differences(order, report, self._round.api.capabilities):
            return outcome_of(order, report)
        return Dropped()

    def _wait_or_drop(self, verdict: Verdict, intent: Intent) -> Outcome | Unsettled:
        """Do what needs nothing from the exchange."""
        match verdict:
            case Verdict.DROP:
                return Dropped()
            case Verdict.AWAIT_LANDING:
                return self._round.until_landed(intent)
            case Verdict.HOLD:
                return Unsettled(intent.model_copy(update={"status": "planned", "sent_at": None}))
            case Verdict.GIVE_UP:
                return self._round.given_up(intent, _NO_LOOK_UP)
            case _:
                return self._round.left(intent)

    def _adopt(self, intent: Intent, order: Order, report: OrderReport) -> Outcome | Unsettled:
        """Take over what the exchange has if it is what was meant, else leave it to a person."""
        found = differences(order, report, self._round.api.capabilities)
        if not found:
            return outcome_of(order, report)
        why = f"the exchange has a different order under its key: {', '.join(found)}"
        return self._round.contested(intent, why)

    # Looking

    def _is_looked_up(self, intent: Intent) -> bool:
        """Whether the mode lets the exchange be asked about an effect."""
        return self._round.mode is not Mode.LOOK_UP or leg_of(intent) is not Leg.PLANNED

    async def _ask(self, symbol: Symbol, legs: Sequence[Intent]) -> LookUp:
        api = self._round.api
        try:
            if any(leg.sent_at is not None for leg in legs):
                # Whether an absence is final is told by the clock; this machine's may be off.
                await api.clock_difference()
            at = api.exchange_time()
            if api.capabilities.can_look_up:
                ids = [self._order(leg).client_order_id or "" for leg in legs]
                since = min(leg.planned_at for leg in legs) - LOOK_BACK
                return LookUp(at, await api.find_orders(symbol, ids, since))
            open_orders = await api.open_orders(symbol)
        except OctoflowError as failure:
            return LookUp(api.exchange_time(), failure=failure)
        return LookUp(at, {report.client_order_id or "": report for report in open_orders})

    def _seen(self, intent: Intent, look_up: LookUp, report: OrderReport | None) -> Seen:
        """Return what the look-up says about one leg."""
        if look_up.failure is not None:
            return Seen.UNANSWERED
        if report is not None:
            capabilities = self._round.api.capabilities
            return Seen.OTHER if differences(self._order(intent), report, capabilities) else Seen.SAME
        if not self._round.api.capabilities.can_look_up:
            sure = leg_of(intent) is Leg.PLANNED and self._round.timing.is_first_attempt(intent)
            return Seen.ABSENT if sure else Seen.BLIND
        return Seen.ABSENT if self._round.timing.has_landed(intent, look_up.at) else Seen.LANDING

    # Sending

    async def _send(self, intent: Intent, order: Order) -> Outcome | Unsettled:
        if not self._round.may_send():
            return self._round.held(intent)
        answer = await self._round.send(intent, self._round.api.create_order(order))
        match answer:
            case Accepted(report):
                return outcome_of(order, report)
            case Refused():
                return Refusal(answer.status, answer.message)
            case Duplicate():
                return await self._adopt_duplicate(intent, order, answer)
            case Unclear():
                return self._unclear(intent, answer)

    async def _adopt_duplicate(self, intent: Intent, order: Order, answer: Duplicate) -> Outcome | Unsettled:
        """Look up the order that the exchange says it has; when it does not show up, it stays contested."""
        self._round.contest(intent)
        look_up = await self._ask(order.symbol, [intent])
        report = look_up.of(order)
        if report is not None:
            return self._adopt(intent, order, report)
        if look_up.failure is not None:
            return self._round.unanswered(intent, look_up.failure)
        self._round.contested(intent, f"the exchange has an order under its key ({answer.message})")
        return self._round.until_landed(intent)

    def _unclear(self, intent: Intent, answer: Unclear) -> Unsettled:
        """Return an order that may have been placed; where no look-up can tell, a person must."""
        waiting = self._round.unclear(intent, answer)
        if self._round.api.capabilities.can_look_up:
            return waiting
        return self._round.given_up(intent, f"{_NO_LOOK_UP} ({answer.message})")

    def _order(self, intent: Intent) -> Order:
        """Return the order of an intent; it never goes without the client id by which it is found again."""
        order = Order.model_validate(intent.params)
        if order.client_order_id:
            return order
        client_order_id = self._round.api.capabilities.client_order_id(intent.key)
        return order.model_copy(update={"client_order_id": client_order_id})
