"""The rules: what a command makes happen in a room, or why it is refused. Pure."""

from __future__ import annotations

from shiny_labchat.domain.decide.messages import check_text, decide

__all__ = ["check_text", "decide"]
