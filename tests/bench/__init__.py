"""How fast a message reaches everybody, and what it costs: ours beside three other ways."""
