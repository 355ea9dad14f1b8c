"""Rooms in memory, and the frames that each viewer is owed."""
