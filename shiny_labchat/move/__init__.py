"""Moving all rows of a lab's database to another one, whatever kinds they are of."""

from __future__ import annotations

from shiny_labchat.move.run import Bar, Moved, move
from shiny_labchat.move.undo import undo

__all__ = ["Bar", "Moved", "move", "undo"]
