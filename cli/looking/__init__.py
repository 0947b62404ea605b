"""Looking at automations without touching them: which there are, how one is now, what it has done."""

from cli.looking.listing import list_automations
from cli.looking.looking_back import history
from cli.looking.showing import look, show

__all__ = ["list_automations", "history", "look", "show"]
