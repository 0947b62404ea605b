"""The conformance corpus of the language and the paper exchange, and what runs it."""
