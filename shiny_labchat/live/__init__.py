"""Rooms in memory, and what each viewer is owed."""
