"""Controllers for tests of apps that contain a chat."""

from shiny_labchat.playwright.chat import ChatController, Standing
from shiny_labchat.playwright.transcript import PatternOrStr, Timeout
from shiny_labchat.public import publish

__all__ = ["ChatController", "PatternOrStr", "Standing", "Timeout"]

publish(__name__, __all__, globals())
