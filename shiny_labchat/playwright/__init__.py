"""
Controllers and a pytest fixture, for tests of apps that contain a chat.

The module is a pytest plugin with the fixture `labchat`; one line in ``conftest.py`` turns it on::

    pytest_plugins = ["shiny_labchat.playwright"]
"""

from importlib.util import find_spec

if find_spec("playwright") is None or find_spec("pytest") is None:
    raise ImportError("shiny_labchat.playwright needs Playwright: pip install pytest-playwright")

from shiny_labchat.playwright.chat import ChatController, Standing
from shiny_labchat.playwright.fixture import LabchatApp, StartApp, labchat
from shiny_labchat.playwright.transcript import PatternOrStr, Timeout
from shiny_labchat.public import publish

__all__ = [
    "ChatController",
    "LabchatApp",
    "PatternOrStr",
    "Standing",
    "StartApp",
    "Timeout",
    "labchat",
]

publish(__name__, __all__, globals())
