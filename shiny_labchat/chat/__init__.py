"""A room as one Shiny session sees and steers it."""
