"""A typed tree becomes a program: names are resolved, calls bound, and the data that they need is found."""
