"""A room as one Shiny session sees and steers it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload
from weakref import WeakSet, WeakValueDictionary

from shiny import reactive, ui
from shiny.module import ResolvedId, resolve_id
from shiny.session import Session, require_active_session

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission
from shiny_labchat.chat.appending import Appending
from shiny_labchat.chat.bookmarking import Bookmarking
from shiny_labchat.chat.content import as_shown
from shiny_labchat.chat.greeting import Greeting, Greets
from shiny_labchat.chat.handlers import Handler, OnError, UserSubmitFunction
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.placement import Identity, MemberLike, PlacementOptions, RoomLike
from shiny_labchat.chat.reading import Reading
from shiny_labchat.chat.replies import Failures, Replies, Reply
from shiny_labchat.chat.streaming import Streaming
from shiny_labchat.chat.streams import StreamTask
from shiny_labchat.chat.transforming import Transforming
from shiny_labchat.domain.pseudonyms import Pseudonym
from shiny_labchat.domain.state import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.models.formats import Tokenizer

if TYPE_CHECKING:
    import chatlas

__all__ = ["Chat"]


class Chat(Appending, Streaming, Reading, Transforming, Greets, Bookmarking):
    """
    One shared room, as one Shiny session sees and steers it.

    Parameters
    ----------
    id
        The id of the chat's place in the page, see :func:`~shiny_labchat.chat_ui`.
    room
        The room: its id, a :class:`~shiny_labchat.Room`, or a (reactive) function that gives one
        or None, which waits. None: one room for everybody, named after the chat's id.
    study
        The study of a room given by its id. None: named after the app's folder.
    member
        Who this person is: an id, or a (reactive) function that gives one or None, which waits.
        None: what their personal link says, else whoever this browser is.
    identity
        How a browser is known again: "browser" (all its tabs, over reloads and restarts), "tab"
        (each tab is a person of its own) or "link" (by a personal link only).
    pseudonym
        The name others see: text, a template such as "Player {n}", or a function of the member's
        id. None: a generated one.
    role
        None: what the personal link says, else "participant".
    lab
        The lab. None: ``Lab()``.
    join
        Whether the page makes its person a member. If not, only members get in. Who was removed
        is never brought back by a page.
    client
        A model that replies in the room: a chatlas Chat with its system prompt and tools. There is
        one conversation per room, whoever asks: the model is told all that everybody could read,
        with names. Its own turns are not used. Tools that are not async run in threads.
    reply
        To which of this person's messages the model replies: "always", "mention" (those with
        "@assistant"), or a function of the :class:`Message`.
    failures
        Who is told that the model could not answer, after several tries: the "asker", or the whole
        "room".
    messages
        Logged once per room, before anybody speaks; see :meth:`append_message`.
    on_error
        What a person is shown when their handler fails: "auto" (the error, unless the app
        sanitizes errors), "actual" (the error), "sanitize" (that there was one), or "unhandled"
        (their session ends).
    tokenizer
        What counts tokens for the `token_limits` of :meth:`messages`, such as
        ``tiktoken.encoding_for_model("gpt-4o")``; None: an estimate.
    greeting
        Drawn for this session's person only, and never logged; see :meth:`set_greeting`.
    reconnect
        Whether Shiny's own session comes back by itself, as a new one with the page's inputs as
        they were, after the server was restarted or the connection lost: Shiny's
        ``session.allow_reconnect("force")``, for the whole page, if any chat in it wants so. If
        not, Shiny's own default holds: the rest of the page stays as it is until it is reloaded.
        The chat itself goes on either way, over its own connection.
    """

    def __init__(
        self,
        id: str,
        *,
        room: RoomLike | Callable[[], RoomLike] = None,
        study: str | None = None,
        member: MemberLike | Callable[[], MemberLike] = None,
        identity: Identity = "browser",
        pseudonym: Pseudonym = None,
        role: Role | None = None,
        lab: Lab | None = None,
        join: bool = True,
        client: chatlas.Chat[Any, Any] | None = None,
        reply: Reply = "always",
        failures: Failures = "asker",
        messages: Sequence[Any] = (),
        on_error: OnError = "auto",
        tokenizer: Tokenizer | None = None,
        greeting: Greeting | None = None,
        reconnect: bool = True,
    ) -> None:
        if on_error not in ("auto", "actual", "sanitize", "unhandled"):
            choices = '"auto", "actual", "sanitize" or "unhandled"'
            raise ValueError(f"on_error must be {choices}, not {on_error!r}")
        options = PlacementOptions(room, study, member, identity, pseudonym, role, join)
        self._first = tuple(messages)
        for message in self._first:
            as_shown(message)  # a wrong one is an error where it was written, not for who comes
        self._tokenizer = tokenizer
        self._greeting = greeting
        self._latest = reactive.Value(StreamTask(), name="latest")
        session = require_active_session(None)
        replies = None if client is None else Replies(client, reply, failures, session)
        super().__init__(session, resolve_id(id), lab or Lab(), options, replies, on_error)
        if replies is not None:
            self._handlers.register(self._reply)
        self._replace_earlier()
        self._admission = Admission(
            session,
            self.id,
            placement=self._placements.now,
            lab=self._lab,
            tasks=self._tasks,
            admitted=self._admitted,
            left=self._left,
            told=self._told,
            waits=lambda: self._transforms.are_for_users,
            recall=self._bookmarks.recall,
        )
        if reconnect and not session.is_stub_session():
            session.root_scope().allow_reconnect("force")
            _returning.add(session.root_scope())
        session.on_destroy(self._destroy_with_session)
        session.on_ended(self._session_ended)

    def _replace_earlier(self) -> None:
        """The same id made again in a session, as in a render function, is the same chat anew."""
        key = (self._session.root_scope().id, self.id)
        earlier = _chats.get(key)
        if earlier is not None:
            earlier._bookmarks.stop()
            if earlier._admission.stop():
                earlier._tasks.spawn(earlier._retire())
        _chats[key] = self

    # ── which room, and who ──

    @property
    def room(self) -> Room | None:
        """The room; reactive where it is given by a function. None before there is one."""
        return self._placements.room()

    def _told(self) -> dict[str, Any]:
        """What a page shall know of Shiny's session before that is lost, and its greeting."""
        returns = self._session.root_scope() in _returning
        told = {"returns": returns, "answers": bool(self._handlers.registered)}
        greeting = self._greeting_drawn()
        return told if greeting is None else {**told, "greeting": greeting}

    async def _admitted(
        self, room: Room, live: LiveRoom, page: str, lost: LostSession | None
    ) -> None:
        member = self._admission.member
        assert member is not None
        self._session_room.follow(live)
        self._inbox.open(room, live, page, lost)
        for k, message in enumerate(self._first):
            await self._append_first(message, f"first:{self.id}:{k}")
        await self._bookmarks.come_in(live.key, member, self._admission.browser, lost)
        await self._session_room.do_what_waits()
        await self._inbox.take_up()
        self._session_room.changed()

    def _left(self) -> None:
        self._inbox.leave()
        self._bookmarks.leave()
        self._session_room.leave()
        self._session_room.changed()

    # ── what people say ──

    @overload
    def on_user_submit(self, fn: UserSubmitFunction) -> Handler: ...

    @overload
    def on_user_submit(self, fn: None = None) -> Callable[[UserSubmitFunction], Handler]: ...

    def on_user_submit(
        self, fn: UserSubmitFunction | None = None
    ) -> Handler | Callable[[UserSubmitFunction], Handler]:
        """
        Have a function called when this session's person sends a message.

        The message is in the room by then. The function runs in the session's context, outside
        Shiny's lock, so others need not wait for it; messages of one page are handled in order.
        It may read and set reactive values, and is called for messages only, never because a
        value it read has changed.

        It is called at most once for a message. What a page sends while Shiny's session is away
        is stored, and handled when the session is back, also by a server that was restarted since.
        What was being handled when a server was killed is not handled again.

        Parameters
        ----------
        fn
            Takes nothing, the text, or the text and a list of attachments (always empty);
            async or not. Can be left out, to decorate with ``@chat.on_user_submit()``.
        """
        return self._handlers.register if fn is None else self._handlers.register(fn)

    def update_user_input(
        self,
        value: str | None = None,
        placeholder: str | None = None,
        submit: bool = False,
        focus: bool = False,
    ) -> None:
        """
        Change this person's text box.

        Parameters
        ----------
        value
            The text to put into it.
        placeholder
            What it says when it is empty.
        submit
            Whether to send `value` at once, in the person's name; what they were typing stays.
        focus
            Whether to move the cursor into it.

        Raises
        ------
        ValueError
            `submit` or `focus` without `value`.
        """
        if value is None and (submit or focus):
            raise ValueError(
                "An input `value` must be provided when `submit` or `focus` are `True`."
            )
        ui.update_submit_textarea(
            ResolvedId(f"{self.id}_user_input"),
            value=value,
            placeholder=placeholder,
            submit=submit,
            focus=focus,
            session=self._session.root_scope(),
        )
        shiny_internals.flush_soon(self._session)

    def set_user_message(self, value: str) -> None:
        """Deprecated: use ``update_user_input(value=value)``."""
        warnings.warn(
            "set_user_message() is deprecated; use update_user_input(value=)",
            DeprecationWarning,
            stacklevel=2,
        )
        self.update_user_input(value=value)

    def destroy(self) -> None:
        """End the chat in this session; the room, and everybody else in it, goes on."""
        self._handlers.registered.clear()
        self._bookmarks.stop()
        if self._admission.destroy():
            self._tasks.spawn(self._retire())

    async def _retire(self) -> None:
        """Hear nothing more; the room is left when all is handled that was heard."""
        self._session_room.stop_following()
        await self._inbox.retire()
        self._session_room.leave()

    def _session_ended(self) -> None:
        if self._admission.stop():
            self._tasks.spawn(self._end())

    async def _end(self) -> None:
        await self._admission.stopped()
        self._session_room.stop_following()
        try:
            await self._inbox.end()
        finally:
            self._session_room.leave()

    def _destroy_with_session(self) -> None:
        # Shiny also calls this when a page goes away; its handlers shall finish then.
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self.destroy()


_chats: WeakValueDictionary[tuple[str, str], Chat] = WeakValueDictionary()
"""The chats of each session, by its id and theirs."""

_returning: WeakSet[Session] = WeakSet()
"""The pages' sessions of which a new one shall begin when they are lost."""
