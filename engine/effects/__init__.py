"""The vocabulary of effects: what is intended, what became of it, and how to say so. Nothing here acts."""
