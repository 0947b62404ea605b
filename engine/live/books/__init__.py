"""What the exchange says against what the state knows, and what follows from the difference."""

from engine.live.books.apply_outcomes import apply_outcome
from engine.live.books.catch_up import LookAtAccount, is_settled
from engine.live.books.follow_up_intents import dump_order, ending, is_obsolete, repeated
from engine.live.books.follow_ups import Surroundings, plan_follow_ups
from engine.live.books.names import named
from engine.live.books.repositories import LiveRepositories
from engine.live.books.watching import ends_at_a_price, needs_price, watch_at

__all__ = ["apply_outcome", "LookAtAccount", "is_settled", "dump_order", "ending", "is_obsolete"]
__all__ += ["repeated", "Surroundings", "plan_follow_ups", "named", "LiveRepositories", "ends_at_a_price"]
__all__ += ["needs_price", "watch_at"]
