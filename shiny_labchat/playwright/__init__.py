"""Controllers for the tests of apps that have a chat in them."""

from shiny_labchat.playwright._chat import ChatController, PatternOrStr, Standing, Timeout

__all__ = ["ChatController", "PatternOrStr", "Standing", "Timeout"]
