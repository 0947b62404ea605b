"""What a script can do to its own automation."""

from __future__ import annotations

from typing import Final

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


@operator(SET, kind=Kind.EFFECT, suspends=False, example='update_automation_configuration("wait(60)")')
def update_automation_configuration(context: OperatorContext, text: str) -> None:
    """Replace the script of the automation's only executable action, and run it.

    Args:
        text: the new script.
    """
    context.direct(UpdateConfiguration(text))
