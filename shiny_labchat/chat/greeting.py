"""Greetings: shown to each person separately, and never logged."""

from __future__ import annotations

from typing import Any, cast

from htmltools import HTML, Tag, TagChild, TagList
from shinychat.types import ChatGreeting

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.content import as_content, as_shown
from shiny_labchat.chat.shiny_internals import flush_soon

__all__ = ["Greeting", "Greets", "as_drawn"]

Greeting = str | HTML | Tag | TagList | ChatGreeting
"""Text (markdown), UI, or a `shinychat.chat_greeting()` of these."""


def as_drawn(greeting: Greeting) -> tuple[dict[str, Any], list[TagChild]]:
    """A greeting as an item for the browser, and the dependencies that its UI needs."""
    item, needed = as_shown(_content_of(greeting))
    return item | _about(greeting), needed


class Greets(ChatBase):
    """The part of a :class:`Chat` that greets its person."""

    _greeting: Greeting | None = None

    def get_greeting(self) -> str | None:
        """The text or HTML of the greeting that was set for this Chat; None: none was."""
        if self._greeting is None:
            return None
        return str(_content_of(self._greeting))

    async def set_greeting(self, greeting: Greeting | None) -> None:
        """
        Greet this session's person, above all messages.

        Nobody else sees it, and it is not logged.

        Parameters
        ----------
        greeting
            Text (markdown), `HTML`, a Tag or TagList, or a `shinychat.chat_greeting()` of these. It
            disappears when this person sends a message, unless it is persistent. None: no
            greeting, not even the one of ``chat_ui(greeting=)``.
        """
        if greeting is not None:
            _content_of(greeting)
        self._greeting = greeting
        await self._session.root_scope().send_custom_message(
            "labchat", {"id": str(self.id), "do": "greet", "greeting": self._greeting_drawn()}
        )
        flush_soon(self._session)

    def _greeting_drawn(self) -> dict[str, Any] | None:
        """The greeting as an item for the browser."""
        if self._greeting is None:
            return None
        content = as_content(_content_of(self._greeting), self._session)
        shown = {"role": "assistant", "parts": content.parts, "deps": content.deps}
        return shown | _about(self._greeting)


def _about(greeting: Greeting) -> dict[str, Any]:
    is_persistent = isinstance(greeting, ChatGreeting) and bool(greeting.persistent)
    return {"greeting": True, "persistent": is_persistent}


def _content_of(greeting: Greeting) -> str | HTML | Tag | TagList:
    if not isinstance(greeting, ChatGreeting):
        content = greeting
    elif greeting.content_type == "html":
        content = TagList(HTML(greeting.content), *greeting.html_deps)
    else:
        content = greeting.content
    if not isinstance(content, str | HTML | Tag | TagList):
        raise TypeError(
            "a greeting must be text, HTML, a Tag, a TagList, or a chat_greeting() of these, "
            f"not {type(cast(object, content)).__name__}"
        )
    return content
