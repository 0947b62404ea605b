"""Public data: trading rules, candles, prices and funding, from an exchange or a recording."""
