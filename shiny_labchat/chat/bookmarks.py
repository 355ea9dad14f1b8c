"""Bookmarks: the page's address brings a person back to their seat in their room."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import sys
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeGuard, cast, runtime_checkable
from weakref import WeakKeyDictionary

from shiny import reactive
from shiny.bookmark import BookmarkState
from shiny.session import Session, session_context

from shiny_labchat import urls
from shiny_labchat.access.bookmarks import BookmarkedSeat, BookmarkToken, find_bookmark
from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import INVITE, Bookmark, RestoreMember
from shiny_labchat.chat.appending import Appending
from shiny_labchat.chat.handlers import Handlers
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.replies import Replies
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom

if TYPE_CHECKING:
    import chatlas

__all__ = ["Bookmarking", "CancelCallback", "ClientWithState"]

logger = logging.getLogger("shiny_labchat")


@runtime_checkable
class ClientWithState(Protocol):
    """Anything whose state a bookmark shall bring back; both methods may be async."""

    def get_state(self) -> Any:
        """Its state, as JSON can hold it."""
        ...

    def set_state(self, state: Any, /) -> Any:
        """Be again as it was; `state` has gone through JSON and back."""
        ...


class CancelCallback:
    """Ends something when it is called; can stand alone on a line of an Express script."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def __call__(self) -> None:
        self._cancel()

    def tagify(self) -> str:
        """Nothing to see."""
        return ""


class Bookmarking(Appending):
    """
    The part of a :class:`Chat` that is kept in bookmarks.

    All that a bookmark holds of a chat is a random token. What it stands for, a seat in a room, is
    in the database.
    """

    _lab: Lab

    def __init__(
        self,
        session: Session,
        handlers: Handlers,
        session_room: SessionRoom,
        replies: Replies | None,
        transforms: Transforms,
    ) -> None:
        super().__init__(session, handlers, session_room, replies, transforms)
        self._bookmark: Bookmark | None = None
        self._is_address_read = False
        self._looked_up: reactive.Value[int] = reactive.Value(0, name="looked_up")
        self._is_room_named = False
        self._token: BookmarkToken | None = None
        self._in_address: str | None = None
        self._leads_to: RoomKey | None = None
        self._is_due = False
        self._client: Any = None
        self._is_client_restored = False
        self._on_response = False
        self._restore_member: RestoreMember = "same-browser"
        self._hooks: list[Callable[[], None]] = []

    @abstractmethod
    def turns(self, *, before: int | None = None, names: bool = True) -> list[chatlas.Turn]:
        """The conversation as a model is told it."""

    def enable_bookmarking(
        self,
        client: ClientWithState | chatlas.Chat[Any, Any] | None = None,
        /,
        *,
        bookmark_on: Literal["response"] | None = "response",
        restore_member: RestoreMember = "same-browser",
    ) -> CancelCallback:
        """
        Let bookmarks, such as the page's address, bring people back to their room.

        A bookmark holds a random token, never what was said: the room's log has that. Where the
        app names a room or a member, that counts, and not the bookmark; a function that gives None
        names none. In the app's bookmark store there must be "url" or "server".

        Parameters
        ----------
        client
            A chatlas Chat, whose turns are made anew from the room's log; or anything with the
            methods ``get_state()`` and ``set_state(state)``, whose state is kept in the lab's
            database, for its person only.
        bookmark_on
            "response": the page's address is brought up to date when this session's programme has
            said something, and when there is no model (no `client`, neither here nor in the Chat),
            also when the person comes in. What else is in the address stays, but for a personal
            link's token. None: only the app makes bookmarks.
        restore_member
            Where the bookmark brings people back as themselves: in the "same-browser" (with
            ``identity="tab"``: in the same tab), "anywhere" (whoever has the address is that
            person), or nowhere (False). Elsewhere it opens the room to a new person, as long as
            the person whose bookmark it is has not been removed.

        Returns
        -------
        CancelCallback
            Call it to end all this.

        Raises
        ------
        ValueError
            Bookmarking is not enabled in the app; `client` is neither; or another argument is
            none of those above.
        """
        if (
            client is not None
            and not isinstance(client, ClientWithState)
            and not _is_chatlas(client)
        ):
            raise ValueError(
                "client must be a chatlas.Chat, or have the methods get_state() and "
                f"set_state(state), not {type(client).__name__}"
            )
        if bookmark_on not in ("response", None):
            raise ValueError(f'bookmark_on must be "response" or None, not {bookmark_on!r}')
        if restore_member not in ("same-browser", "anywhere", False):
            raise ValueError(
                'restore_member must be "same-browser", "anywhere" or False, '
                f"not {restore_member!r}"
            )
        if self._session.is_stub_session():
            return CancelCallback(lambda: None)
        page = self._session.root_scope()
        if page.bookmark.store == "disable":
            raise ValueError(
                "bookmarking is not enabled in this app; say App(bookmark_store=) or, in Shiny "
                'Express, enable_bookmarking(bookmark_store=), with "url" or "server"'
            )
        self._stop_bookmarking()
        self._client = client
        self._restore_member = restore_member
        self._on_response = bookmark_on == "response"
        # In the page's session, as the chat's id has its namespace already.
        self._hooks = [page.bookmark.on_bookmark(self._save)]
        if bookmark_on is not None:
            self._hooks.append(page.bookmark.on_bookmarked(self._update_address))
        if self._session_room.live is not None:
            self._be_kept()
        hooks = self._hooks
        return CancelCallback(lambda: self._stop_bookmarking() if self._hooks is hooks else None)

    def _stop_bookmarking(self) -> None:
        for cancel in self._hooks:
            cancel()
        self._hooks = []
        self._on_response = False

    # ── coming with a bookmark ──

    def _brought(self) -> Bookmark | None:
        """The bookmark that the page was opened with, be it one that cannot be read."""
        page = self._session.root_scope()
        values = shiny_internals.restored(page)
        token = None if values is None else values.get(self._key)
        if isinstance(token, str):
            return Bookmark(token, self._restore_member)
        with reactive.isolate():
            is_cut_off = urls.has(page.clientdata.url_search(), self._key)
        if values is None or self._key in values or is_cut_off:
            logger.warning("chat %r cannot read a bookmark", str(self.id))
            return Bookmark("", self._restore_member, is_known=True)
        return None

    async def _recall(self) -> None:
        """Look up what the bookmark stands for; outside Shiny's lock, as the disk may be slow."""
        bookmark = self._bookmark
        if bookmark is None or bookmark.is_known:
            return
        seat = await find_bookmark(self._lab.log, bookmark.token)
        self._bookmark = replace(bookmark, is_known=True, seat=seat)
        self._leads_to = seat and seat.room
        if seat is None:
            logger.warning("chat %r: %r does not know a bookmark", str(self.id), self._lab)
        self._looked_up.set(1)
        shiny_internals.flush_soon(self._session)

    def _bookmark_now(self) -> Bookmark | None:
        """What the page was opened with; reactive until it is looked up."""
        if self._hooks and not self._is_address_read:
            self._is_address_read = True
            self._bookmark = self._brought()
        if self._bookmark is not None and not self._bookmark.is_known:
            with suppress(RuntimeError):  # nothing is running that could run again
                self._looked_up()
        return self._bookmark

    def _room_otherwise(self, otherwise: str | None) -> Room | str | None:
        """The bookmark's room, where the app names none."""
        bookmark = self._bookmark_now()
        if bookmark is None:
            return otherwise
        if bookmark.seat is None or self._is_room_named:
            return None
        return self._lab.room(bookmark.seat.room.id, study=bookmark.seat.room.study)

    def _name_room(self) -> None:
        """The app has named a room: that counts from now on, even if it names none again."""
        self._is_room_named = True
        if self._bookmark is not None and self._bookmark.is_known and self._bookmark.seat is None:
            self._bookmark = None

    # ── being in a room ──

    async def _come_in(self, live: LiveRoom, lost: LostSession | None) -> None:
        """Have the client as it was, and a seat kept, before messages are handled."""
        self._is_address_read = True  # who sits somewhere is not moved by enabling it now
        if not self._hooks:
            return
        bookmark = self._bookmark
        if bookmark is not None and bookmark.seat is not None and not self._is_client_restored:
            self._is_client_restored = True
            if bookmark.seat.room == live.key:
                await self._restore_client(bookmark.seat, lost)
        self._be_kept()

    async def _restore_client(self, seat: BookmarkedSeat, lost: LostSession | None) -> None:
        client = self._client
        try:
            with session_context(self._session), reactive.isolate():
                if isinstance(client, ClientWithState):
                    if seat.member == self._admission.member and seat.client is not None:
                        await _result(client.set_state(json.loads(seat.client)))
                elif _is_chatlas(client) and self._replies is None:
                    await self._session_room.read_whole()
                    client.set_turns(self.turns(before=lost.since + 1 if lost else None))
        except Exception as exc:
            logger.error("chat %r: a client's state is lost", str(self.id), exc_info=exc)
            await self._handlers.report(exc)

    def _be_kept(self) -> None:
        """Have this person's seat kept; it is one token as long as they sit there."""
        live, member = self._session_room.live, self._admission.member
        if live is None or member is None:
            return
        browser = None if self._restore_member == "anywhere" else self._admission.browser
        seat = BookmarkedSeat(live.key, member, browser)
        if self._token is None or not _is_same(self._token.seat, seat):
            self._token = self._known_or_new(seat)
        # Nobody shall come to another room by the address than the one that is shown.
        is_astray = self._leads_to not in (None, live.key)
        if (is_astray or not self._has_model) and self._token.token != self._in_address:
            self._responded()

    def _known_or_new(self, seat: BookmarkedSeat) -> BookmarkToken:
        came = self._bookmark
        if came is not None and came.seat is not None and _is_same(came.seat, seat):
            self._in_address = came.token
            return BookmarkToken(came.seat, came.token)
        return BookmarkToken(seat)

    @property
    def _has_model(self) -> bool:
        return self._client is not None or self._replies is not None

    # ── making a bookmark ──

    @property
    def _key(self) -> str:
        return f"{self.id}--place"

    async def _save(self, state: BookmarkState) -> None:
        """A bookmark is being made, by whomever."""
        if self._token is not None:
            state.values[self._key] = self._token.token
            await self._keep(self._token)
        elif self._bookmark is not None:
            state.values[self._key] = self._bookmark.token

    async def _keep(self, kept: BookmarkToken) -> None:
        """Have a seat in the database, with the state of the client beside it."""
        seat = kept.seat
        if isinstance(self._client, ClientWithState):
            with reactive.isolate():
                kept.seat = replace(
                    seat, client=json.dumps(await _result(self._client.get_state()))
                )
        if kept.seat != seat or not kept.is_stored:
            self._admission.spawn(kept.store(self._lab.log))

    def _responded(self) -> None:
        if self._on_response:
            self._bookmark_soon()

    def _bookmark_soon(self) -> None:
        if self._is_due:
            return
        self._is_due = True
        make = self._bookmark_page
        self._admission.spawn(make() if self._token else self._session_room.once(make))

    async def _bookmark_page(self) -> None:
        """Make a bookmark of the page; outside Shiny's lock, as clients may be slow."""
        page = self._session.root_scope()
        async with _locks.setdefault(page, asyncio.Lock()):  # or an older one could come last
            self._is_due = False
            if not self._on_response:
                return
            is_gone = page._is_closed()  # pyright: ignore[reportPrivateUsage]
            try:
                with session_context(page), reactive.isolate():
                    await (self._keep_for_later() if is_gone else self._bookmark_stored())
            except Exception as exc:
                logger.error("chat %r could not be bookmarked", str(self.id), exc_info=exc)
                cause = exc.__cause__  # Shiny wraps it in words that say nothing
                await self._handlers.report(cause if isinstance(cause, Exception) else exc)
        await shiny_internals.flush(self._session)

    async def _bookmark_stored(self) -> None:
        if self._token is not None and not self._token.is_stored:
            await self._token.store(self._lab.log)  # before anybody can open it
        await self._session.root_scope().bookmark()

    async def _keep_for_later(self) -> None:
        """The page went away during the response; its address leads here all the same."""
        if self._token is not None and self._token.is_stored:
            await self._keep(self._token)

    async def _update_address(self, url: str) -> None:
        page = self._session.root_scope()
        with reactive.isolate():
            search = page.clientdata.url_search()
        drop = {INVITE} if self._restore_member else set[str]()
        await page.bookmark.update_query_string(urls.keeping(url, search, drop))
        self._in_address = self._token and self._token.token
        self._leads_to = self._token and self._token.seat.room


def _is_chatlas(client: object) -> TypeGuard[chatlas.Chat[Any, Any]]:
    chatlas = sys.modules.get("chatlas")
    return chatlas is not None and isinstance(client, cast(Any, chatlas).Chat)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _is_same(one: BookmarkedSeat, other: BookmarkedSeat) -> bool:
    return replace(one, client=None) == replace(other, client=None)


_locks: WeakKeyDictionary[Session, asyncio.Lock] = WeakKeyDictionary()
"""For each page, so that its bookmarks are made one after the other."""
