"""Every effect happens once, whatever is killed, lost or repeated."""
