"""A room as one Shiny session sees and steers it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload
from weakref import WeakSet, WeakValueDictionary

from shiny import ui
from shiny.module import ResolvedId, resolve_id
from shiny.session import Session, require_active_session
from shiny.types import SilentException

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission, Identity, Placement
from shiny_labchat.chat.bookmarks import Bookmarking
from shiny_labchat.chat.content import as_shown
from shiny_labchat.chat.greeting import Greeting, Greets
from shiny_labchat.chat.handlers import (
    Handler,
    Handlers,
    OnError,
    UserSubmitFunction,
    handled_message,
)
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.reading import Reading
from shiny_labchat.chat.replies import Failures, Replies, Reply
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.domain.members import Member, as_member_id
from shiny_labchat.domain.pseudonyms import Pseudonym
from shiny_labchat.domain.state import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.models.formats import Tokenizer
from shiny_labchat.models.turns import turns_of

if TYPE_CHECKING:
    import chatlas

__all__ = ["Chat", "State"]

State = Literal["waiting", "open", "closed", "removed"]
RoomLike = str | Room | None
MemberLike = str | Member | None


class Chat(Reading, Greets, Bookmarking):
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
        if identity not in ("browser", "tab", "link"):
            raise ValueError(f'identity must be "browser", "tab" or "link", not {identity!r}')
        if on_error not in ("auto", "actual", "sanitize", "unhandled"):
            raise ValueError(f"on_error must not be {on_error!r}")
        self.id: ResolvedId = resolve_id(id)
        self._lab = lab or Lab()
        self._study = study
        self._wanted_room = room
        self._wanted_member = member
        self._first = tuple(messages)
        for message in self._first:
            as_shown(message)  # a wrong one is an error where it was written, not for who comes
        self._tokenizer = tokenizer
        self._greeting = greeting
        session = require_active_session(None)
        handlers = Handlers(self, session, on_error)
        replies = None if client is None else Replies(client, reply, failures, session)
        transforms = Transforms(session)
        session_room = SessionRoom(session, self.id, handlers, transforms)
        super().__init__(session, handlers, session_room, replies, transforms)
        self._replace_earlier()
        if not callable(room):
            self._room_now()  # a wrong id is an error where it was written
        self._admission = Admission(
            session,
            self.id,
            placement=lambda: Placement(
                self._room_now(),
                self._member_now(),
                pseudonym,
                role,
                join,
                identity,
                self._bookmark_now(),
            ),
            lab=self._lab,
            admitted=self._admitted,
            left=self._left,
            told=self._told,
            waits=lambda: transforms.are_for_users,
            recall=self._recall,
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
            earlier._stop_bookmarking()
            if earlier._admission.stop():
                earlier._admission.spawn(earlier._session_room.retire())
        _chats[key] = self

    # ── which room, and who ──

    def _room_now(self) -> Room | None:
        wanted = self._wanted_room
        if callable(wanted):
            if self._session.is_stub_session():
                return None
            try:
                wanted = wanted()
            except SilentException:  # the app says req(): there is none yet
                wanted = None
            if wanted is not None:
                self._name_room()
        if wanted is None:
            is_asked = callable(self._wanted_room)
            wanted = self._room_otherwise(None if is_asked else str(self.id))
        return self._lab.room(wanted, study=self._study) if isinstance(wanted, str) else wanted

    def _member_now(self) -> tuple[bool, str | None]:
        """Whether the app says who this is, and whom it says."""
        wanted = self._wanted_member
        if wanted is None:
            return False, None
        if callable(wanted):
            wanted = wanted()
        return True, None if wanted is None else as_member_id(wanted)

    @property
    def room(self) -> Room | None:
        """The room; reactive where it is given by a function. None before there is one."""
        return self._room_now()

    def _told(self) -> dict[str, Any]:
        """What a page shall know of Shiny's session before that is lost, and its greeting."""
        returns = self._session.root_scope() in _returning
        told = {"returns": returns, "answers": bool(self._handlers.registered)}
        greeting = self._greeting_drawn()
        return told if greeting is None else {**told, "greeting": greeting}

    async def _admitted(
        self, room: Room, live: LiveRoom, page: str, lost: LostSession | None
    ) -> None:
        self._session_room.follow(room, live, page, lost)
        for k, message in enumerate(self._first):
            await self._say_first(message, f"first:{self.id}:{k}")
        await self._come_in(live, lost)
        await self._session_room.begin()

    def _left(self) -> None:
        self._session_room.leave()
        self._session_room.changed("messages", "members", "state")

    # ── reading ──

    def turns(self, *, before: int | None = None, names: bool = True) -> list[chatlas.Turn]:
        """
        Reactively read the conversation as a model is told it.

        Parameters
        ----------
        before
            Only what was said before this `seq`. In an `on_user_submit` handler it is the message
            being handled, which the handler asks the model itself.
        names
            Whether what people said is told with their pseudonyms, as "Teal Otter: Hello".

        Returns
        -------
        list of chatlas.Turn
            For ``client.set_turns()``. Private messages are left out.
        """
        messages = [each for each in self.messages() if each.audience is None]
        handled = handled_message.get()
        if before is None and handled is not None and handled[0] is self:
            before = handled[1].seq
        return turns_of((m for m in messages if before is None or m.seq < before), names=names)

    def members(self) -> tuple[Member, ...]:
        """
        Reactively read who is a member of the room.

        Returns
        -------
        tuple of Member
            In order of joining, with the roles that this session's person is shown; ``own``
            marks them. In a random order, which stays, where a bot passes for a participant: it
            was there first. Empty before there is a room.
        """
        self._session_room.depend("members")
        live = self._session_room.live
        if live is None:
            return ()
        me = self._admission.member
        return tuple(Member.seen_by(me, membership) for membership in live.state.members_for(me))

    def member(self) -> Member | None:
        """Reactively read who this person is in the room; None before it is known."""
        self._session_room.depend("members")
        live = self._session_room.live
        membership = live.state.membership(self._admission.member) if live else None
        return None if membership is None else Member.seen_by(self._admission.member, membership)

    def state(self) -> State:
        """
        Reactively read what the room is to this person.

        Returns
        -------
        str
            "waiting" (there is no room yet), "open", "closed" or "removed".
        """
        self._session_room.depend("state")
        live = self._session_room.live
        if live is None:
            return "removed" if self._admission.refused == "removed" else "waiting"
        if live.state.membership(self._admission.member) is None:
            return "removed"
        return "open" if live.state.is_open else "closed"

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
        self._stop_bookmarking()
        if self._admission.destroy():
            self._admission.spawn(self._session_room.retire())

    def _session_ended(self) -> None:
        if self._admission.stop():
            self._admission.spawn(self._end())

    async def _end(self) -> None:
        await self._admission.stopped()
        await self._session_room.end()

    def _destroy_with_session(self) -> None:
        # Shiny also calls this when a page goes away; its handlers shall finish then.
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self.destroy()


_chats: WeakValueDictionary[tuple[str, str], Chat] = WeakValueDictionary()
"""The chats of each session, by its id and theirs."""

_returning: WeakSet[Session] = WeakSet()
"""The pages' sessions of which a new one shall begin when they are lost."""
