"""Appending whole messages to a chat's room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from shiny_labchat.arguments import check_choice
from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.content import MarkdownHtml, as_content, instruction_of, is_trusted
from shiny_labchat.chat.posts import ME, Audience, Icon, post_of
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import text_of
from shiny_labchat.lab.room import Room

__all__ = ["Appending"]


class Appending(ChatBase):
    """The part of a :class:`Chat` that appends whole messages."""

    _html: MarkdownHtml

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
        Append a message to the room: it is logged, and shown to everybody there.

        Parameters
        ----------
        message
            Text (markdown), `HTML`, a Tag or TagList or anything else that a tag may hold (each
            browser has its own inputs and outputs in it), a dictionary with `content` and `role`,
            or any type registered with `shinychat.message_content`. With the role "user" this
            session's person is the author.
        icon
            Shown beside the message: UI, or a string of HTML.
        author
            A member, or a name for the programme. None: the programme.
        audience
            Who may see it: "me" (this session's person), or members. None: everybody; in a handler
            of a message that not all have heard (see `Room.connect`), those who have.
        id
            Identifies the message: it is stored only once, however often it is appended. A script
            that appends when it starts runs for every visitor, and so needs an id.

        Raises
        ------
        LabChatError
            There is no room yet.
        Refused
            A rule of the room forbids it.
        """
        trusts = is_trusted(self._html) and not isinstance(author, Member)
        content = as_content(message, self._session, trusts=trusts)
        command = self._as_heard(post_of(content, icon, author, audience, id))
        await self._flush_in_handler()
        await self._say(command)
        if command.role == "assistant":
            self._bookmarks.responded()

    async def _append_first(self, room: Room, message: Any, id: str) -> None:
        if (instruction := instruction_of(message)) is not None:
            command = commands.Post([("text", instruction)], "system", audience=(), cid=id)
            await self._post(room, command)
            return
        content = as_content(message, self._session, trusts=is_trusted(self._html))
        first = post_of(content, id=id)
        # It has no member as its author: there is one such message for all visitors.
        transformed = await self._transformed(replace(first, member=None))
        if transformed is not None:
            await self._post(room, transformed)

    async def _say(self, command: commands.Post) -> None:
        transformed = await self._transformed(command)
        if transformed is not None:
            await self._as_told(transformed, self._post)

    async def _transformed(self, command: commands.Post) -> commands.Post | None:
        """What the app's transforms make of a message; None: it is withheld."""
        if command.member not in (None, ME):
            return command
        transformed = await self._transforms.apply(command)
        if transformed is None:
            text = text_of(command.parts)
            await self._room().submit(commands.Withhold(text, id=command.cid))
        return transformed

    async def _post(self, room: Room, command: commands.Post) -> None:
        message = await room.say(command)
        self._appended(message.seq)

    async def clear_messages(
        self, *, greeting: bool = False, scope: Literal["view", "room"] = "view"
    ) -> None:
        """
        Clear the screen; the log keeps all messages.

        What a person has cleared from their own view is also neither read by :meth:`messages` and
        :meth:`turns` in their sessions any more. A bot, and the model of ``Chat(client=)``, still
        know the room.

        Parameters
        ----------
        greeting
            Whether to remove the greeting, too, until the page is loaded again.
        scope
            "view": this person's own screen, permanently. "room": everybody's.
        """
        check_choice("scope", scope, ("view", "room"))
        await self._flush_in_handler()
        if scope == "room":
            await self._room().clear(greeting=greeting)
            return

        async def clear() -> None:
            await self._room().clear(self._admission.member, greeting=greeting)

        await self._once(clear)
