"""The bridge between Temporal and the engine: one activity runs one invocation."""
