"""The base class of the facets of a Chat: its session, its room, and its person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shiny import reactive
from shiny.module import ResolvedId
from shiny.session import Session

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission
from shiny_labchat.chat.bookmarks import Bookmarks
from shiny_labchat.chat.handlers import Handlers, OnError, handled_message
from shiny_labchat.chat.inbox import Inbox
from shiny_labchat.chat.placement import PlacementOptions, Placements
from shiny_labchat.chat.posts import in_name_of, needs_me
from shiny_labchat.chat.replies import Replies
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain import commands
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
        self._session_room = room = SessionRoom(session)
        self._inbox = Inbox(str(id), self._handlers, self._transforms, lambda: room.changed("said"))
        self._bookmarks = Bookmarks(
            session, id, lab, self._tasks, self._handlers, room, replies is not None
        )
        self._placements = Placements(session, id, lab, options, self._bookmarks)

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
        else:
            await self._session_room.once(action)

    async def _as_told(
        self, command: commands.Post, do: Callable[[Room, commands.Post], Awaitable[Any]]
    ) -> None:
        """Do something with a command, in order, once its person is known if it needs them."""
        if not needs_me(command) and not self._session_room.is_awaited:
            await do(self._room(), command)
            return

        async def later() -> None:
            me = self._admission.member
            assert me is not None
            await do(self._room(), in_name_of(command, me))

        await self._once(later)

    async def _flush_in_handler(self) -> None:
        if handled_message.get() is not None:
            await shiny_internals.flush(self._session)
