"""Controllers for the tests of apps that have a chat in them."""

from shiny_labchat.playwright.chat import ChatController, Standing
from shiny_labchat.playwright.transcript import PatternOrStr, Timeout

__all__ = ["ChatController", "PatternOrStr", "Standing", "Timeout"]
