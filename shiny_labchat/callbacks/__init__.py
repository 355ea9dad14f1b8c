"""Functions called with every message."""
