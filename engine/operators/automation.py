"""What a script can do to its own automation."""

from __future__ import annotations

from typing import Any, Final

from engine.dsl import (
    Kind,
    OperatorContext,
    OperatorSet,
    StopAutomation,
    UpdateConfiguration,
    operator,
)

SET: Final = OperatorSet("automation", "What a script can do to its own automation.")


@operator(SET, kind=Kind.EFFECT, suspends=False, example="stop_automation() if total('USDT') < 10 else None")
def stop_automation(context: OperatorContext) -> None:
    """End the automation after this action; actions that have not run yet do not run."""
    context.direct(StopAutomation())


@operator(SET, kind=Kind.READ, example="1 if previous() == None else previous() + 1")
def previous(context: OperatorContext) -> Any:
    """Return the result that the action had before it was last reset; None when it has none yet.

    So an action that is repeated can go on from its last round; the example counts them. A round that ended
    with an error, or without a value, leaves the result of the round before.
    """
    return context.previous_execution_result


@operator(SET, kind=Kind.EFFECT, suspends=False, example='update_automation_configuration("wait(60)")')
def update_automation_configuration(context: OperatorContext, text: str) -> None:
    """Replace the script of the automation's only executable action, and run it.

    Args:
        text: the new script.
    """
    context.direct(UpdateConfiguration(text))
