"""`AutomationUnderTest`: an automation whose invocations a test makes, on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engine.automation_file import load_automation
from engine.dsl import OperatorSet
from engine.job import (
    AutomationJob,
    EngineSettings,
    InvocationOutcome,
    InvocationRequest,
    InvocationStatus,
    Services,
)
from engine.market import MarketSource
from engine.state import Action, AutomationState, TriggerReason, load_state
from engine.types import Timestamp
from engine.values import decode_value
from octoflow.testing.memory_market import NOW, MemoryMarket
from octoflow.testing.scripts import registry_with

MAX_INVOCATIONS = 1_000
_ENDED: Final = (InvocationStatus.FINISHED, InvocationStatus.STOPPED)


class AutomationUnderTest:
    """An automation, its state, and a clock that stands still between two invocations.

    ```python
    automation = AutomationUnderTest(text, SET, market=MemoryMarket({"BTC/USDT": 50_000}))
    outcome = automation.run()
    assert automation.result("dip") is True
    ```

    Args:
        automation: the text of an automation file, or a state; simulated, without credentials.
        *sets: operators that its scripts may call besides the built-in and the installed ones.
        market: prices and candles, whatever exchange it names.
        now: UNIX seconds (market time) of its first invocation.
        settings: bounds and rates of the engine.

    Raises:
        AutomationFileError: the file is wrong.
        StateError: the state is.
        ValueError: it has credentials, and would trade with real funds.

    Attributes:
        state: as the last invocation left it.
        now: when the next invocation takes place, UNIX seconds.
    """

    def __init__(
        self,
        automation: str | AutomationState | Mapping[str, Any],
        *sets: OperatorSet,
        market: MarketSource | None = None,
        now: Timestamp = NOW,
        settings: EngineSettings | None = None,
    ) -> None:
        registry = registry_with(*sets)
        source = market or MemoryMarket()
        if isinstance(automation, str):
            automation = load_automation(automation, registry=registry)
        self.state = automation if isinstance(automation, AutomationState) else load_state(automation)
        if self.state.is_live:
            raise ValueError("the automation has credentials; tests are made on paper: leave them out")
        self.now = now
        self._services = Services(
            registry=registry, market_source=lambda _: source, settings=settings or EngineSettings()
        )

    def invoke(
        self,
        *,
        forced: bool = False,
        priority_actions: Sequence[Mapping[str, Any]] = (),
        signals: Sequence[Mapping[str, Any]] = (),
    ) -> InvocationOutcome:
        """Run one invocation at `now`.

        Args:
            forced: whether a person asked for it, so that waiting operators are called before they are due.
            priority_actions: actions in their JSON form, to run before the others.
            signals: snapshots of leaders, for copying automations.

        Raises:
            ConfigurationError: a person must change something first.
            RuntimeError: an event loop is running already; call it from a test that is not `async`.
        """
        request = InvocationRequest(
            state=self.state,
            now=self.now,
            trigger=TriggerReason.FORCED if forced else TriggerReason.SCHEDULED,
            priority_actions=priority_actions,
            signals=signals,
        )
        job = AutomationJob(request, self._services)
        outcome = asyncio.run(job.run())
        self.state = load_state(job.dump())
        return outcome

    def run(
        self, *, until: Timestamp | None = None, max_invocations: int = MAX_INVOCATIONS
    ) -> InvocationOutcome:
        """Run one invocation after the other, each when it is due, and return what the last one said.

        Args:
            until: UNIX seconds; what is due later is left, and `now` is then this instant.
            max_invocations: invocations after which the test fails.

        Raises:
            AssertionError: it did not end by then.
        """
        for _ in range(max_invocations):
            outcome = self.invoke()
            if outcome.status in _ENDED or outcome.next_due_at is None:
                return outcome
            if until is not None and outcome.next_due_at > until:
                self.now = max(self.now, until)
                return outcome
            self.now = max(self.now, outcome.next_due_at)
        raise AssertionError(f"the automation did not end within {max_invocations} invocations")

    def result(self, action_id: str) -> Any:
        """Return the value of an action: money as `Decimal`, series as numpy arrays.

        Raises:
            AssertionError: it has not completed, or it failed.
        """
        action = self.action(action_id)
        if not action.is_completed:
            raise AssertionError(f"{action_id} has not completed")
        if action.error_status is not None:
            raise AssertionError(f"{action_id} failed ({action.error_status}): {action.error_message}")
        return decode_value(action.result)

    def action(self, action_id: str) -> Action:
        """Return an action as the state has it, priority actions included.

        Raises:
            KeyError: there is none of that id.
        """
        for action in (*self.state.actions, *self.state.priority_actions):
            if action.id == action_id:
                return action
        raise KeyError(action_id)

    @property
    def holdings(self) -> Mapping[str, Decimal]:
        """Totals of the account by asset, what orders lock included."""
        elements = self.state.automation.exchange_account_elements
        content = elements.portfolio.content if elements is not None else {}
        return {asset: balance.total for asset, balance in content.items()}
