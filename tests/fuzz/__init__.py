"""Attacks on a real server; `python -m tests.fuzz` runs them for a while."""
