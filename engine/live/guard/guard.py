"""The effect guard: carries pending intents out so that each happens once, whatever is killed or repeated.

What it does is in these tables; `tests/engine/live/guard` has a test per row, named after it. "Young" is
at most `intent_max_age` since planning (`approved_intent_max_age` where a person approves). "Landed" is after
the fence: nothing that was sent can still arrive. A leg without a recorded sending always is: the lease keeps
an attempt from signing anything that could arrive after the next one has started. Effects are carried out in
the order in which they were planned; what was sent before comes behind them.

Orders to create: what the look-up finds. It precedes every sending, the first one included.

====  =====================  ===========================  ====================================================
row   leg                    look-up                      what happens
====  =====================  ===========================  ====================================================
C1    any                    the same order               placed, as the exchange has it
C2    any                    the same, rejected later     refused: `invalid_order`
C3    any                    a different order            contested: unresolved, its absence proves nothing
C4    contested              nothing                      stays
C5    planned                nothing; young               sent
C6    tried, unresolved      nothing, landed; young       sent again
C7    not contested          nothing, landed; old         dropped
C8    tried, unresolved      nothing, not landed          waits for the end of the fence
C9    planned, tried         fails                        the turn ends; raised if it changed nothing
C10   planned, tried         fails, `unresolved_after`    unresolved
C11   unresolved             fails                        stays, the others go on
C19   planned, tried         is refused                   unresolved, the others go on
C12   just planned           this exchange has none       sent: no earlier attempt can have done it
C13   planned, tried         this exchange has none       unresolved, for an earlier attempt may have sent it
C14   any                    none, but it is open         as C1 and C3
C15   a person found it      any order                    placed, as the exchange has it
C16   a person found it      nothing, or it fails         placed, as it was meant
C17   a person did not       the same order               placed, as the exchange has it
C18   a person did not       anything else, or it fails   dropped
====  =====================  ===========================  ====================================================

Orders to create: what the exchange answers.

====  ======================================  ============================================================
row   answer                                  what happens
====  ======================================  ============================================================
A1    accepted                                placed
A2    refused                                 refused, as the exchange says
A3    duplicate, and it is the same           placed
A4    duplicate, and it is different          contested
A5    duplicate, and nothing is found         contested; looked up again at the end of the fence
A6    duplicate, and the look-up fails        contested; the turn ends
A7    unclear                                 tried; the turn ends; every further fence is twice as long
A8    unclear, with a time to wait            tried; the turn ends for that time
A9    unclear, for longer                     tried; postponed
A10   an exception                            as A7
A11   any, after a cancellation               as above; the turn ends and the next attempt goes on
A12   unclear, and there is no look-up        unresolved
====  ======================================  ============================================================

Every kind of effect: approval, lease, mode, and what a person found out.

====  ======================  =========================  =====================================================
row   leg                     when                       what happens
====  ======================  =========================  =====================================================
M1    awaiting approval       young                      skipped until it is too old
M2    awaiting approval       old, or winding down       dropped
M3    about to be sent        the lease is too short     stays as it is; the turn ends, due again now
M4    planned                 looking up only            held, nothing is asked about it
M5    tried create            looking up only; absent    planned again, for nothing of it exists
M6    create                  winding down; absent       dropped, young or not
M7    unresolved              winding down               reported; time alone does not change it
M8    unresolved, no order    a person found it          happened as it was meant
M9    unresolved, no order    a person did not           dropped
====  ======================  =========================  =====================================================

Cancellations (harmless when repeated), leverage (the same), withdrawals (never repeated).

====  ======================  =========================  =====================================================
row   leg                     exchange                   what happens
====  ======================  =========================  =====================================================
X1    planned cancel          did it                     cancelled
X2    planned cancel          knows no such open order   cancelled, or refused: `order_not_found` if it filled
X3    planned cancel          knows none, shows it open  tried; sent again at the end of the fence
X4    planned cancel          refuses                    refused
X5    planned cancel          unclear                    tried; the turn ends
X6    tried cancel            shows it gone or filled    as X2, nothing is sent
X7    tried cancel            shows it open; young       sent again
X8    old cancel              shows it open              dropped; sent when winding down
X9    tried cancel            the look-up fails          as C9, C10 and C11
L1    leverage, young         did it / refuses           applied / refused
L2    leverage, young         unclear                    tried; the turn ends; sent again after the fence
L3    leverage, old           not asked                  dropped; so when winding down
W1    planned withdrawal      has no ids for them        refused: `disabled_funds_transfer_error`
W2    any withdrawal          shows it                   sent
W3    any withdrawal          shows a different one      contested
W4    planned withdrawal      shows none; young / old    sent / dropped; dropped when winding down
W5    tried withdrawal        shows none                 waits; unresolved after `unresolved_after`
W6    planned withdrawal      duplicate                  looked up: W2, W3, or contested
W7    planned withdrawal      unclear                    tried; the turn ends
====  ======================  =========================  =====================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from engine.effects import Dropped, Outcome
from engine.live.guard.cancelling import Cancelling
from engine.live.guard.creating import Creating
from engine.live.guard.decisions import as_resolved
from engine.live.guard.guard_turn import GuardTurn, Halt, Unsettled
from engine.live.guard.leveraging import Leveraging
from engine.live.guard.result import GuardResult, Mode, SettledEffect
from engine.live.guard.timing import Timing
from engine.live.guard.withdrawing import Withdrawing
from engine.live.settings import Lease, LiveSettings
from engine.live.venue import TradingApi
from engine.state import Intent
from engine.types import Timestamp

_NO_HALT: Final = Halt(why=None)
NOTHING_RESOLVED: Final[Mapping[str, bool]] = MappingProxyType({})


class EffectGuard:
    """Carries intents out on one account, each once.

    Args:
        api: the account.
        settings: fences, ages and margins.
        lease: how long this process may act.
        now: the invocation's time, UNIX seconds.
        approval_required: whether a person approves effects, who takes longer than a machine.
    """

    def __init__(
        self,
        api: TradingApi,
        *,
        settings: LiveSettings,
        lease: Lease,
        now: Timestamp,
        approval_required: bool,
    ) -> None:
        max_age = settings.approved_intent_max_age if approval_required else settings.intent_max_age
        self._api = api
        self._timing = Timing(api, settings=settings, lease=lease, now=now, max_age=max_age)

    async def carry_out(
        self, intents: Sequence[Intent], mode: Mode, *, resolved: Mapping[str, bool] = NOTHING_RESOLVED
    ) -> GuardResult:
        """Look intents up, send what is absent and may be sent, and tell what became of each.

        Args:
            intents: the pending effects, in the order in which they were planned.
            mode: what may be done.
            resolved: keys of unresolved effects, and whether a person found them on the exchange.

        Raises:
            RetryableError: a look-up got no answer, and nothing was sent or resolved.
            PostponedError: the account cannot be used for longer, and nothing was sent or resolved.
        """
        shared = GuardTurn(self._api, mode, self._timing)
        steps = await _Steps(shared, resolved).of(intents)
        if shared.failure is not None and not (shared.acted or shared.gave_up or resolved):
            raise shared.failure
        return _result_of(intents, steps, shared)


class _Steps:
    """What one turn makes of each intent.

    Args:
        shared: the turn.
        resolved: what a person found, or not, by key.
    """

    def __init__(self, shared: GuardTurn, resolved: Mapping[str, bool]) -> None:
        self._round = shared
        self._resolved = resolved
        self._creating = Creating(shared, resolved)
        self._carry_out = {
            "create_order": self._creating.carry_out,
            "cancel_order": Cancelling(shared).carry_out,
            "set_leverage": Leveraging(shared).carry_out,
            "withdraw": Withdrawing(shared).carry_out,
        }

    async def of(self, intents: Sequence[Intent]) -> list[Outcome | Unsettled]:
        """Return what became of each intent, in the order given.

        What was sent latest comes last: what never gets a clear answer holds nothing else up.
        """
        await self._creating.look_up([intent for intent in intents if intent.status != "awaiting_approval"])
        in_turn = sorted(intents, key=lambda intent: intent.sent_at or 0)
        steps = {intent.key: await self._guarded(intent) for intent in in_turn}
        return [steps[intent.key] for intent in intents]

    async def _guarded(self, intent: Intent) -> Outcome | Unsettled:
        """Carry one intent out; once anything was sent, not even a cancellation is raised any more."""
        try:
            return await self._step(intent)
        except (Exception, asyncio.CancelledError) as failure:
            if not self._round.acted:
                raise
            return self._round.interrupted(intent, failure)

    async def _step(self, intent: Intent) -> Outcome | Unsettled:
        if intent.key in self._resolved:
            known = as_resolved(intent, found=self._resolved[intent.key])
            if known is not None:
                return known
        if intent.status != "awaiting_approval":
            return await self._carry_out[intent.kind](intent)
        timing = self._round.timing
        expires_at = timing.expires_at(intent)
        if self._round.mode is Mode.WIND_DOWN or timing.now >= expires_at:
            return Dropped()
        return Unsettled(intent, expires_at)


def _result_of(
    intents: Sequence[Intent], steps: Sequence[Outcome | Unsettled], shared: GuardTurn
) -> GuardResult:
    waiting = [step for step in steps if isinstance(step, Unsettled)]
    due = [step.next_at for step in waiting if step.next_at is not None]
    halt = shared.halt or _NO_HALT
    return GuardResult(
        settled=[
            SettledEffect(shared.latest(intent), step)
            for intent, step in zip(intents, steps, strict=True)
            if not isinstance(step, Unsettled)
        ],
        pending=[step.intent for step in waiting],
        next_at=min(due, default=None),
        acted=shared.acted,
        notes=shared.notes,
        retry_after=halt.retry_after,
        postpone=halt.postpone,
        why=halt.why,
    )
