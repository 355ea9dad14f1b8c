"""Reactive reads of a room: its messages, its members, and whether it is open."""

from __future__ import annotations

import time
import warnings
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from shiny import reactive
from shiny.types import MISSING, MISSING_TYPE

from shiny_labchat.arguments import check_choice
from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.handlers import Handling, handling
from shiny_labchat.chat.waiting import can_wait, wait
from shiny_labchat.concurrency import in_thread, unhurried
from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.limits import Gate, gate_of
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import Message, Wording, as_transformed
from shiny_labchat.domain.rules import shut
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.turns import turn_at
from shiny_labchat.models.formats import ProviderFormat, Tokenizer, count_tokens, in_format, within
from shiny_labchat.models.turns import turns_of

if TYPE_CHECKING:
    import chatlas

__all__ = ["Reading", "State", "UserInput"]

State = Literal["waiting", "open", "done", "closed", "removed", "ended"]

TransformUser = Literal["all", "last", "none"]

MANY = 200
"""Turns of so many messages are made in a thread, where the caller can wait."""


class UserInput(str):
    """
    A text that a person has sent, which shinychat calls a user input.

    Attributes
    ----------
    text
        The text itself.
    attachments
        Always empty: files cannot be sent.
    """

    __slots__ = ()

    @property
    def text(self) -> str:
        return str(self)

    @property
    def attachments(self) -> list[Any]:
        return []


class Reading(ChatBase):
    """The part of a :class:`Chat` that reads messages and members."""

    _tokenizer: Tokenizer | None

    @overload
    def messages(
        self,
        format: MISSING_TYPE = MISSING,
        token_limits: tuple[int, int] | None = None,
        transform_user: TransformUser = "all",
        transform_assistant: bool = False,
    ) -> tuple[Message, ...]: ...

    @overload
    def messages(
        self,
        format: ProviderFormat,
        token_limits: tuple[int, int] | None = None,
        transform_user: TransformUser = "all",
        transform_assistant: bool = False,
    ) -> tuple[dict[str, Any], ...]: ...

    def messages(
        self,
        format: MISSING_TYPE | ProviderFormat = MISSING,
        token_limits: tuple[int, int] | None = None,
        transform_user: TransformUser = "all",
        transform_assistant: bool = False,
    ) -> tuple[Message, ...] | tuple[dict[str, Any], ...]:
        """
        Reactively read the messages that this person may see.

        Parameters
        ----------
        format
            Deprecated, see :meth:`turns`. Returns dictionaries in the format of "anthropic",
            "google", "langchain", "ollama" or "openai".
        token_limits
            The size of a model's context window in tokens, and how many of these to keep for its
            reply: only the newest messages that fit are returned. The `tokenizer` of this Chat
            counts the tokens; without one, every three bytes count as one.
        transform_user
            Which messages of people have the text that :meth:`transform_user_input` returned:
            "all", only the "last" message (if it is a person's), or "none". The others have the
            text as people wrote and see it.
        transform_assistant
            Whether messages of programmes have the text that :meth:`transform_assistant_response`
            returned, which people see. If not, they have the text as it was appended.

        Returns
        -------
        tuple of Message
            In order, since this person last cleared their view. An `on_user_submit` handler reads
            the message that it handles, those before it, and what it has appended since, even if
            others have written meanwhile; elsewhere these are all messages. Empty if there is no
            room, and for a person who was removed. Before either is known, whoever reads them
            waits, as with ``req()``. So do outputs, calculations and effects while a long room is
            read from the log, when it is read for the first time; handlers, and what reads it
            inside `isolate()`, go on where they were when it has been read, and others go on
            meanwhile. (A task that a handler starts itself cannot wait so: it holds up the server,
            unless something in the session has read the room before.)
        """
        check_choice("transform_user", transform_user, get_args(TransformUser))
        said = self._heard(Wording(transform_user == "all", transform_assistant))
        if transform_user == "last":
            said = (*said[:-1], *self._heard(Wording(True, transform_assistant))[-1:])
        if token_limits is not None:
            said = within(said, token_limits, lambda text: count_tokens(text, self._tokenizer))
        if isinstance(format, MISSING_TYPE):
            return said
        warnings.warn(
            "messages(format=) is deprecated; give turns() to a chatlas client of any provider",
            DeprecationWarning,
            stacklevel=2,
        )
        return tuple(in_format(said, format))

    def _heard(self, wording: Wording, *, private: bool = True) -> tuple[Message, ...]:
        self._session_room.depend("messages")
        self._need_seat()
        member, handled = self._admission.member, self._handled()
        upto, also = (None, ()) if handled is None else (handled.message.seq, handled.appended)
        is_of_network = handled is not None and handled.message.by_network and not private
        among = (handled.message.heard_by or ()) if handled is not None and is_of_network else ()
        read = self._session_room.messages_for
        return read(member, upto, also, wording, private=private, among=among)

    def _handled(self) -> Handling | None:
        """What the running handler of this chat handles; None: no handler runs."""
        handled = handling.get()
        return handled if handled is not None and handled.chat is self else None

    def turns(self, *, before: int | None = None, names: bool = True) -> list[chatlas.Turn]:
        """
        Reactively read the conversation as the turns that a model is sent.

        Parameters
        ----------
        before
            Only messages before this `seq`. The default in an `on_user_submit` handler is the
            message being handled, which the handler itself sends to the model.
        names
            Whether messages of people begin with their pseudonyms, as "Teal Otter: Hello"; further
            lines of a message are then indented, so that no text passes for another person's.

        Returns
        -------
        list of chatlas.Turn
            For ``client.set_turns()``. Private messages are left out. In a room where not everybody
            hears everybody, so is what was not said to all; in a handler, they are what all have
            heard who have heard the message that it handles. Notices, and messages of
            the role "system" from ``Chat(messages=)``, are in square brackets.
        """
        handled = self._handled()
        if before is None and handled is not None:
            before = handled.message.seq
        messages = self._heard(Wording(), private=False)
        if before is not None:
            messages = messages[: bisect_left(messages, before, key=attrgetter("seq"))]
        if len(messages) < MANY or not can_wait():
            return turns_of(messages, names=names)
        return wait(in_thread(turns_of, unhurried(messages), names=names))

    def user_input(self, transform: bool = False) -> UserInput | None:
        """
        Reactively read the last message that this person sent from this page.

        None: there is none yet. ``input.<id>_user_input()`` has the same text. Most apps read the
        last of :meth:`messages` instead.

        Parameters
        ----------
        transform
            Whether to return the text that :meth:`transform_user_input` returned, if there is
            such a function, and not the text as the person wrote it.
        """
        self._session_room.depend("said")
        said = self._inbox.last
        if said is None:
            return None
        return UserInput((as_transformed(said) if transform else said).content)

    def members(self) -> tuple[Member, ...]:
        """
        Reactively read the members of the room.

        Returns
        -------
        tuple of Member
            In order of joining, with the roles that this session's person is shown; ``own`` marks
            this person. In a random order, which stays the same, if a bot is shown as a
            participant: a bot joins first, so the order of joining would reveal it. Without
            observers, if this person is a participant and the Chat does not say
            ``show_observers=True``. Only those whom this person hears, see `Room.connect`. In a
            closed room: those who were there when it was closed. Empty if there is no room; before
            that is known, whoever reads them waits, as with ``req()``.
        """
        self._session_room.depend("members")
        self._need_seat()
        live = self._session_room.live
        return () if live is None else self._shown(live.state.members_for(self._admission.member))

    def here(self) -> tuple[Member, ...]:
        """
        Reactively read who has the room open now.

        Returns
        -------
        tuple of Member
            Those of :meth:`members` who have it open in a browser, on this server (with a bus: on
            any server); each person once, and in an order that tells nothing. Bots are always here.
            A browser that loses its connection is noticed after up to 40 seconds.
        """
        self._session_room.depend("here")
        self._need_seat()
        live = self._session_room.live
        return () if live is None else self._shown(live.presence.present(self._admission.member))

    def _shown(self, memberships: Iterable[Membership]) -> tuple[Member, ...]:
        """Members as this session's person is shown them."""
        live, me = self._session_room.live, self._admission.member
        mine = live.state.membership(me) if live is not None else None
        sees_all = mine is not None and mine.sees_observers(self._shows_observers)
        heard = None if live is None else live.state.hearing.heard_by(me or "")
        return tuple(
            Member.seen_by(me, membership)
            for membership in memberships
            if sees_all or not membership.is_hidden_from(me)
            if heard is None or membership.member in heard
        )

    def member(self) -> Member | None:
        """Reactively read this person's own membership; None before it is known."""
        self._session_room.depend("members")
        live = self._session_room.live
        membership = live.state.membership(self._admission.member) if live else None
        return None if membership is None else Member.seen_by(self._admission.member, membership)

    def state(self) -> State | None:
        """
        Reactively read the state of the room, as it is for this person.

        Returns
        -------
        str
            The last of these that holds: "waiting" (there is no room yet, its group is not shown it
            yet, or people wait for its start or for `opens_at`), "open" (also outside of its
            `hours`, as it can be read), "done" (the person has said that they are),
            "closed", "removed" (the person was) or "ended" (the person has left the study). None
            before any of this is known.
        """
        self._session_room.depend("state")
        if self._has_ended():
            return "ended"
        if not self._admission.is_decided:
            return None
        live, me = self._session_room.live, self._admission.member
        if live is None:
            return "removed" if self._admission.refused == "removed" else "waiting"
        return _state_in(live.state, me)

    def gate(self) -> bool:
        """
        Reactively read whether this person may say that they are done.

        Returns
        -------
        bool
            Whether they have done what the room's rules ask for at least: `min_messages`,
            `min_characters` and `min_seconds`. False before there is a room.
        """
        self._session_room.depend("gate")
        live = self._session_room.live
        mine = live.state.membership(self._admission.member) if live is not None else None
        if live is None or mine is None:
            return False
        gate = gate_of(live.state, mine, _now(live.state))
        if live.state.clock.started and gate == Gate(time=gate.time) and gate.time:
            reactive.invalidate_later(gate.time / SECOND)
        return gate.is_met

    def turn(self) -> Member | None:
        """
        Reactively read whose turn it is to write.

        Returns
        -------
        Member
            With ``own`` if it is this person's. None: it is nobody's, or people do not write in
            turn in this room (`Rules(turns=)`).
        """
        self._session_room.depend("turn")
        live = self._session_room.live
        if live is None or not live.state.is_open:
            return None
        membership = live.state.membership(turn_at(live.state, _now(live.state)).member)
        return next(iter(self._shown([] if membership is None else [membership])), None)

    def shares(self) -> dict[str, float]:
        """
        Reactively read how much each member has written of what this person hears.

        Returns
        -------
        dict
            By the id of each member who is shown as a participant, their share of all characters,
            from 0 to 1; a bot that is shown as one is among them. All are 0 if nobody has written.
            Empty if there is no room. Before that is known, whoever reads them waits, as for
            :meth:`messages`.
        """
        self._session_room.depend("shares")
        self._need_seat()
        return self._session_room.shares(self._admission.member)

    def deadline(self) -> datetime | None:
        """
        Reactively read when the time of the room's people is over.

        Returns
        -------
        datetime
            In UTC: when their `duration` is over, or at `closes_at`, if that is earlier. None: it
            has not started, it stands still, it has no end, or the room is closed.
        """
        self._session_room.depend("deadline")
        live = self._session_room.live
        if live is None or not live.state.is_open:
            return None
        state = live.state
        deadline = state.clock.closing(state.rules) if state.clock.paused else state.deadline
        return None if deadline is None else datetime.fromtimestamp(deadline / SECOND, UTC)


def _state_in(state: RoomState, member: str | None) -> State:
    """The state of a room for one of its members, at this moment."""
    if member is None or state.membership(member) is None:
        return "removed"
    at = _now(state)
    if not state.is_open or state.is_over(at):
        return "closed"
    if member in state.done:
        return "done"
    return "open" if state.has_begun and shut(state.rules, at) != "not_yet" else "waiting"


def _now(state: RoomState) -> int:
    """The time in microseconds: not before what a server with another clock has announced."""
    return max(time.time_ns() // 1000, state.shut.at)
