"""What a script may call: operators, their signatures, and the types of their arguments."""
