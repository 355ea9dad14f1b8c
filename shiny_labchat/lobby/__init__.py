"""Studies and lobbies in Shiny sessions: who the person is, what they see, and their answers."""
