"""
A lab's bus in one process: a thread that keeps a connection, and connects again.

The log is the truth, so a bus may lose whatever it likes. Bells only say that it is time to look at
the log, which is done now and then in any case.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any
from weakref import WeakSet

from shiny_labchat import metrics
from shiny_labchat.bus.base import BusDown, Message, Transport
from shiny_labchat.bus.messages import (
    BEATS,
    BELLS,
    decoded,
    encoded,
    rooms_in,
    rooms_of,
    topic_of,
)
from shiny_labchat.bus.outbox import Outbox
from shiny_labchat.bus.subscriber import Subscriber
from shiny_labchat.concurrency import first_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import LabChatError

__all__ = ["BEAT", "MISSED_BEATS", "Bus"]

logger = logging.getLogger("shiny_labchat")

BEAT = 1.0
"""Pause between two messages of a process to itself, in seconds."""
MISSED_BEATS = 3
"""So many of them without an answer, and the bus counts as gone. A hung server says nothing."""
PAUSE = 0.005
"""Shortest time between two times of sending, in seconds; what comes meanwhile is sent together."""
PATIENCE = 3.0
"""How long connecting and sending may take, in seconds."""
RETRY_DELAY = 0.25
"""Pause before it connects again, in seconds."""
SAY_AGAIN = 10.0
"""Pause before the log says another reason why it does not work, in seconds."""
CLOSING = 2.0
"""How long it may take to send what waits when the process ends, in seconds."""


class Bus:
    """
    Tells the other processes of a lab of new events, and subscribers of messages.

    All methods may be called in any thread.

    Parameters
    ----------
    name
        How it is called in the server's log: no secrets.
    make
        Makes a connection.
    lab
        Gives the lab's name, which all of its processes know, and nobody else.

    Attributes
    ----------
    name
        As given.
    id
        The id of this process.
    is_up
        Whether it works: this process hears itself.
    delay
        How long its last message to itself has taken, in seconds; None: none has come yet.
    """

    def __init__(
        self, name: str, make: Callable[[], Transport], lab: Callable[[], Awaitable[str]]
    ) -> None:
        self.name = name
        self._make = make
        self._lab = lab
        self._on_bells: Callable[[Mapping[LogKey, int]], None] = _nothing
        self._on_change: Callable[[bool], None] = _nothing
        self._begin()
        _buses.add(self)

    def _begin(self) -> None:
        self.id = secrets.token_hex(6)
        self.is_up = False
        self.delay: float | None = None
        self._outbox = Outbox(self.id)
        self._lock = threading.Lock()
        self._topics: dict[str, dict[Subscriber, None]] = {}
        self._bells: set[str] = set()
        self._changed: dict[str, bool] = {}
        self._subscribers: WeakSet[Subscriber] = WeakSet()
        self._numbers = count(1)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._is_closing = False
        self._trouble = ""
        self._said_at = float("-inf")
        self._beat = 0
        self._beat_at = 0.0
        self._missed = 0

    def __repr__(self) -> str:
        return f"Bus({self.name!r})"

    @property
    def topics_to_tell(self) -> int:
        """Of how many topics the server is still to be told that they are wanted, or no more."""
        return len(self._changed)

    def attach(
        self, on_bells: Callable[[Mapping[LogKey, int]], None], on_change: Callable[[bool], None]
    ) -> None:
        """
        Call functions in the bus's thread.

        Parameters
        ----------
        on_bells
            Called with rooms in which others have stored events, and their newest seqs; with none:
            in any.
        on_change
            Called when it works (True), and when it does not any more.
        """
        self._on_bells, self._on_change = on_bells, on_change

    def subscriber(
        self, hear: Callable[[str, str, Any], None], changed: Callable[[bool], None]
    ) -> Subscriber:
        """The running event loop's part of it; see `Subscriber`."""
        made = Subscriber(f"{self.id}.{next(self._numbers)}", self, hear, changed)
        with self._lock:
            self._subscribers.add(made)
        return made

    def start(self) -> None:
        """Connect, if that is not under way."""
        self._nudge()

    def ring(self, rooms: Mapping[LogKey, int]) -> None:
        """Tell the others that events are stored in rooms, with their newest seqs."""
        self._outbox.ring(rooms)
        self._nudge()

    def publish(self, topic: str, sender: str, payload: object) -> None:
        """Send a message to all who have subscribed to a topic; it may be lost."""
        self._outbox.put(encoded(topic, sender, payload))
        self._nudge()

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Deliver the messages of a topic to a subscriber."""
        with self._lock:
            if topic not in self._topics and topic not in self._bells:
                self._changed[topic] = True
            self._topics.setdefault(topic, {})[subscriber] = None
        self._nudge()

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Deliver the messages of a topic to a subscriber no more."""
        with self._lock:
            some = self._topics.get(topic, {})
            some.pop(subscriber, None)
            if not some and self._topics.pop(topic, None) is not None:
                if topic not in self._bells:
                    self._changed[topic] = False
        self._nudge()

    def want_bells(self, room: LogKey | None) -> None:
        """Hear of events that others store in a room; None: in any."""
        topic = BELLS if room is None else topic_of(room)
        with self._lock:
            if topic not in self._bells and topic not in self._topics:
                self._changed[topic] = True
            self._bells.add(topic)

    def want_no_bells(self, room: LogKey | None) -> None:
        """Undo `want_bells`."""
        topic = BELLS if room is None else topic_of(room)
        with self._lock:
            if topic in self._bells and topic not in self._topics:
                self._changed[topic] = False
            self._bells.discard(topic)

    def close(self) -> None:
        """Send what waits, if that can be done soon, and end the thread."""
        self._is_closing = True
        if self._thread is not None:
            self._nudge()
            self._thread.join(CLOSING)
            self._thread = None

    def _nudge(self) -> None:
        """Have the thread see to what has changed; it is started if it does not run."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(self._wake.set)
            return
        with self._lock, suppress(RuntimeError):  # the interpreter ends
            if self._thread is None and not self._is_closing:
                self._thread = threading.Thread(target=self._run, name="labchat-bus", daemon=True)
                self._thread.start()

    def begin_in_child(self) -> None:
        """Begin again in a process that was forked from this one: it has none of its threads."""
        _of_parent.append((self._loop, self._thread, self._lock))
        self._begin()

    # ── the thread ──

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._keep_connected())

    async def _keep_connected(self) -> None:
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while not (self._is_closing and (self._trouble or self._outbox.is_empty)):
            try:
                await self._be_connected()
            except Exception as exc:
                self._say(exc)
            self._note(is_up=False)
            self._drop()
            if not self._is_closing:
                await asyncio.sleep(RETRY_DELAY)

    def _drop(self) -> None:
        """Drop what is told anew, or sent again, once it works again."""
        self._outbox.drop()
        with self._lock:
            self._changed.clear()

    async def _be_connected(self) -> None:
        transport = self._make()
        try:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._open(transport)
            except TimeoutError as exc:
                raise BusDown(f"no answer within {PATIENCE:.0f} seconds") from exc
            works = transport.run(), self._send(transport), self._hear_itself()
            await first_of(*works)
        finally:
            with suppress(Exception):
                async with asyncio.timeout(PATIENCE):
                    await transport.close()

    async def _open(self, transport: Transport) -> None:
        await transport.open(await self._lab(), self._hear)
        with self._lock:
            self._changed.clear()
            topics = {BEATS, *self._topics, *self._bells}
        await transport.subscribe(topics if transport.has_topics else {*topics, BELLS})

    async def _send(self, transport: Transport) -> None:
        """Send what waits, until all is sent and the bus is closed."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._send_waiting(transport)
            except TimeoutError as exc:
                raise BusDown(f"it takes nothing for {PATIENCE:.0f} seconds") from exc
            if self._is_closing:
                return
            sent = loop.time()
            await self._wake.wait()
            if (pause := sent + PAUSE - loop.time()) > 0:
                await asyncio.sleep(pause)

    async def _send_waiting(self, transport: Transport) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
        if more := [topic for topic, wanted in changed.items() if wanted]:
            await transport.subscribe(more)
            if transport.has_topics and not self._bells.isdisjoint(more):
                self._on_bells({})  # what was rung before was not heard
        if not transport.has_topics:
            changed.pop(BELLS, None)  # they are rung nowhere else
        if less := [topic for topic, wanted in changed.items() if not wanted]:
            await transport.unsubscribe(less)
        if messages := self._outbox.take(by_room=transport.has_topics):
            await transport.publish(messages)

    async def _hear_itself(self) -> None:
        self._missed = 0
        while True:
            self._beat += 1
            self._beat_at = asyncio.get_running_loop().time()
            self._outbox.put(encoded(BEATS, self.id, self._beat))
            self._wake.set()
            await asyncio.sleep(BEAT)
            if self._missed >= MISSED_BEATS:
                raise BusDown(f"nothing has come back for {MISSED_BEATS * BEAT:.0f} seconds")
            self._missed += 1

    def _hear(self, message: Message) -> None:
        try:
            if (found := decoded(message.data)) is not None:
                self._take(message, *found)
        except Exception:
            logger.exception("a message on the bus %s could not be taken", self.name)

    def _take(self, message: Message, sender: str, payload: Any) -> None:
        if message.topic == BEATS:
            if sender == self.id:
                self._take_beat(payload)
        elif message.topic == BELLS:
            if sender != self.id:
                self._on_bells(rooms_in(payload))
        elif (rooms := rooms_of(payload)) is not None:
            if sender != self.id and BELLS not in self._bells:
                self._on_bells(rooms)
        else:
            with self._lock:
                subscribers = [*self._topics.get(message.topic, ())]
            for subscriber in subscribers:
                if subscriber.is_over:
                    self.unsubscribe(message.topic, subscriber)
                else:
                    subscriber.deliver(message.topic, sender, payload)

    def _take_beat(self, number: Any) -> None:
        self._missed = 0
        if number == self._beat:
            self.delay = asyncio.get_running_loop().time() - self._beat_at
            metrics.bus_heard(self.delay)
        if not self.is_up:
            if self._trouble:
                logger.info("the bus %s works again", self.name)
            self._trouble = ""
            self._note(is_up=True)

    def _note(self, *, is_up: bool) -> None:
        if is_up == self.is_up:
            return
        self.is_up = is_up
        self._on_change(is_up)
        with self._lock:
            subscribers = [*self._subscribers]
        for subscriber in subscribers:
            subscriber.tell(is_up)

    def _say(self, exc: Exception) -> None:
        trouble = next(iter(f"{exc}".splitlines()), type(exc).__name__)
        now = asyncio.get_running_loop().time()
        if not self._trouble or (trouble != self._trouble and now > self._said_at + SAY_AGAIN):
            self._said_at = now
            logger.error(
                "the bus %s does not work; messages still reach other processes, but a little "
                "later, and who is here and who is typing may be wrong. Trying again: %s",
                *(self.name, trouble),
                exc_info=None if isinstance(exc, BusDown | LabChatError) else exc,
            )
        self._trouble = trouble


def _nothing(what: object) -> None:
    """What is called before `attach`."""


_buses: WeakSet[Bus] = WeakSet()
_of_parent: list[object] = []
"""What must never be closed in this process."""


def _begin_in_child() -> None:
    for bus in tuple(_buses):
        bus.begin_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_begin_in_child)
