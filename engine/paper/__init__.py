"""The simulated account: a book, a ledger, and what the market does to them."""
