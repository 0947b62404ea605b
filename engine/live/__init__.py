"""An account with credentials: the exchange's API, effects that happen once, and books that agree."""
