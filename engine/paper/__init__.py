"""The simulated account: a book, a ledger, and what the market does to them."""

from engine.paper.account import PaperAccount
from engine.paper.context import PaperContext

__all__ = [
    "PaperContext",
    "PaperAccount",
]
