"""The ccxt classes: which there are, how a client is made, and what each exchange can do."""
