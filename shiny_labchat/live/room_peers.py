"""
What this process and others tell each other of a room that is open in both, over the lab's bus.

Who is here, who is typing, that a stream has grown, and that one is to be stopped: none of it is in
the log. A bus may lose any of it, so who is here is said again and again, and so is "stop".
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shiny_labchat.bus import Subscriber
from shiny_labchat.bus.messages import in_parts
from shiny_labchat.live.presence import Presence
from shiny_labchat.streams.open_streams import OpenStreams

__all__ = ["HERE_TTL", "STOP_AGAIN", "Open", "RoomPeers"]

ANNOUNCE_PAUSE = 0.2
"""Shortest time between two messages that say who is here, in seconds."""
HERE_TTL = 10.0
"""How long those count as here of whom a process says nothing any more, in seconds."""
STOP_AGAIN = 0.5
"""Pause after which the process that runs a stream is asked again to stop it, in seconds."""
TYPING_PAUSE = 1.0
"""Shortest time between two messages that say that somebody is typing, in seconds."""
ANSWERED_WITHIN = 0.5
"""How long the answers of others are waited for who are asked for a page, in seconds."""


class Open(NamedTuple):
    """What a page has open in a process: a socket to the room, and a session that follows it."""

    socket: bool = False
    session: bool = False


@dataclass(slots=True)
class _Process:
    """
    What another process has said of a room.

    Attributes
    ----------
    number
        The number of the newest list of who is here; older ones are ignored.
    members
        Who is here, by the last list that was complete.
    parts
        The parts of the newest list that have come so far.
    until
        When all of them count as gone, by the event loop's clock.
    """

    number: int = 0
    members: frozenset[str] = frozenset()
    parts: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    until: float = 0.0


class RoomPeers:
    """
    One room, as this process and others have it open. Without a bus, nobody is told anything.

    Parameters
    ----------
    topic
        The room's topic.
    presence
        Who is here and typing; it is told of others' people.
    streams
        Returns the room's open streams.
    grown
        Called when streams of other processes have grown.
    pages
        Returns the pages that have something open in this process, and what.
    """

    def __init__(
        self,
        topic: str,
        presence: Presence,
        streams: Callable[[], OpenStreams],
        grown: Callable[[], None],
        pages: Callable[[], dict[str, Open]],
    ) -> None:
        self._topic = topic
        self._presence = presence
        self._streams = streams
        self._grown = grown
        self._pages = pages
        self._asked: set[tuple[str, asyncio.Future[Open]]] = set()
        self._bus: Subscriber | None = None
        self._numbers: Iterator[int] = iter(())
        self._others: dict[str, _Process] = {}
        self._typed: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stopping: set[int] = set()
        presence.on_own_change = self.announce
        presence.on_typing = self.tell_typing

    def open(self, bus: Subscriber, numbers: Iterator[int]) -> None:
        """
        Tell others of the room, and hear of it, until `close`.

        Parameters
        ----------
        bus
            This event loop's part of the bus.
        numbers
            Gives numbers for lists of who is here, each larger than the last.
        """
        self._bus, self._numbers = bus, numbers
        bus.subscribe(self._topic)
        self.ask()

    def close(self) -> None:
        """Have nobody of other processes here any more."""
        if self._bus is None:
            return
        self._say_who_is_here()
        self._bus.unsubscribe(self._topic)
        self._bus = None
        for sender in tuple(self._others):
            self._take_members(sender, frozenset())
        self._others.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, **message: Any) -> None:
        if self._bus is not None:
            self._bus.publish(self._topic, message)

    def hear(self, sender: str, message: Any) -> None:
        """Take what another process has said; what is not known is of another version."""
        match message:
            case {"is": "here", "number": int(number), "part": [int(part), int(of)], "who": who}:
                self._take_part(sender, number, part, of, who)
            case {"is": "who"}:
                self.announce()
            case {"is": "typing", "member": str(member)}:
                self._presence.type(member, elsewhere=True, to=message.get("to"))
            case {"is": "grown"}:
                self._grown()
            case {"is": "stop", "seq": int(seq)}:
                self._stop_own(seq)
            case {"is": "page?", "page": str(digest)}:
                self._tell_of_page(digest)
            case {"is": "page", "page": str(digest), "socket": bool(socket), "session": session}:
                self._learn_of_page(digest, Open(socket, bool(session)))
            case _:
                pass

    # ── who is here ──

    def ask(self) -> None:
        """Ask who is here, and say it."""
        self._tell(**{"is": "who"})
        self.announce()

    def announce(self) -> None:
        """Say soon who is here."""
        if self._timer is None and self._bus is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(ANNOUNCE_PAUSE, self._announce)

    def _announce(self) -> None:
        self._timer = None
        self._say_who_is_here(self._presence.own)

    def _say_who_is_here(self, who: list[str] | None = None) -> None:
        number, parts = next(self._numbers), [*in_parts(who or [])]
        for part, some in enumerate(parts):
            said = {"is": "here", "number": number, "part": [part, len(parts)], "who": some}
            self._tell(**said)

    def repeat(self, *, is_up: bool) -> None:
        """Say again who is here, if anybody is, and forget processes that say nothing any more."""
        now = asyncio.get_running_loop().time()
        self._typed = {member: at for member, at in self._typed.items() if at > now - TYPING_PAUSE}
        if self._presence.own:
            self.announce()
        for sender, process in tuple(self._others.items()):
            if is_up and process.until < now:
                self._take_members(sender, frozenset())
                del self._others[sender]

    def begin_again(self) -> None:
        """Ask and say again who is here: the bus works again."""
        until = asyncio.get_running_loop().time() + HERE_TTL
        for process in self._others.values():
            process.until = until
        self.ask()

    def _take_part(self, sender: str, number: int, part: int, of: int, who: list[str]) -> None:
        process = self._others.setdefault(sender, _Process())
        process.until = asyncio.get_running_loop().time() + HERE_TTL
        if number < process.number:
            return
        if number > process.number:
            process.number, process.parts = number, {}
        process.parts[part] = who
        if len(process.parts) == of:
            members = frozenset(member for some in process.parts.values() for member in some)
            self._take_members(sender, members)

    def _take_members(self, sender: str, members: frozenset[str]) -> None:
        before = self._others[sender].members
        self._others[sender].members = members
        for member in members - before:
            self._presence.come_elsewhere(member)
        for member in before - members:
            self._presence.go_elsewhere(member)

    # ── who is typing ──

    def tell_typing(self, member: str, to: Collection[str] | None = None) -> None:
        """Say that somebody is typing here; `to`: who is to see it, see `Presence.type`."""
        now = asyncio.get_running_loop().time()
        if now > self._typed.get(member, float("-inf")) + TYPING_PAUSE:
            self._typed[member] = now
            said: dict[str, Any] = {"is": "typing", "member": member}
            if to is not None:
                said["to"], *more = in_parts(to)
                if more:  # too many for a message: they see it in this process only
                    return
            self._tell(**said)

    # ── pages ──

    async def ask_for_page(self, page: str) -> Open:
        """
        What a page has open in another process, as the first one says that has anything of it.

        Without an answer within `ANSWERED_WITHIN`: nothing. Without a bus there is none, and so
        long is waited all the same: what the page has sent elsewhere is stored meanwhile.
        """
        answer: asyncio.Future[Open] = asyncio.get_running_loop().create_future()
        asked = _digest(page), answer
        self._asked.add(asked)
        self._tell(**{"is": "page?", "page": asked[0]})
        try:
            return await asyncio.wait_for(answer, ANSWERED_WITHIN)
        except TimeoutError:
            return Open()
        finally:
            self._asked.discard(asked)

    def _tell_of_page(self, digest: str) -> None:
        for page, has in self._pages().items():
            if _digest(page) == digest:
                self._tell(**{"is": "page", "page": digest, **has._asdict()})

    def _learn_of_page(self, digest: str, has: Open) -> None:
        for asked, answer in self._asked:
            if asked == digest and not answer.done():
                answer.set_result(has)

    # ── streams ──

    def tell_grown(self) -> None:
        """Say that streams have grown that this process runs, if there are any."""
        if self._bus is not None and any(
            stream.stop is not None for stream in self._streams().open.values()
        ):
            self._tell(**{"is": "grown"})

    def stop(self, seq: int) -> None:
        """Have a stream stopped by the process that runs it; it is asked until the stream ends."""
        if seq not in self._stopping:
            self._stopping.add(seq)
            self._ask_to_stop(seq)

    def _ask_to_stop(self, seq: int) -> None:
        if self._bus is None or seq not in self._streams().open:
            self._stopping.discard(seq)
            return
        self._tell(**{"is": "stop", "seq": seq})
        asyncio.get_running_loop().call_later(STOP_AGAIN, self._ask_to_stop, seq)

    def _stop_own(self, seq: int) -> None:
        stream = self._streams().open.get(seq)
        if stream is not None and stream.stop is not None:
            stream.stop()


def _digest(page: str) -> str:
    """What a page is called on a bus, which need not know its id."""
    return hashlib.blake2b(page.encode(), digest_size=8).hexdigest()
