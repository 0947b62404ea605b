"""The engine: executes one invocation of an automation at a time, and keeps nothing in between."""
