"""A program runs to its value, at once or to a place where it waits and goes on later."""
