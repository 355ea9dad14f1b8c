"""Bookmarks: a page's address brings a person back to their room, as themselves."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeGuard, get_args, runtime_checkable
from weakref import WeakKeyDictionary

from shiny import reactive
from shiny.bookmark import BookmarkState
from shiny.module import ResolvedId
from shiny.session import Session, session_context

from shiny_labchat import urls
from shiny_labchat.access.bookmarks import BookmarkedSeat, BookmarkToken, find_bookmark
from shiny_labchat.arguments import CLIENT_METHODS, check_choice
from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.handlers import Handlers
from shiny_labchat.chat.page import INVITE, LostSession
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.messages import as_transformed, is_for_models
from shiny_labchat.errors import Refused
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.models.client import ModelClient
from shiny_labchat.models.turns import turns_of

if TYPE_CHECKING:
    import chatlas

__all__ = ["Bookmark", "Bookmarks", "CancelCallback", "ClientWithState", "RestoreMember"]

logger = logging.getLogger("shiny_labchat")

BY_HAND = """\
    class Kept:
        def get_state(self): return model.history
        def set_state(self, state): model.history = state"""
"""What an app writes to keep the state of a model that is no chatlas Chat."""

RestoreMember = Literal["same-browser", "anywhere", False]


@runtime_checkable
class ClientWithState(Protocol):
    """An object whose state bookmarks restore; both methods may be async."""

    def get_state(self) -> Any:
        """The state, as a value that JSON can hold."""
        ...

    def set_state(self, state: Any, /) -> Any:
        """Restore a state, which has been converted to JSON and back."""
        ...


class CancelCallback:
    """A function that ends something; it shows nothing in an Express script."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def __call__(self) -> None:
        self._cancel()

    def tagify(self) -> str:
        """An empty text: there is nothing to show."""
        return ""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """
    The bookmark that a page was opened with.

    Attributes
    ----------
    token
        The random token.
    restore_member
        Where it brings its person back as themselves.
    is_known
        Whether `seat` has been looked up.
    seat
        The membership that the token leads to; None: the token is not known.
    is_revoked
        Whether the token was revoked.
    """

    token: str
    restore_member: RestoreMember
    is_known: bool = False
    seat: BookmarkedSeat | None = None
    is_revoked: bool = False

    def member_for(self, room: Room, browser: str | None) -> str | None:
        """The member whom the bookmark restores in a room and browser; None: it restores nobody."""
        if self.seat is None or self.seat.room != room.key or not self.restore_member:
            return None
        everywhere = self.restore_member == "anywhere" and self.seat.browser is None
        here = browser is not None and self.seat.browser == browser
        return self.seat.member if everywhere or here else None


class Bookmarks:
    """
    The bookmarks of one chat in one session: the one that opened its page, and those it makes.

    A bookmark holds only a random token of a chat. The database knows the room and the member that
    the token leads to.

    Parameters
    ----------
    session, chat
        The session, and the chat's id.
    lab
        The lab whose database has the tokens.
    tasks
        The chat's background tasks.
    handlers
        The chat's handlers, which report failures to the person.
    session_room
        The session's room.
    has_replies
        Whether the chat has a model that replies (``Chat(client=)``).
    """

    def __init__(
        self,
        session: Session,
        chat: ResolvedId,
        lab: Lab,
        tasks: Tasks,
        handlers: Handlers,
        session_room: SessionRoom,
        has_replies: bool,
    ) -> None:
        self._session = session
        self._chat = chat
        self._lab = lab
        self._tasks = tasks
        self._handlers = handlers
        self._session_room = session_room
        self._has_replies = has_replies
        self._here: tuple[LogKey, str, str | None] | None = None
        self._bookmark: Bookmark | None = None
        self._is_address_read = False
        self._looked_up: reactive.Value[int] = reactive.Value(0, name="looked_up")
        self._is_room_named = False
        self._token: BookmarkToken | None = None
        self._in_address: str | None = None
        self._leads_to: LogKey | None = None
        self._is_due = False
        self._client: Any = None
        self._is_client_restored = False
        self._on_response = False
        self._restore_member: RestoreMember = "same-browser"
        self._hooks: list[Callable[[], None]] = []

    def enable(
        self,
        client: ClientWithState | ModelClient | None,
        bookmark_on: Literal["response"] | None,
        restore_member: RestoreMember,
    ) -> CancelCallback:
        """Begin to make bookmarks, see `Chat.enable_bookmarking`; return what ends it."""
        if (
            client is not None
            and not isinstance(client, ClientWithState)
            and not _asks_model(client)
        ):
            raise ValueError(
                "client must be a chatlas Chat, or have its methods, or have the methods "
                f"get_state() and set_state(state), not {type(client).__name__}. To keep the state "
                f"of a model of another framework write\n\n{BY_HAND}"
            )
        _check_choices(bookmark_on, restore_member)
        if self._session.is_stub_session():
            return CancelCallback(lambda: None)
        page = self._session.root_scope()
        if page.bookmark.store == "disable":
            raise ValueError(
                "bookmarking is not enabled in this app; say App(bookmark_store=) or, in Shiny "
                'Express, enable_bookmarking(bookmark_store=), with "url" or "server"'
            )
        self.stop()
        self._client = client
        self._restore_member = restore_member
        self._on_response = bookmark_on == "response"
        # In the page's own session: the chat's id includes its module's namespace already.
        self._hooks = [page.bookmark.on_bookmark(self._save)]
        if bookmark_on is not None:
            self._hooks.append(page.bookmark.on_bookmarked(self._update_address))
        self._be_kept()
        hooks = self._hooks
        return CancelCallback(lambda: self.stop() if self._hooks is hooks else None)

    def stop(self) -> None:
        """Stop making and restoring bookmarks."""
        for cancel in self._hooks:
            cancel()
        self._hooks = []
        self._on_response = False

    # ── coming with a bookmark ──

    def _read_address(self) -> Bookmark | None:
        """The bookmark that the page was opened with, even if it cannot be read."""
        page = self._session.root_scope()
        values = shiny_internals.restored(page)
        token = None if values is None else values.get(self._key)
        if isinstance(token, str):
            return Bookmark(token, self._restore_member)
        with reactive.isolate():
            is_cut_off = urls.has(page.clientdata.url_search(), self._key)
        if values is None or self._key in values or is_cut_off:
            logger.warning(
                "chat %r cannot read the bookmark in a page's address; it brings nobody back",
                str(self._chat),
            )
            return Bookmark("", self._restore_member, is_known=True)
        return None

    async def recall(self) -> None:
        """Look up the bookmark's token; outside Shiny's lock, because the disk may be slow."""
        bookmark = self._bookmark
        if bookmark is None or bookmark.is_known:
            return
        seat, is_revoked = None, False
        try:
            seat = await find_bookmark(self._lab.log, bookmark.token)
        except Refused:
            is_revoked = True
        self._bookmark = replace(bookmark, is_known=True, seat=seat, is_revoked=is_revoked)
        self._leads_to = seat and seat.room
        if seat is None and not is_revoked:
            logger.warning(
                "chat %r: the token of a bookmark is not in %r; it may be another lab's",
                *(str(self._chat), self._lab),
            )
        self._looked_up.set(1)
        shiny_internals.flush_soon(self._session)

    def brought(self) -> Bookmark | None:
        """The bookmark that the page was opened with; reactive until it is looked up."""
        if self._hooks and not self._is_address_read:
            self._is_address_read = True
            self._bookmark = self._read_address()
        if self._bookmark is not None and not self._bookmark.is_known:
            with suppress(RuntimeError):  # no reactive function is running
                self._looked_up()
        return self._bookmark

    def room_otherwise(self, otherwise: str | None) -> Room | str | None:
        """The bookmark's room, or `otherwise` if there is no bookmark; the app names no room."""
        bookmark = self.brought()
        if bookmark is None:
            return otherwise
        if bookmark.seat is None or self._is_room_named:
            return None
        return self._lab.room(bookmark.seat.room.id, study=bookmark.seat.room.study)

    def name_room(self) -> None:
        """Note that the app has named a room: from now on the bookmark's room does not count."""
        self._is_room_named = True
        if self._bookmark is not None and self._bookmark.is_known and self._bookmark.seat is None:
            self._bookmark = None

    # ── being in a room ──

    async def come_in(
        self, room: LogKey, member: str, browser: str | None, lost: LostSession | None
    ) -> None:
        """
        Restore the client and prepare a bookmark, before messages are handled.

        Parameters
        ----------
        room, member, browser
            The room, the member, and the browser, as `browser_of` returns it.
        lost
            Where the page was when it lost an earlier session.
        """
        self._here = room, member, browser
        self._is_address_read = True  # enabling bookmarks later must not move an admitted person
        if not self._hooks:
            return
        bookmark = self._bookmark
        if bookmark is not None and bookmark.seat is not None and not self._is_client_restored:
            self._is_client_restored = True
            if bookmark.seat.room == room:
                await self._restore_client(bookmark.seat, lost)
        self._be_kept()

    async def _restore_client(self, seat: BookmarkedSeat, lost: LostSession | None) -> None:
        client = self._client
        try:
            with session_context(self._session), reactive.isolate():
                if isinstance(client, ClientWithState):
                    if self._here and seat.member == self._here[1] and seat.client is not None:
                        await _result(client.set_state(json.loads(seat.client)))
                elif _asks_model(client) and not self._has_replies:
                    await self._session_room.read_whole()
                    client.set_turns(self._turns(lost))
        except Exception as exc:
            logger.error(
                "chat %r could not restore the state of a client in room %r; it begins anew",
                *(str(self._chat), seat.room.id),
                exc_info=exc,
            )
            await self._handlers.report(exc)

    def _turns(self, lost: LostSession | None) -> list[chatlas.Turn]:
        assert self._here is not None
        live = self._session_room.live
        upto = lost.seq(live.state) if lost and live else None
        messages = self._session_room.messages_for(self._here[1], upto)
        return turns_of(as_transformed(each) for each in messages if is_for_models(each))

    def leave(self) -> None:
        """Note that the page is in no room now."""
        self._here = None

    def _be_kept(self) -> None:
        """Have a token for this membership; it stays the same while the person is in the room."""
        if self._here is None:
            return
        room, member, browser = self._here
        browser = None if self._restore_member == "anywhere" else browser
        seat = BookmarkedSeat(room, member, browser)
        if self._token is None or not _is_same(self._token.seat, seat):
            self._token = self._known_or_new(seat)
        # The address must lead to the room that is shown, and to no other.
        is_astray = self._leads_to not in (None, room)
        if (is_astray or not self._has_model) and self._token.token != self._in_address:
            self.responded()

    def _known_or_new(self, seat: BookmarkedSeat) -> BookmarkToken:
        came = self._bookmark
        if came is not None and came.seat is not None and _is_same(came.seat, seat):
            self._in_address = came.token
            return BookmarkToken(came.seat, came.token)
        return BookmarkToken(seat)

    @property
    def _has_model(self) -> bool:
        return self._client is not None or self._has_replies

    # ── making a bookmark ──

    @property
    def _key(self) -> str:
        return f"{self._chat}--place"

    async def _save(self, state: BookmarkState) -> None:
        """Put the token into a bookmark that the app or this chat makes."""
        if self._token is not None:
            state.values[self._key] = self._token.token
            await self._keep(self._token)
        elif self._bookmark is not None:
            state.values[self._key] = self._bookmark.token

    async def _keep(self, kept: BookmarkToken) -> None:
        """Store a seat in the database, together with the client's state."""
        seat = kept.seat
        if isinstance(self._client, ClientWithState):
            with reactive.isolate():
                kept.seat = replace(
                    seat, client=json.dumps(await _result(self._client.get_state()))
                )
        if kept.seat != seat or not kept.is_stored:
            self._tasks.spawn(kept.store(self._lab.log))

    def responded(self) -> None:
        """Note that a response of this session's programme has ended."""
        if self._on_response:
            self._bookmark_soon()

    def _bookmark_soon(self) -> None:
        if self._is_due:
            return
        self._is_due = True
        make = self._bookmark_page
        self._tasks.spawn(make() if self._token else self._session_room.once(make))

    async def _bookmark_page(self) -> None:
        """Bookmark the page; outside Shiny's lock, because clients may be slow."""
        page = self._session.root_scope()
        async with _locks.setdefault(page, asyncio.Lock()):  # else an older one could be last
            self._is_due = False
            if not self._on_response:
                return
            is_gone = page._is_closed()  # pyright: ignore[reportPrivateUsage]
            try:
                with session_context(page), reactive.isolate():
                    await (self._keep_for_later() if is_gone else self._bookmark_stored())
            except Exception as exc:
                logger.error("the bookmark of chat %r was not made", str(self._chat), exc_info=exc)
                cause = exc.__cause__  # Shiny's wrapper does not say what is wrong
                await self._handlers.report(cause if isinstance(cause, Exception) else exc)
        await shiny_internals.flush(self._session)

    async def _bookmark_stored(self) -> None:
        if self._token is not None and not self._token.is_stored:
            await self._token.store(self._lab.log)  # before anybody can open it
        await self._session.root_scope().bookmark()

    async def _keep_for_later(self) -> None:
        """Update the stored state for a page that closed during the response."""
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


def _check_choices(bookmark_on: object, restore_member: object) -> None:
    check_choice("bookmark_on", bookmark_on, ("response", None))
    check_choice("restore_member", restore_member, get_args(RestoreMember))


def _asks_model(client: object) -> TypeGuard[ModelClient]:
    """Whether this is a chatlas Chat, or has its methods."""
    return all(callable(getattr(client, name, None)) for name in CLIENT_METHODS)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _is_same(one: BookmarkedSeat, other: BookmarkedSeat) -> bool:
    return replace(one, client=None) == replace(other, client=None)


_locks: WeakKeyDictionary[Session, asyncio.Lock] = WeakKeyDictionary()
"""A lock for each page, so that its bookmarks are made one after the other."""
