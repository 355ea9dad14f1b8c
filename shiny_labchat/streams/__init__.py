"""Messages that grow."""
