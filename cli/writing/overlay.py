"""Changes an automation as the options of `plan`, `run` and `start` ask for: another market, another id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from cli.errors import CommandError, ExitCode
from cli.output import moment
from cli.writing.market_choice import choose_market, lay_over
from connection import Settings
from engine.state import AutomationState

DEFAULT_SPEED: Final = 86_400.0
"""Market seconds per real second: a day of market takes a second, a month half a minute."""

MarketOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|FOLDER",
        help="Replay a recorded market instead of the real one. auto: the folder of OCTOFLOW_MARKET_DATA, "
        "else candles fetched just now, else the synthetic sample market.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="With --market: when to start, such as 2024-02-01T12:00:00Z."),
]
SpeedOption = Annotated[float, typer.Option(min=0.001, help="With --market: market seconds per real second.")]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the command line changes about an automation file."""

    market: str | None
    start: str | None
    speed: float
    automation_id: str | None

    async def apply(self, state: AutomationState, settings: Settings) -> tuple[AutomationState, str | None]:
        """Return the changed state, and a line that tells the user about its market.

        Raises:
            CommandError: the options do not fit each other or the automation.
            ConfigurationError: the market has no candles of what the automation reads.
        """
        state = state.model_copy(deep=True)
        if self.automation_id is not None:
            state.automation.metadata.automation_id = self.automation_id
        if self.market is None:
            if self.start is not None:
                raise CommandError("--start needs --market.", ExitCode.WRONG_INPUT)
            return state, None
        choice = await choose_market(self.market, state, settings.home)
        state, start = lay_over(state, choice, self.start, self.speed)
        since = f" from {moment(start)} UTC" if start is not None else ""
        return state, f"Market: {choice.description}{since}, {self.speed:,.0f} times as fast."
