"""What the exchange says against what the state knows, and what follows from the difference."""

from engine.live.books.apply_outcomes import apply_outcome
from engine.live.books.catch_up import LookAtAccount, is_settled
from engine.live.books.follow_up_intents import dump_order, ending, is_obsolete, repeated
from engine.live.books.follow_ups import Surroundings, plan_follow_ups
from engine.live.books.names import named
from engine.live.books.repositories import LiveRepositories
from engine.live.books.watching import needs_price, watch_at

__all__ = [
    "LiveRepositories",
    "LookAtAccount",
    "Surroundings",
    "apply_outcome",
    "dump_order",
    "ending",
    "is_obsolete",
    "is_settled",
    "named",
    "needs_price",
    "plan_follow_ups",
    "repeated",
    "watch_at",
]
