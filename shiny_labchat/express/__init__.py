"""For Shiny Express: a Chat with a place in the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from htmltools import HTML, Tag, TagAttrValue, TagList

from shiny_labchat._chat import Chat as _Chat
from shiny_labchat._ui import chat_ui

__all__ = ["Chat"]


class Chat(_Chat):
    __doc__ = _Chat.__doc__

    def ui(
        self,
        messages: Iterable[Any] | None = None,
        placeholder: str = "Enter a message...",
        width: str = "min(680px, 100%)",
        height: str = "auto",
        fill: bool = True,
        icon_assistant: HTML | Tag | TagList | None = None,
        labels: Mapping[str, str] | None = None,
        **kwargs: TagAttrValue,
    ) -> Tag:
        """The chat's place in the page; parameters as in `shiny_labchat.chat_ui`."""
        return chat_ui(
            self.id,
            messages=messages,
            placeholder=placeholder,
            width=width,
            height=height,
            fill=fill,
            icon_assistant=icon_assistant,
            labels=labels,
            **kwargs,
        )
