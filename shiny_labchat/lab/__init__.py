"""Labs and rooms, for programmes: no page and no Shiny in it."""
