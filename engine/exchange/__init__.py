"""Exchange data and accounts: what an invocation sees of an exchange, and how it acts on it."""
