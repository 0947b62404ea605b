"""What a person writes: automation files are read, checked and tried out, and their language is explained."""

from cli.writing.file_input import read_automation
from cli.writing.importing import imports
from cli.writing.invoking import invoke
from cli.writing.language import operators, schema
from cli.writing.lookahead import (
    as_configured,
    balance_rows,
    live_account,
    look_ahead,
    on_paper,
    picture,
    real_balances,
)
from cli.writing.market_choice import needs_of
from cli.writing.overlay import DEFAULT_SPEED, MarketOption, Overlay, SpeedOption, StartOption
from cli.writing.planning import plan
from cli.writing.validating import validate

__all__ = ["read_automation", "imports", "invoke", "operators", "schema", "as_configured", "balance_rows"]
__all__ += ["live_account", "look_ahead", "on_paper", "picture", "real_balances", "needs_of"]
__all__ += ["DEFAULT_SPEED", "MarketOption", "Overlay", "SpeedOption", "StartOption", "plan", "validate"]
