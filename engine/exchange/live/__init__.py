"""Live accounts: effects that happen once, and an account that never drifts from the exchange's books."""
