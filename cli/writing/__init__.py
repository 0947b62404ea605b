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

__all__ = ["read_automation", "invoke", "schema", "operators", "as_configured", "live_account", "on_paper"]
__all__ += ["real_balances", "look_ahead", "picture", "balance_rows", "needs_of", "DEFAULT_SPEED"]
__all__ += ["MarketOption", "StartOption", "SpeedOption", "Overlay", "plan", "validate", "imports"]
