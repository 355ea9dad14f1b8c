"""The chat as a Shiny module."""

from __future__ import annotations

from typing import Any

from htmltools import Tag
from shiny import Inputs, Outputs, Session, module

from shiny_labchat.chat.chat import Chat
from shiny_labchat.chat.ui import chat_ui

__all__ = ["chat_module_server", "chat_module_ui"]

_INSIDE = "chat"


def chat_module_ui(id: str, **kwargs: Any) -> Tag:
    """
    The UI of a chat module.

    Parameters
    ----------
    id
        The module's id. The chat inside has the id "chat": in the page, and for tests, the chat
        of the module ``"team"`` has the id ``"team-chat"``.
    kwargs
        Passed on to :func:`~shiny_labchat.chat_ui`.
    """
    return _ui(id, **kwargs)


def chat_module_server(id: str, **kwargs: Any) -> Chat:
    """
    The server function of a chat module.

    Parameters
    ----------
    id
        The module's id; the room is named after it unless `room` says otherwise.
    kwargs
        Passed on to :class:`~shiny_labchat.Chat`.

    Returns
    -------
    Chat
    """
    return _server(id, **kwargs)


@module.ui
def _ui(**kwargs: Any) -> Tag:
    return chat_ui(_INSIDE, **kwargs)


@module.server
def _server(input: Inputs, output: Outputs, session: Session, **kwargs: Any) -> Chat:
    kwargs.setdefault("room", str(session.ns))
    return Chat(_INSIDE, **kwargs)
