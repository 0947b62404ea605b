"""Text becomes a typed tree, and a tree becomes text."""
