"""The class `Chat`: one shared room in one Shiny session."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args, overload
from weakref import WeakSet, WeakValueDictionary

from shiny import reactive, ui
from shiny.module import ResolvedId, resolve_id
from shiny.session import Session, require_active_session

from shiny_labchat.arguments import StudyLike, check_choice, explain_others, study_name
from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission
from shiny_labchat.chat.appending import Appending
from shiny_labchat.chat.bookmarking import Bookmarking
from shiny_labchat.chat.content import MarkdownHtml, as_shown, instruction_of, is_trusted
from shiny_labchat.chat.greeting import Greeting, Greets
from shiny_labchat.chat.handlers import Handler, OnError, UserSubmitFunction
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.placement import Identity, MemberLike, Names, PlacementOptions, RoomLike
from shiny_labchat.chat.reading import Reading
from shiny_labchat.chat.recorded import Recorded
from shiny_labchat.chat.replies import Failures, Replies, Reply
from shiny_labchat.chat.streaming import Streaming
from shiny_labchat.chat.streams import StreamTask
from shiny_labchat.chat.transforming import Transforming
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.pseudonyms import Pseudonym
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.models.formats import Tokenizer

if TYPE_CHECKING:
    from shiny_labchat.models.client import ModelClient

__all__ = ["Chat"]

OTHERS = {
    **dict.fromkeys(
        ("title", "rules", "write"),
        'it belongs to the room, as in room=lab.room("general", title="General discussion")',
    ),
    **dict.fromkeys(
        ("breaks", "done", "enable_cancel", "fill", "footer", "height", "icon_assistant")
        + ("icon_send", "labels", "placeholder", "submit_key", "width"),
        "it belongs to the chat's UI: chat.ui() in Shiny Express, else chat_ui()",
    ),
    "rooms": "a Chat has one room, room=; make a Chat for each",
    "model": "give a chatlas Chat, as in client=ChatOpenAI()",
    "system_prompt": 'it belongs to the client, as in client=ChatOpenAI(system_prompt="Be brief.")',
}
"""Arguments that a Chat does not have, and where they belong."""


class Chat(Appending, Streaming, Reading, Recorded, Transforming, Greets, Bookmarking):
    """
    One shared room in one Shiny session.

    Parameters
    ----------
    id
        The id of the chat's element in the page, see :func:`~shiny_labchat.chat_ui`.
    room
        The room: its id, a :class:`~shiny_labchat.Room`, or a (reactive) function that returns
        either, or None while the page is to wait. None: one room for everybody, named after the
        chat's id.
    study
        The study of a room given by its id, or the study's name. None: the study named after the
        app's folder.
    member
        Who this person is: an id, or a (reactive) function that returns one, or None while the
        page is to wait. None: the member of their personal link, else of this browser's key.
    identity
        How a person is recognised: "browser" (in all its tabs, over reloads and restarts), "tab"
        (each tab is a separate person) or "link" (by a personal link only).
    pseudonym
        The name that others see: text, a template such as "Player {n}", or a function of the
        member's id. None: the one of the personal link, else a generated name.
    names
        Where a generated name is used: in one "room" (in each room the person has another name),
        or in the whole "study" (they have one name in all of its rooms that say so).
    role
        The person's role in the room. None: the role of the personal link, else "participant".
    show_observers
        Whether participants are shown who observes. If not, this page shows a participant no
        observer who has the room open, nor are there any in :meth:`members` and :meth:`here`.
    lab
        The lab. None: the one of the `room`, if it is a :class:`~shiny_labchat.Room`; else
        ``Lab()``.
    join
        Whether the page makes its person a member. If not, only members are admitted. A page
        never brings back a person who was removed.
    client
        A model that replies in the room: a chatlas Chat with its system prompt and tools, or any
        object with its public methods. There is one conversation per room, whoever asks: the model
        is sent all messages that everybody could read, with names. The client's own turns are not
        used. A chatlas Chat's tools that are not async run in threads; an object that is no
        chatlas Chat makes one reply at a time.
    reply
        To which of this person's messages the model replies: "always", "mention" (those with
        "@assistant"), or a function of the :class:`Message`.
    failures
        Who is told when the model could not answer after several tries: the "asker", or the whole
        "room".
    messages
        The first messages of the room, logged once per room, before all that the app appends; see
        :meth:`append_message`. Those of the role "system" are shown to nobody: they are
        instructions to the model, in :meth:`messages`, in :meth:`turns`, and for `client` in
        addition to its system prompt.
    on_error
        What a person is shown when their handler fails: "auto" (the error, unless the app
        sanitizes errors), "actual" (the error), "sanitize" (only that there was an error), or
        "unhandled" (their session ends).
    tokenizer
        Counts tokens for the `token_limits` of :meth:`messages`, such as
        ``tiktoken.encoding_for_model("gpt-4o")``; None: an estimate.
    greeting
        Shown to this session's person only, and never logged; see :meth:`set_greeting`.
    html
        What becomes of HTML in the strings that this app appends whole (with
        :meth:`append_message`, `messages`, or ``ui(messages=)``). "sanitize": harmless elements are
        drawn, everything else is shown as text, and nothing is loaded from other servers.
        "trusted": all is drawn as written, as in shinychat; such strings must not contain what
        people or models said. What is streamed, what `client` and bots say, and what is appended
        in a person's name is always sanitized.
    reconnect
        Whether Shiny's session comes back by itself after the server was restarted or the
        connection was lost: as a new session, with the page's inputs as they were. This is Shiny's
        ``session.allow_reconnect("force")``, and holds for the whole page if any chat in it has
        it. If not, Shiny's default holds: the rest of the page stays as it is until it is
        reloaded. The chat itself goes on in both cases, over its own connection.

    Notes
    -----
    Roles (`role`), where the room's own `write` says nothing else:

    | role         | sees         | writes | stops                  | is seen                  |
    | ------------ | ------------ | ------ | ---------------------- | ------------------------ |
    | participant  | the messages | yes    | answers to this person | by everybody             |
    | observer     | the messages | no     | nothing                | see `show_observers`     |
    | experimenter | the messages | yes    | all answers they see   | by everybody, as such    |
    | assistant    | the messages | yes    | answers to it          | by everybody, as such    |

    "The messages" are those for everybody, and private ones for this person. To stop is to end an
    answer that is being streamed. The role "assistant" is for programs.
    """

    @explain_others(OTHERS)
    def __init__(
        self,
        id: str,
        *,
        room: RoomLike | Callable[[], RoomLike] = None,
        study: StudyLike | None = None,
        member: MemberLike | Callable[[], MemberLike] = None,
        identity: Identity = "browser",
        pseudonym: Pseudonym = None,
        names: Names = "room",
        role: Role | None = None,
        show_observers: bool = False,
        lab: Lab | None = None,
        join: bool = True,
        client: ModelClient | None = None,
        reply: Reply = "always",
        failures: Failures = "asker",
        messages: Sequence[Any] = (),
        on_error: OnError = "auto",
        tokenizer: Tokenizer | None = None,
        greeting: Greeting | None = None,
        html: MarkdownHtml = "sanitize",
        reconnect: bool = True,
    ) -> None:
        check_choice("on_error", on_error, get_args(OnError))
        check_choice("reconnect", reconnect, (True, False))
        lab = _lab_of(room, lab, study)
        options = PlacementOptions(
            room, _named(study), member, identity, pseudonym, role, join, names, show_observers
        )
        self._shows_observers = show_observers
        self._html = html
        trusts = is_trusted(html)
        self._first = tuple(messages)
        self._is_first_due = bool(self._first)
        for message in self._first:  # a wrong message is an error here, not for each visitor
            if instruction_of(message) is None:
                as_shown(message, trusts=trusts)
        self._tokenizer = tokenizer
        self._greeting = greeting
        self._latest = reactive.Value(StreamTask(), name="latest")
        session = require_active_session(None)
        replies = None if client is None else Replies(client, reply, failures, session)
        super().__init__(session, resolve_id(id), lab, options, replies, on_error)
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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name == "ui":
                raise AttributeError(
                    "this Chat has no ui(): in Shiny Express import Chat from "
                    "shiny_labchat.express; in Shiny Core put chat_ui(id) into the page"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _replace_earlier(self) -> None:
        """Stop an earlier Chat with this id in the session, as if a render function ran again."""
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
        """The room; reactive if a function gives it. None: there is no room yet."""
        return self._placements.room()

    def _told(self) -> dict[str, Any]:
        """What the page needs to know in case it loses Shiny's session, and the greeting."""
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
        if self._is_first_due:
            for k, message in enumerate(self._first):
                await self._append_first(room, message, f"first:{self.id}:{k}")
            self._is_first_due = False
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
        Call a function when this session's person sends a message.

        The message is in the room already. The function runs in the session's context, outside
        Shiny's lock, so nobody else waits for it; messages of one page are handled in order. It
        may read and set reactive values. It is called for messages only, never because a value
        that it read has changed.

        It is called at most once for a message. A message that the page sends while Shiny's
        session is away is stored, and handled when the session is back, even if the server was
        restarted meanwhile. A message that was being handled when a server was killed is not
        handled again.

        Parameters
        ----------
        fn
            Takes nothing, the text, or the text and a list of attachments (always empty);
            async or not. The text is a :class:`MessageText`: a `str` with the attributes of the
            message, such as `author`. Leave it out to decorate with ``@chat.on_user_submit()``.
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
            The hint shown while the box is empty.
        submit
            Whether to send `value` at once, in the person's name; a text that they are typing
            stays in the box.
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
        """End the chat in this session; the room, and the chat of all others, goes on."""
        self._handlers.registered.clear()
        self._bookmarks.stop()
        if self._admission.destroy():
            self._tasks.spawn(self._retire())

    async def _retire(self) -> None:
        """Stop following, handle the messages that have arrived, then leave the room."""
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
        # Shiny also calls this when a page goes away, but its handlers must finish then.
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self.destroy()


def _named(study: StudyLike | None) -> str | None:
    return None if study is None else study_name(study)


def _lab_of(room: object, lab: Lab | None, study: object) -> Lab:
    """The lab of a chat; that of its room, study or lobby, if the app gives one."""
    for giver in (study, getattr(room, "__self__", None)):  # the lobby whose room it is
        if isinstance(its := getattr(giver, "lab", None), Lab):
            if lab not in (None, its):
                raise ValueError(f"lab is {lab!r}, but {giver!r} is in another; leave lab= out")
            lab = its
    if not isinstance(room, Room):
        return lab or Lab()
    if lab is not None and lab.log is not room.log:
        raise ValueError(f"lab is {lab!r}, but {room!r} is in another; leave lab= out")
    return lab or Lab(room.log.url.render_as_string(hide_password=False))


_chats: WeakValueDictionary[tuple[str, str], Chat] = WeakValueDictionary()
"""The chats of all sessions, by the session's id and the chat's id."""

_returning: WeakSet[Session] = WeakSet()
"""The sessions of pages that begin a new session when they lose this one."""
