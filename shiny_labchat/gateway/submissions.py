"""The messages that one socket submits, until their person is told what has become of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from shiny_labchat import metrics, protocol
from shiny_labchat.access import tickets
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.errors import SENTENCES, Refused, StoreError
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Outcome
from shiny_labchat.words import Words

__all__ = ["IN_FLIGHT", "Submissions"]

logger = logging.getLogger("shiny_labchat")

IN_FLIGHT = 32
"""Messages of one socket that may wait to be stored; at this limit reading pauses."""


class Submissions:
    """
    The messages of one socket.

    Parameters
    ----------
    entry
        What the socket's token lets it do.
    room
        The live room.
    words
        The words of the lab.
    reply
        Sends a frame to the browser.
    wake
        Called when there is an acknowledgement to be sent.
    """

    def __init__(
        self,
        entry: tickets.Entry,
        room: LiveRoom,
        words: Words,
        reply: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        self._entry = entry
        self._room = room
        self._words = words
        self._reply = reply
        self._wake = wake
        self._acks: list[tuple[str, int]] = []
        self._in_flight = 0
        self._landed = asyncio.Event()
        self._held: dict[int, str] = {}
        self._heard_pages: dict[str, Callable[[], None]] = {}

    @property
    def has_stored(self) -> bool:
        """Whether there are messages that were stored, and are not acknowledged yet."""
        return bool(self._acks)

    def acknowledged(self, cursor: int) -> list[str]:
        """The frame that acknowledges messages up to a cursor, which the browser has been sent."""
        if not self._acks:
            return []
        seed = self._room.state.seed
        due = [(cid, id_of(seed, seq)) for cid, seq in self._acks if seq <= cursor]
        self._acks = [(cid, seq) for cid, seq in self._acks if seq > cursor]
        return [protocol.acks(due)] if due else []

    async def submit(self, frame: protocol.Send) -> None:
        """Submit a message, without waiting for its outcome; wait while too many are in flight."""
        while self._in_flight >= IN_FLIGHT:
            self._landed.clear()
            await self._landed.wait()
        self._in_flight += 1
        entry = self._entry
        self._room.presence.send(entry.member)
        # A browser's ids must never be taken for a developer's, hence the prefix.
        cid = f"b:{frame.cid}"
        said = entry.member, frame.text, cid, entry.page, entry.waits
        command = commands.Say(*said, typed=frame.typed)
        try:
            entry.log.put(entry.room, command, partial(self._answer, frame.cid))
        except StoreError as exc:
            self._refuse(frame.cid, exc)

    def press_done(self, frame: protocol.Done) -> None:
        """Store that the person is done; the room's state tells them, or a refusal."""
        command = commands.PressDone(self._entry.member)
        try:
            self._entry.log.put(self._entry.room, command, partial(self._pressed, frame.cid))
        except StoreError as exc:
            self._say_refused(frame.cid, exc)

    def _pressed(self, cid: str, outcome: Outcome | None, error: BaseException | None) -> None:
        if error is not None:
            self._say_refused(cid, error)

    def end(self) -> None:
        """Hear no more of messages that are held."""
        for end in self._heard_pages.values():
            end()

    def _answer(self, cid: str, outcome: Outcome | None, error: BaseException | None) -> None:
        if error is not None:
            self._refuse(cid, error)
        elif outcome is not None:
            self._land()
            self._tell_of(cid, outcome.of_message)

    def _tell_of(self, cid: str, became: Event) -> None:
        """Tell the page the outcome of its message; if it is held, wait for that."""
        if became.kind == "submitted":
            self._await(cid, became)
        elif became.kind == "withheld":
            code = became.data["code"]
            # a newer version may have stored a code that has no sentence here
            say = self._words[code if code in SENTENCES else "not_accepted"]
            self._reply(protocol.refused(cid, code, say))
        else:
            self._acks.append((cid, became.seq))
            self._wake()

    def _await(self, cid: str, sent: Event) -> None:
        """Wait for the outcome of a held message, which its page's session transforms."""
        message, own = HeldMessage.of(sent), self._entry.page
        self._held[message.seq] = cid
        for each in {message.page, own} - self._heard_pages.keys():
            self._heard_pages[each] = self._room.follow_page(each, self._hear_pages)
        room = self._entry.room
        if message.page != own:  # the page was reloaded, and its old session may be gone
            self._entry.log.put(room, message.resubmit(own), partial(_note, room, message.seq))

    def _hear_pages(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind not in ("message", "withheld"):
                continue
            cid = self._held.pop(event.data.get("submitted", 0), None)
            if cid is not None:
                self._tell_of(cid, event)

    def _land(self) -> None:
        self._in_flight -= 1
        self._landed.set()

    def _refuse(self, cid: str, error: BaseException) -> None:
        self._land()
        self._say_refused(cid, error)

    def _say_refused(self, cid: str, error: BaseException) -> None:
        room = self._entry.room.id  # who it is stands in no log
        if not isinstance(error, Refused | StoreError):
            logger.error("a message in room %r could not be stored", room, exc_info=error)
            error = Refused("store_broken")
        logger.warning("refused a message of somebody in room %r: %s", room, error.code)
        metrics.refused("message", error.code)
        say = self._words.refusal(error)
        if error.code.startswith("store_"):
            say = f"{self._words['not_stored']} {say}"
        self._reply(protocol.refused(cid, error.code, say))


def _note(room: LogKey, seq: int, outcome: Outcome | None, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            "held message %d of room %r could not be passed to the session of its reloaded page",
            *(seq, room.id),
            exc_info=error,
        )
