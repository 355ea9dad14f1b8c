"""What a chat says into its room at once: whole messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.content import Content, as_content
from shiny_labchat.chat.posts import ME, Audience, Icon, post_of
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import text_of

__all__ = ["Appending"]


class Appending(ChatBase):
    """The part of a :class:`Chat` that says whole messages."""

    async def append_message(
        self,
        message: Any,
        *,
        icon: Icon = None,
        author: str | Member | None = None,
        audience: Audience = None,
        id: str | None = None,
    ) -> None:
        """
        Append a message to the room: logged, and shown to everybody in it.

        Parameters
        ----------
        message
            Text (markdown), `HTML`, a Tag or TagList or what else a tag may hold (inputs and
            outputs in it live in each browser), a dictionary with `content` and `role`, or any
            type registered with `shinychat.message_content`. The role "user" says it in this
            session's person's name.
        icon
            Shown beside the message: UI, or a string of HTML.
        author
            Who says it: a member, or the name that the programme speaks under. None: the
            programme.
        audience
            Who may see it: "me" (this session's person), or members. None: everybody.
        id
            What makes it one message however often it is appended. A script that appends when it
            starts does so for every visitor, and needs one.

        Raises
        ------
        LabChatError
            There is no room yet.
        Refused
            A rule of the room says no.
        """
        content = as_content(message, self._session)
        command = post_of(content, icon, author, audience, id)
        await self._flush_in_handler()
        await self._say(command, content)
        if command.role == "assistant":
            self._bookmarks.responded()

    async def _append_first(self, message: Any, id: str) -> None:
        content = as_content(message, self._session)
        first = post_of(content, id=id)
        # Nobody in particular says these: there is one for all visitors.
        await self._say(replace(first, member=None), content)

    async def _say(self, command: commands.Post, content: Content) -> None:
        """Say what the app's transforms leave of something."""
        is_others = command.member not in (None, ME)
        shown = content if is_others else await self._transforms.apply(content)
        text = text_of(content.parts)
        if shown is None:
            await self._room().submit(commands.Withhold(text, id=command.cid))
            return
        original = None if text == text_of(shown.parts) else text
        told = replace(command, parts=shown.parts, original=original)
        await self._as_told(told, lambda room, told: room.say(told))

    async def clear_messages(
        self, *, greeting: bool = False, scope: Literal["view", "room"] = "view"
    ) -> None:
        """
        Empty the chat; the log keeps all.

        Parameters
        ----------
        greeting
            Whether the greeting goes, too, until the page is loaded again.
        scope
            "view": this person's own screen, for good. "room": everybody's.
        """
        if scope not in ("view", "room"):
            raise ValueError(f'scope must be "view" or "room", not {scope!r}')
        await self._flush_in_handler()
        if scope == "room":
            await self._room().clear(greeting=greeting)
            return

        async def clear() -> None:
            await self._room().clear(self._admission.member, greeting=greeting)

        await self._once(clear)
