"""A Chat for Shiny Express, with its UI as a method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from htmltools import HTML, Tag, TagAttrValue, TagChild, TagList
from shiny.express import app_opts
from shiny.types import MISSING, MISSING_TYPE
from shiny.ui.css import CssUnit

from shiny_labchat.chat.bookmarks import CancelCallback, ClientWithState, RestoreMember
from shiny_labchat.chat.chat import Chat as _Chat
from shiny_labchat.chat.greeting import Greeting
from shiny_labchat.chat.ui import PLACEHOLDER, chat_ui

if TYPE_CHECKING:
    from shiny_labchat.models.client import ModelClient

__all__ = ["Chat"]


class Chat(_Chat):
    __doc__ = _Chat.__doc__

    def ui(
        self,
        messages: Iterable[Any] | None = None,
        placeholder: str = PLACEHOLDER,
        width: CssUnit = "min(680px, 100%)",
        height: CssUnit = "auto",
        fill: bool = True,
        icon_assistant: HTML | Tag | TagList | str | None = None,
        labels: Mapping[str, str] | None = None,
        greeting: Greeting | None = None,
        enable_cancel: bool | MISSING_TYPE = MISSING,
        submit_key: Literal["enter", "enter+modifier"] = "enter",
        footer: TagChild = None,
        icon_send: HTML | Tag | TagList | str | None = None,
        breaks: bool = False,
        done: str | None = None,
        **kwargs: TagAttrValue,
    ) -> Tag:
        """
        The chat's UI; parameters as in `shiny_labchat.chat_ui`.

        HTML in `messages` is drawn as the Chat's own parameter `html` says.
        """
        return chat_ui(
            self.id,
            messages=messages,
            placeholder=placeholder,
            width=width,
            height=height,
            fill=fill,
            icon_assistant=icon_assistant,
            labels=labels,
            greeting=greeting,
            enable_cancel=enable_cancel,
            submit_key=submit_key,
            footer=footer,
            icon_send=icon_send,
            breaks=breaks,
            done=done,
            html=self._html,
            lab=self._lab,
            **kwargs,
        )

    def enable_bookmarking(
        self,
        client: ClientWithState | ModelClient | None = None,
        /,
        *,
        bookmark_store: Literal["url", "server", "disable"] | None = None,
        bookmark_on: Literal["response"] | None = "response",
        restore_member: RestoreMember = "same-browser",
    ) -> CancelCallback:
        """
        Let bookmarks, such as the page's address, bring people back to their room.

        Parameters
        ----------
        bookmark_store
            Where bookmarks are kept: in the "url", or on the "server". This sets
            ``shiny.express.app_opts(bookmark_store=)``, which bookmarking needs. None: that
            setting is not changed.
        client, bookmark_on, restore_member
            As in :meth:`shiny_labchat.Chat.enable_bookmarking`, which also describes the return
            value and the errors.
        """
        if bookmark_store is not None:
            app_opts(bookmark_store=bookmark_store)
        return super().enable_bookmarking(
            client, bookmark_on=bookmark_on, restore_member=restore_member
        )
