"""The base class of the facets of a Chat: its session, its room, and its person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from shiny import reactive
from shiny.module import ResolvedId
from shiny.session import Session
from shiny.types import SilentException

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission
from shiny_labchat.chat.bookmarks import Bookmarks
from shiny_labchat.chat.handlers import Handlers, OnError, handling
from shiny_labchat.chat.inbox import Inbox
from shiny_labchat.chat.placement import PlacementOptions, Placements
from shiny_labchat.chat.posts import in_name_of, needs_me
from shiny_labchat.chat.replies import Replies
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.chat.transforms import Transforms, after_transform
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain import commands
from shiny_labchat.domain.messages import Message
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room

__all__ = ["ChatBase"]


class ChatBase:
    """
    The base class of the facets of a :class:`Chat`.

    Parameters
    ----------
    session, id
        The session, and the chat's id in its page.
    lab
        The lab.
    options
        The app's settings for the page's room and person.
    replies
        The replies of a model; None: there is no model.
    on_error
        What a person is shown when their handler fails.
    """

    _admission: Admission
    _shows_observers: bool
    _is_first_due: bool
    """Whether the first messages of the room, which come before all others, are to be logged."""

    def __init__(
        self,
        session: Session,
        id: ResolvedId,
        lab: Lab,
        options: PlacementOptions,
        replies: Replies | None,
        on_error: OnError,
    ) -> None:
        self.id: ResolvedId = id
        self._session = session
        self._lab = lab
        self._replies = replies
        self._tasks = Tasks(f"chat {str(id)!r}")
        self._handlers = Handlers(self, session, on_error)
        self._transforms = Transforms(session)
        self._session_room = SessionRoom(session)
        self._inbox = Inbox(str(id), self._handlers, self._transforms, self._said)
        self._bookmarks = Bookmarks(
            session, id, lab, self._tasks, self._handlers, self._session_room, replies is not None
        )
        self._placements = Placements(session, id, lab, options, self._bookmarks)

    def _said(self, message: Message) -> None:
        """Let the app read a message that the page has sent."""
        shiny_internals.set_input(self._session, f"{self.id}_user_input", message.content)
        self._session_room.changed("said")

    def _need_seat(self) -> None:
        """Wait, as `req` does, until it is known who the person is and in which room."""
        if not self._admission.is_decided:
            raise SilentException

    def _has_ended(self) -> bool:
        """Reactively read whether the session's person has left the study of the room."""
        person = self._placements.person()
        return person is not None and person.ended is not None

    def _room(self) -> Room:
        with reactive.isolate():
            room = self._placements.room()
        if room is None:
            raise LabChatError(f"chat {str(self.id)!r} has no room yet; check chat.room first")
        return room

    async def _once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, or as soon as the person has been admitted to a room."""
        if self._admission.is_over:  # as in a handler of a chat that has been replaced
            await action()
        elif self._is_first_due:
            self._session_room.wait(action)
        else:
            await self._session_room.once(action)

    async def _as_told(
        self, command: commands.Post, do: Callable[[Room, commands.Post], Awaitable[Any]]
    ) -> None:
        """Do something with a command, in order, once its person is known if it needs them."""
        postponed = after_transform.get()
        if postponed is not None:  # what a transform appends comes after its message
            postponed.append(lambda: self._as_told(command, do))
            return
        waits = self._session_room.is_awaited or self._is_first_due
        if not needs_me(command) and not waits:
            await do(self._room(), command)
            return

        async def later() -> None:
            me = self._admission.member
            assert me is not None
            await do(self._room(), in_name_of(command, me))

        await self._once(later)

    def _as_heard(self, command: commands.Post) -> commands.Post:
        """
        What the programme says in a handler, for those who have heard the message that it handles.

        That is so in a room with a network: so nobody is told of what was not said to them.
        """
        handled = handling.get()
        if handled is None or handled.chat is not self or not handled.message.by_network:
            return command
        if command.member is not None or command.audience is not None:
            return command
        return replace(command, audience=handled.message.heard_by, by_network=True)

    def _appended(self, seq: int) -> None:
        """Note that a message was appended, for what the running handler reads."""
        handled = handling.get()
        if handled is not None and handled.chat is self:
            handled.appended.add(seq)

    async def _flush_in_handler(self) -> None:
        if handling.get() is not None:
            await shiny_internals.flush(self._session)
