"""Streams: messages that grow piece by piece."""
