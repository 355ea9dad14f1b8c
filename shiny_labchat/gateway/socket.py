"""
One browser's socket to a room, after admission.

There are two tasks. One reads frames and submits commands, without waiting for their outcome. The
other sends all that is owed to the browser whenever there is something new (`Rounds`). What is
owed follows from the socket's cursor and its numbers of presence frames, so a browser that stops
reading makes only its own task wait. It costs only the memory of the frames that are being sent:
those of one page of the log (`LiveRoom.missed`), those of the open streams, and the transport's
buffer. A socket that is owed nothing is sent the next message with all others (`Broadcast`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial

from starlette.types import Receive, Send
from starlette.websockets import WebSocketDisconnect

from shiny_labchat import protocol
from shiny_labchat.access import tickets
from shiny_labchat.concurrency import first_of
from shiny_labchat.domain.clock import CLOCK_KINDS
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.limits import changes_by_own, may_type
from shiny_labchat.domain.members import is_sent_away
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.errors import BadFrame, Refused, StoreError
from shiny_labchat.gateway.answers import Answers
from shiny_labchat.gateway.limits import Allowance, TokenBucket
from shiny_labchat.gateway.rounds import Rounds
from shiny_labchat.gateway.submissions import Submissions
from shiny_labchat.gateway.uvicorn_internals import needs_no_task, writer_of
from shiny_labchat.live.own_presence import Hidden, OwnPresence
from shiny_labchat.live.presence import Seen
from shiny_labchat.live.room import MAX_MISSED_EVENTS, LiveRoom
from shiny_labchat.live.window import Page
from shiny_labchat.streams.content import Position
from shiny_labchat.words import Words

__all__ = ["Socket", "text_of_frame"]

REPLIES = 4
"""Replies of one socket that may wait to be sent; above this limit reading pauses."""
FRAMES = Allowance(burst=200, rate=100)
"""Frames of one socket that are read; more are read later, not dropped."""
SEARCH_PAUSE = 0.1
"""Pause of one socket after a search for older messages that found few, in seconds."""
READ_AFTER_DISCONNECT = 1.0
"""How long frames of a browser are still read when sending to it has failed, in seconds."""


async def text_of_frame(receive: Receive) -> str:
    """The text of a browser's next frame."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise BadFrame("bad_frame", "a frame must be text, not bytes")
    return text


class Socket:
    """
    One open socket of a member's page.

    Parameters
    ----------
    receive, send
        The accepted websocket, as ASGI functions: Starlette's `WebSocket` would double the cost.
    entry
        What its token lets it do.
    room
        The live room.
    words
        The words of its lab.

    Attributes
    ----------
    write
        Sends a frame of the websocket at once; False: it cannot be sent so.

    Raises
    ------
    Refused
        Its person is not a member of the room (any more).
    """

    def __init__(
        self, receive: Receive, send: Send, entry: tickets.Entry, room: LiveRoom, words: Words
    ) -> None:
        self._receive = receive
        self._transmit = send
        self._entry = entry
        self._room = room
        self._words = words
        self._rounds = Rounds(self._send_owed, at_once=needs_no_task(send))
        write = writer_of(send)
        self.write = write or _cannot_write
        self._can_write = write is not None
        self._is_in_broadcast = False
        self._is_woken = False
        self._replies: list[str] = []
        self._submissions = Submissions(entry, room, words, self._reply, self._wake)
        self._answers = Answers(entry, room)
        self._replied = asyncio.Event()
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cursor = 0
        self._has: dict[int, Position] = {}
        self._asked: deque[int] = deque()
        self._search_at = 0.0
        self._is_told = False
        self._state, self._state_at = "", 0
        self._state_changed = False
        self._said = 0
        self._handle = ""
        self._is_withdrawn = False
        self._seen_here: Seen | None = None
        self._seen_typing = 0
        self._own_presence: OwnPresence | None = None
        self._frames = TokenBucket(FRAMES, asyncio.get_running_loop().time())

    async def serve(self, hello: protocol.Hello) -> None:
        """Send the welcome, then read and send until the browser leaves or is refused."""
        known = self._room.state.memberships.get(self._entry.member)
        self._handle = "" if known is None else known.handle
        if known is not None and known.is_removed and known.is_withdrawn:
            await self._part()
        self._state_at = _now()
        self._state = self._state_frame(self._membership(), self._state_at)
        presence = self._room.presence
        unfollow = self._room.follow(self.hear, first=True), presence.follow(self._wake)
        presence.come(self._entry.member)
        self._room.page_came(self._entry.page)
        self._room.signs.come(self)
        self._rounds.wake()  # this browser is owed presence, even if it has not changed
        try:
            sending = self._send_all(self._seq_of(hello.after) or 0)
            await first_of(self._given_up, self._read(), sending)
        finally:
            self._room.leave_broadcast(self)
            presence.go(self._entry.member)
            self._room.page_went(self._entry.page)
            self._room.signs.go(self)
            for end in (*unfollow, self._submissions.end):
                end()

    def give_up(self, code: str = "too_many_tabs") -> None:
        """End the socket: its member has opened too many newer ones, or the `code` says why."""
        if not self._given_up.done():
            self._given_up.set_exception(Refused(code))

    def _membership(self) -> Membership:
        membership = self._room.state.memberships.get(self._entry.member)
        if membership is None:
            raise Refused("not_member")
        if membership.is_removed:
            raise Refused("removed")
        return membership

    async def _welcome(self, after: int) -> str:
        room, membership = self._room, self._membership()
        was_told = after < room.state.last_told(
            membership.member
        )  # messages must be drawn with other roles
        reset = after == 0 or was_told or room.is_lost(after)
        self._cursor = room.state.seq if reset else after  # events after it are owed
        self._has = {} if reset else room.streams.unsure(after)
        page = await room.newest(membership) if reset else Page([], False)
        membership = self._membership()
        self._rounds.wake()
        return protocol.welcome(
            *(room.state, membership, self._words, self._entry.resume),
            *(page.items, page.more, reset, page.before),
            at=_now(),
        )

    def _state_frame(self, membership: Membership, at: int) -> str:
        return protocol.state(self._room.state, membership, self._words, at)

    def _seq_of(self, id: str) -> int | None:
        """The seq of the item with this id; None: it is not an id of this room."""
        return seq_of(self._room.state.seed, id)

    # ── sending ──

    @property
    def member(self) -> str:
        """The member whose socket it is."""
        return self._entry.member

    def ping(self) -> None:
        """Ask the page whether it is alive; it answers, if it is, whenever it can."""
        if not self.write(_PING) and protocol.ping() not in self._replies:
            self._reply(protocol.ping())

    def resume(self, cursor: int, has: Mapping[int, Position]) -> None:
        """Go on by itself from a cursor, and from positions in the open streams."""
        self._is_in_broadcast, self._cursor = False, cursor
        self._has.update(has)

    def hear(self, events: Sequence[Event]) -> None:
        """Have what is owed sent; the events are new in the room."""
        for event in events:
            if event.kind == "disclosed":
                to = event.data["to"]
                self._is_told = self._is_told or to is None or self._entry.member in to
            elif event.kind == "withdrawn" and self._is_gone():
                self._is_withdrawn = self._state_changed = True
            elif is_sent_away(event, self._entry.member, self._entry.by):
                self.give_up("revoked")
            if event.kind in _ABOUT_ALL or event.member == self._entry.member:
                self._state_changed = True
            elif event.kind in _ABOUT_ORDER and self._room.state.rules.turns is not None:
                self._state_changed = True
        is_due = self._state_changed or self._is_told or self._submissions.has_stored
        if is_due or not events or self._has_news():
            self._rounds.wake()

    def _is_gone(self) -> bool:
        """Whether its person has another id now, or none: their data was withdrawn."""
        known = self._room.state.memberships.get(self._entry.member)
        return known is None or known.is_withdrawn

    def _has_news(self) -> bool:
        """Whether there may be something to show: not after others have only come, for example."""
        room = self._room
        is_far = room.state.seq - self._cursor > MAX_MISSED_EVENTS // 2
        return is_far or room.newest_shown > self._cursor

    def _wake(self) -> None:
        """Have what is owed sent soon, together with what comes in the same turn of the loop."""
        if self._is_in_broadcast:
            self._room.leave_broadcast(self)
        if not self._is_woken:
            self._is_woken = True
            asyncio.get_running_loop().call_soon(self._wake_now)

    def _wake_now(self) -> None:
        if self._is_woken:
            self._rounds.wake()

    async def _send_all(self, after: int) -> None:
        try:
            await self._send(await self._welcome(after))
            await self._rounds.run()
        except WebSocketDisconnect:
            await asyncio.sleep(READ_AFTER_DISCONNECT)  # its last frames are still read
            raise

    async def _send_owed(self) -> None:
        self._is_woken = False
        for frames in protocol.together(await self._owed()):
            await self._send(frames)
        if self._has_everything():
            self._is_in_broadcast = True
            self._room.join_broadcast(self)

    def _has_everything(self) -> bool:
        """Whether it is owed nothing, and will be owed no more than all others, as far as known."""
        if not self._can_write or self._rounds.is_due or self._is_woken or self._room.is_void:
            return False
        if (
            self._submissions.has_stored
            or self._replies
            or self._asked
            or self._is_told
            or self._state_changed
        ):
            return False
        state, streams = self._room.state, self._room.streams.open.values()
        if state.counts_from and changes_by_own(state, self._membership()):
            return False  # with each message of its person, more is owed than to others
        return (
            self._cursor == state.seq
            and self.member not in state.told
            and all(s.is_shown and state.shows(self._membership(), s.opening) for s in streams)
        )

    async def _owed(self) -> list[str]:
        if self._is_withdrawn:
            await self._part()
        room, membership = self._room, self._membership()
        if room.is_void:
            raise StoreError(
                "store_gone",
                str(room.key),
                "the database was replaced by another one while the page was open",
            )
        owed = self._chunks(membership)  # the rest of a stream comes before its end
        if self._cursor < room.state.seq:
            owed += await self._news(membership)
            owed += self._chunks(membership)
        owed += self._submissions.acknowledged(self._cursor)
        if room.state.counts_from:
            self._note_said(membership)
        if self._state_changed:
            self._state_changed = False
            owed += self._new_state(self._membership())
        owed += self._presence(membership)
        owed += self._answers.questions(membership)
        owed += self._replies
        self._replies.clear()
        self._replied.set()
        if self._asked and self._may_search():
            owed += await self._older()
        return owed

    async def _part(self) -> None:
        """Have the page forget what its person has said, whose data was withdrawn."""
        state = self._room.state
        await self._send(protocol.events([protocol.withdrawn(state.seq, state.seed, self._handle)]))
        raise Refused("removed")

    def _note_said(self, membership: Membership) -> None:
        """Have its person told what they must or may send yet, if that has changed."""
        said = self._room.state.memberships[membership.member].said
        self._state_changed = self._state_changed or said != self._said
        self._said = said

    def _presence(self, membership: Membership) -> list[str]:
        state = self._room.state
        is_participant = membership.role == "participant"
        hidden = Hidden(
            here=is_participant and not state.rules.presence,
            typing=is_participant and not state.rules.typing,
        )
        told = membership.member if membership.member in state.told else None
        if not state.network.is_full:
            return self._presence_in_network(membership, told, hidden)
        if self._own_presence is not None:  # the page shows what it was last sent
            self._own_presence = None
            self._seen_here, self._seen_typing = _OWN_HERE, _OWN_TYPING
        owed = self._nobody_here() if hidden.here else self._here(membership, told)
        return owed + self._typing(is_hidden=hidden.typing)

    def _here(self, membership: Membership, told: str | None) -> list[str]:
        observers = membership.sees_observers(self._entry.shows_observers)
        owed, seen = self._room.presence.owed(self._seen_here, told, observers=observers)
        self._seen_here = seen
        return owed

    def _nobody_here(self) -> list[str]:
        """The frame with which a page forgets who is here, if it was ever told."""
        if self._seen_here is None:
            return []
        self._seen_here = None
        return [protocol.presence(0, ())]

    def _typing(self, *, is_hidden: bool) -> list[str]:
        typing = self._room.presence.typing
        number = 0 if is_hidden else typing.number
        if self._seen_typing == number or typing.frame is None:
            return []
        self._seen_typing = number
        return [protocol.typing(()) if is_hidden else typing.frame]

    def _presence_in_network(
        self, membership: Membership, told: str | None, hidden: Hidden
    ) -> list[str]:
        """Who is here and who is typing of those whom this socket's person hears."""
        if (own := self._own_presence) is None:
            shown = self._seen_typing != 0
            own = self._own_presence = OwnPresence(self._room.presence, shows_typists=shown)
            self._seen_here, self._seen_typing = None, 0
        if not own.is_due(hidden):
            return []
        heard = self._room.state.hearing.heard_by(membership.member) or ()
        observers = membership.sees_observers(self._entry.shows_observers)
        return own.owed(membership, heard, told, observers=observers)

    async def _older(self) -> list[str]:
        """
        The older pages that the browser asked for, and the content of open streams in them.

        They are read in the sending task, while the cursor does not move: if a stream is open in a
        page, its end is sent after the page.
        """
        frames: list[str] = []
        while self._asked and self._may_search():
            before = min(self._asked[0], self._cursor + 1)
            page = await self._room.older(before, self._membership())
            self._asked.popleft()
            frames.append(protocol.older(page.items, page.more, page.before))
            if page.before is not None:
                self._search_at = asyncio.get_running_loop().time() + SEARCH_PAUSE
            # the page draws open streams empty, so all of their content is owed again
            self._has = {seq: has for seq, has in self._has.items() if seq >= before}
        self._replied.set()
        return [
            *frames,
            *self._chunks(self._membership()),
        ]  # a member who was removed meanwhile gets nothing

    def _may_search(self) -> bool:
        """Whether older messages may be searched for now; if not, wake when they may."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._search_at:
            return True
        loop.call_at(self._search_at, self._wake)
        return False

    async def _news(self, membership: Membership) -> list[str]:
        room = self._room
        if room.is_lost(self._cursor) or self._is_told:
            self._is_told = False
            self._seen_here = None
            self._own_presence = None
            return [await self._welcome(0)]
        if room.is_behind(self._cursor):
            frames, self._cursor = await room.missed(self._cursor, membership)
            self._membership()  # a member who was removed during the read gets nothing
        else:
            frame, self._cursor = room.frame(self._cursor, membership)
            frames = [] if frame is None else [frame]
        if self._cursor < room.state.seq:
            self._rounds.wake()
        self._has = room.streams.known(self._has, self._cursor)
        return frames

    def _chunks(self, membership: Membership) -> list[str]:
        """The new content of the streams that the browser knows of."""
        room, frames = self._room, list[str]()
        while room.streams.may_owe(self._cursor):
            frame, reached = room.streams.owed(
                self._has, self._cursor, partial(room.state.shows, membership)
            )
            if frame is None:
                break
            frames.append(frame)
            self._has.update(reached)
        return frames

    def _new_state(self, membership: Membership) -> list[str]:
        """The new state, if it is another one, and not only later: pages count down themselves."""
        at = _now()
        frame = self._state_frame(membership, at)
        if _LEFT.sub("", frame) == _LEFT.sub("", self._state):
            if self._state_frame(membership, self._state_at) == self._state:
                return []
        self._state, self._state_at = frame, at
        return [frame]

    async def _send(self, frames: str) -> None:
        try:
            await self._transmit({"type": "websocket.send", "text": frames})
        except (RuntimeError, OSError) as exc:  # raised by servers when a socket is closed
            raise WebSocketDisconnect(1006) from exc

    def _reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._wake()

    # ── reading ──

    async def _read(self) -> None:
        while True:
            frame = protocol.decode(await text_of_frame(self._receive))
            await self._pace()
            while (
                len(self._replies) + len(self._asked) > REPLIES
            ):  # the browser asks, but does not read
                self._replied.clear()
                await self._replied.wait()
            self._answers.note(frame)
            match frame:
                case protocol.Send():
                    await self._submissions.submit(frame)
                case protocol.Typing():
                    self._type()
                case protocol.Older():
                    self._ask(frame.before)
                case protocol.Stop():
                    self._stop(self._seq_of(frame.id) or 0)
                case protocol.Check():
                    self._reply(protocol.checked())
                case protocol.Confirm():
                    self._answers.confirm(self._seq_of(frame.id) or 0)
                case protocol.Done():
                    self._submissions.press_done(frame)
                case protocol.Pong():
                    pass
                case protocol.Hello():
                    raise BadFrame("bad_frame", "only the first frame may be a hello")

    def _ask(self, before: str) -> None:
        seq = self._seq_of(before)
        if seq is None:
            raise BadFrame("bad_frame", "before is not an id of the room")
        self._asked.append(seq)
        self._wake()

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        self._frames.take(now)
        if (left := self._frames.left(now)) < 0:
            await asyncio.sleep(-left / FRAMES.rate)

    def _type(self) -> None:
        membership = self._room.state.membership(self._entry.member)
        if membership is not None and may_type(self._room.state, membership, _now()):
            self._room.presence.type(self._entry.member)

    def _stop(self, seq: int) -> None:
        stream, membership = self._room.streams.open.get(seq), self._membership()
        if stream is None:
            return
        if membership.role == "experimenter" or stream.opening.data.get("by") == membership.member:
            self._room.stop_stream(seq)


_OWN_HERE, _OWN_TYPING = Seen(-1, None, False), -1
"""What a page has seen that was sent frames of its own, as `OwnPresence` makes them."""
_LEFT = re.compile(r'"left":\d+,?')
"""How long something lasts yet, in a frame of the state."""
_PING = protocol.text_frame(protocol.ping())
_ABOUT_ALL = frozenset((*CLOCK_KINDS, "closed", "configured", "grouped", "hours", "opened", "turn"))
"""The kinds of events after which the room is another one for all."""
_ABOUT_ORDER = frozenset(("changed", "disclosed", "done", "joined", "removed"))
"""The kinds of events after which it may be somebody else's turn."""


def _now() -> int:
    return time.time_ns() // 1000


def _cannot_write(frame: bytes) -> bool:
    return False
