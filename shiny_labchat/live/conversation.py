"""All messages of a room, for programmes that read the whole room. Pure."""

from __future__ import annotations

import sys
import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import (
    Message,
    Wording,
    as_worded,
    is_for_models,
    is_instruction,
    is_retracted,
    message_of,
    settled,
    was_said,
)
from shiny_labchat.domain.state import RoomState
from shiny_labchat.live.shared_messages import SEQ, SharedMessages

__all__ = ["Conversation"]

UNREAD = 200
"""A list for one viewer or wording goes if so many messages came since anybody has read it."""
MESSAGE_BYTES = 700
"""What a message takes in memory besides its text, about."""
TURNS_BYTES = 4_000
"""What the turns of one message take in memory, about."""


class Conversation:
    """
    All messages of a room, made once and shared by all readers, in any thread.

    What all members see is one list. Whoever sees more has a list of their own, made when they
    first read, and so has each wording. What was heard in a network is in a list, too, of which
    those who hear all read everything. So a further message, and reading it, cost the same
    whatever is private in the room and whatever transforms have changed.

    Parameters
    ----------
    events
        The room's events so far, in order; events that are not messages are ignored.
    room
        The room's key, for its messages.

    Attributes
    ----------
    ends
        For messages that were streams: the seq of the message, and the seq at which it ended.
    waits
        Whether the last message from a page was a held message.
    size
        The bytes that the messages take in memory, about.
    retracted
        The seqs of messages that were retracted: they are not among it.
    is_outdated
        Whether messages in it have become others since: somebody has withdrawn, or one of them was
        retracted. Then it is empty, and has to be read again.
    """

    def __init__(self, events: Iterable[Event] = (), room: LogKey | None = None) -> None:
        self.is_outdated = False
        self._room = room
        self._lock = threading.Lock()
        self._empty()
        self.add(events)

    def _empty(self) -> None:
        self.ends: dict[int, int] = {}
        self.waits = False
        self.size = 0
        self.retracted: set[int] = set()
        self._has_withdrawn = False
        self._open: dict[int, Event] = {}
        self._seen = SharedMessages()
        self._public = SharedMessages()
        self._private: dict[str, SharedMessages] = {}
        self._networked = SharedMessages()
        self._changed = SharedMessages()
        self._read: dict[tuple[_Reader | None, Wording | None], SharedMessages] = {}

    def close(self) -> None:
        """Have nothing any more, and say so to those who still refer to it."""
        with self._lock:
            self.is_outdated = True
            self._empty()

    def add(self, events: Iterable[Event]) -> None:
        """Add newer events."""
        with self._lock:
            if self.is_outdated:
                return
            for event in events:
                if event.kind == "streamed" and event.data["of"] in self._open:
                    self._put(settled(self._open[event.data["of"]], event))
                elif event.kind == "message" and "live" in event.data:
                    self._open[event.seq] = event
                elif event.kind == "message":
                    self._put(event)
                elif event.kind == "retracted":  # the message is not among events for viewers
                    self.retracted.add(event.data["of"])

    def _put(self, event: Event) -> None:
        if not was_said(event):
            if is_retracted(event):
                self.retracted.add(event.seq)
            return
        message = message_of(event, self._room)
        if event.data.get("page"):
            self.waits = "submitted" in event.data
        if "whole" in event.data:
            self.ends[event.seq] = event.data["whole"]
        self.size += _size_of(message)
        self._has_withdrawn = self._has_withdrawn or message.withdrawn
        for messages in self._lists_with(message):
            messages.put(message)
        for (whose, wording), messages in self._read.items():
            if _sees(whose, message):
                messages.put(_worded(message, wording))
        if message.original is not None or message.transformed is not None:
            self._changed.put(message)
            self._for(None, Wording())  # made as messages come: most who read ask for this one

    def _lists_with(self, message: Message) -> Iterator[SharedMessages]:
        if message.audience is None:
            yield self._public
        if message.audience is None or is_instruction(message):
            yield self._seen
            return
        if message.by_network:
            yield self._networked
        for member in {*(message.audience or ()), message.member}:
            if member is not None:
                yield self._private.setdefault(member, SharedMessages())

    # ── what everybody sees ──

    def public(self, after: int) -> tuple[Message, ...]:
        """The messages after a seq that everybody may see."""
        with self._lock:
            return self._public.between(after, sys.maxsize)

    def told(self, after: int) -> tuple[Message, ...]:
        """The messages after a seq that an app's model is told."""
        with self._lock:
            told = self._seen.between(after, sys.maxsize)
        return tuple(filter(is_for_models, told)) if self._has_withdrawn else told

    @property
    def is_networked(self) -> bool:
        """Whether anything was said that not everybody has heard, as the room had a network."""
        return bool(self._networked)

    def common(self, after: int, readers: Collection[Collection[str]]) -> tuple[Message, ...]:
        """
        The messages after a seq that each of several readers has heard, or may see as everybody.

        A reader is given as the ids of one member, and of those whose place they have taken.
        """
        return self._with_networked(self.public(after), after, readers)

    def told_of_common(
        self, after: int, readers: Collection[Collection[str]]
    ) -> tuple[Message, ...]:
        """As `common`, for a model, which is also told the app's instructions."""
        return self._with_networked(self.told(after), after, readers)

    def _with_networked(
        self, some: tuple[Message, ...], after: int, readers: Collection[Collection[str]]
    ) -> tuple[Message, ...]:
        with self._lock:
            networked = self._networked.between(after, sys.maxsize)
        heard = tuple(message for message in networked if _have_heard(readers, message))
        return tuple(_merged(some, heard)) if heard else some

    # ── what one viewer sees ──

    def seen(
        self,
        room: RoomState,
        viewer: Membership,
        upto: int,
        also: Collection[int] = (),
        wording: Wording | None = None,
        *,
        private: bool = True,
        readers: Collection[Collection[str]] = (),
    ) -> tuple[Message, ...]:
        """
        The messages that a viewer may see, since their view was last cleared.

        The app's instructions to its model are among them: this is what an app reads.

        Parameters
        ----------
        room, viewer
            The state of the room, and the viewer's membership.
        upto, also
            Only messages up to a seq, and those later ones with these seqs.
        wording
            The texts of the messages; None: as they are in the room.
        private
            Whether private messages are included.
        readers
            Where they are not: those who are also to have heard what was heard in a network, as in
            `common`; none: nothing of it is included.
        """
        with self._lock:
            reader = _Reader(viewer.member, viewer.hears_all) if private else None
            messages = self._for(reader, wording)
            known = messages.between(room.floor(viewer), upto)
            later = sorted(seq for seq in also if seq > max(room.floor(viewer), upto))
            found = (messages.at(seq) for seq in later)
            added = [message for message in found if message is not None]
            read = (*known, *added) if added else known
            if not readers or not self._networked:
                return read
            heard = [
                _worded(message, wording)
                for message in self._networked.all()
                if room.floor(viewer) < message.seq
                and (message.seq <= upto or message.seq in also)
                and _have_heard(readers, message)
            ]
            return tuple(_merged(read, tuple(heard)))

    def _for(self, reader: _Reader | None, wording: Wording | None) -> SharedMessages:
        whose = None
        if reader is not None and self._are_private_for(reader):
            whose = reader._replace(hears_all=reader.hears_all and bool(self._networked))
        how = wording if self._changed else None
        if (whose, how) == (None, None):
            return self._seen
        known = self._read.get((whose, how))
        if known is None:
            self._forget_unread()
            known = self._read[whose, how] = SharedMessages(self._made_for(whose, how))
        return known

    def _are_private_for(self, reader: _Reader) -> bool:
        """Whether somebody sees messages that not everybody sees."""
        return reader.member in self._private or (reader.hears_all and bool(self._networked))

    def _forget_unread(self) -> None:
        unread = [key for key, messages in self._read.items() if messages.unread > UNREAD]
        for key in unread:
            del self._read[key]

    def _made_for(self, whose: _Reader | None, wording: Wording | None) -> list[Message]:
        """The messages that someone sees: those that all see, and then only what differs."""
        private = self._private_for(whose) if whose is not None else ()
        made = _merged(self._seen.all(), private)
        for message in self._changed.all():
            if _sees(whose, message):
                at = bisect_left(made, message.seq, key=SEQ)
                made[at] = _worded(made[at], wording)
        return made

    def _private_for(self, reader: _Reader) -> tuple[Message, ...]:
        own = self._private.get(reader.member, _NONE).all()
        if not reader.hears_all:
            return own
        found = {message.seq: message for message in (*own, *self._networked.all())}
        return tuple(found[seq] for seq in sorted(found))


def _have_heard(readers: Collection[Collection[str]], message: Message) -> bool:
    """Whether each of several readers has heard a message, which is nobody's who has withdrawn."""
    return not message.withdrawn and all(any(map(message.is_for, ids)) for ids in readers)


class _Reader(NamedTuple):
    """Who reads: a member, and whether they hear all, whatever the room's network."""

    member: str
    hears_all: bool = False


_NONE = SharedMessages()


def _merged(some: tuple[Message, ...], others: tuple[Message, ...]) -> list[Message]:
    """Messages in order: many, copied part by part, and some others between them."""
    merged: list[Message] = []
    begin = 0
    for message in others:
        end = bisect_left(some, message.seq, begin, key=SEQ)
        merged += some[begin:end]
        merged.append(message)
        begin = end
    merged += some[begin:]
    return merged


def _sees(whose: _Reader | None, message: Message) -> bool:
    if message.audience is None or is_instruction(message):
        return True
    if whose is None:
        return False
    return message.is_for(whose.member) or (whose.hears_all and message.by_network)


def _worded(message: Message, wording: Wording | None) -> Message:
    return message if wording is None else as_worded(message, wording)


def _size_of(message: Message) -> int:
    size = MESSAGE_BYTES + sys.getsizeof(message.content) + TURNS_BYTES * len(message.turns)
    for text in (message.original, message.transformed):
        if text is not None:
            size += sys.getsizeof(text)
    return size
