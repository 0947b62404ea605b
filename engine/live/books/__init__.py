"""What the exchange says against what the state knows, and what follows from the difference."""
