"""Controllers for tests of apps that contain a chat."""

from shiny_labchat.playwright.chat import ChatController, Standing
from shiny_labchat.playwright.transcript import PatternOrStr, Timeout

__all__ = ["ChatController", "PatternOrStr", "Standing", "Timeout"]
