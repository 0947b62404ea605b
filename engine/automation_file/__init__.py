"""The file a person writes, and the state that it becomes."""
