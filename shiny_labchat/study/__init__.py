"""Studies, for programmes: their people, what they are asked, recorded and paid; without Shiny."""
