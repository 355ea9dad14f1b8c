"""How fast a message reaches everybody: shiny_labchat beside a broadcast that stores nothing."""
