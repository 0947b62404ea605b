"""Small states for tests: an automation in one line."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from engine.job.job import AutomationJob
from engine.job.outcome import InvocationOutcome
from engine.job.request import InvocationRequest
from engine.job.services import Services
from engine.state import TriggerReason

NOW = 1_700_000_000.0

State = dict[str, Any]


def action(action_id: str, script: str, *after: str, **fields: Any) -> dict[str, Any]:
    """A DSL action that comes after the named ones."""
    edges = [{"action_id": upstream} for upstream in after]
    return {"id": action_id, "dsl_script": script, **({"dependencies": edges} if edges else {}), **fields}


def automation(*actions: dict[str, Any], **sections: Any) -> State:
    """A state without an exchange; `sections` are further parts of `automation`."""
    return {
        "schema_version": 1,
        "automation": {
            "metadata": {"automation_id": "test", "seed": "seed"},
            "actions_dag": {"actions": list(actions)},
            **sections,
        },
    }


def scripts(*texts: str) -> State:
    """A state of independent actions: a0, a1 and so on."""
    return automation(*(action(f"a{index}", text) for index, text in enumerate(texts)))


def paper(state: State, portfolio: Mapping[str, Any], **details: Any) -> State:
    """The same state with a simulated account that holds a portfolio."""
    content = [{"asset": asset, "total": str(total)} for asset, total in portfolio.items()]
    account = {"exchange_details": {"internal_name": "binance", **details}, "portfolio": {"content": content}}
    return {**state, "exchange_account_details": account}


class Invoked:
    """A state and what its last invocation said; `invoke` makes the next one."""

    def __init__(self, state: State, services: Services | None = None) -> None:
        self.state = copy.deepcopy(state)
        self.services = services or Services()
        self.outcome: InvocationOutcome | None = None

    async def invoke(
        self, now: float = NOW, trigger: TriggerReason = TriggerReason.SCHEDULED, **request: Any
    ) -> InvocationOutcome:
        """Run one invocation and keep its new state."""
        job = AutomationJob(
            InvocationRequest(state=self.state, now=now, trigger=trigger, **request), self.services
        )
        self.outcome = await job.run()
        self.state = job.dump()
        return self.outcome

    def action(self, action_id: str) -> dict[str, Any]:
        """The stored form of an action, priority actions included."""
        return next(
            stored
            for stored in [
                *self.state["automation"]["actions_dag"]["actions"],
                *self.state.get("priority_actions", []),
            ]
            if stored["id"] == action_id
        )

    def result(self, action_id: str) -> Any:
        """The stored result of an action, which must have completed without error."""
        stored = self.action(action_id)
        assert "executed_at" in stored, f"{action_id} has not completed: {stored}"
        assert "error_status" not in stored, f"{action_id} failed: {stored['error_message']}"
        return stored.get("result")

    @property
    def completed(self) -> list[str]:
        """Ids of the completed actions of the DAG."""
        return [
            stored["id"]
            for stored in self.state["automation"]["actions_dag"]["actions"]
            if "executed_at" in stored
        ]

    @property
    def statuses(self) -> list[str | None]:
        """The error status of each action of the DAG, None where there is none."""
        actions = self.state["automation"]["actions_dag"]["actions"]
        return [stored.get("error_status") for stored in actions]
