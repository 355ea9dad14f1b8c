"""Requests to language models, independent of rooms."""
