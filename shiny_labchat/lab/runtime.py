"""
The objects that this process keeps for each lab, and its background work for all of them.

No other module of this package keeps an object for each database.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Literal, Protocol, cast
from weakref import WeakKeyDictionary

from shiny_labchat.access.ends import EndLink
from shiny_labchat.access.shared_secrets import find_secret, shared_secret
from shiny_labchat.bus import Bus, transport_for
from shiny_labchat.bus.by_url import shown
from shiny_labchat.caches import BoundedCache
from shiny_labchat.callbacks.kinds import MESSAGES, PRESENCES, TALK, Kind, Step
from shiny_labchat.callbacks.registry import Timetable
from shiny_labchat.callbacks.scheduler import CallbackScheduler, RoomOf
from shiny_labchat.callbacks.skipping import Skip
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import MessageText
from shiny_labchat.domain.scope import Scope
from shiny_labchat.errors import LabChatError, StoreError
from shiny_labchat.lab.bot_registry import CALLBACK, BotRegistry, RoomBot
from shiny_labchat.lab.duties import Duties
from shiny_labchat.lab.forgetting import Forgetting
from shiny_labchat.lab.settings import Settings
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Log, parse
from shiny_labchat.streams import remote
from shiny_labchat.streams.commits import StreamCommits
from shiny_labchat.words import ENGLISH, Words

__all__ = [
    "Runtime",
    "address_of",
    "is_serving",
    "live_rooms",
    "opened_logs",
    "running",
    "words_of",
]

logger = logging.getLogger("shiny_labchat")

SWEEP = 3.0
"""Pause between two searches of all rooms for streams whose server has ended, in seconds."""
RESUME = 60.0
"""Pause between two searches for people whom no process watches any more, in seconds."""
CLOCKS = 10.0
"""Pause between two searches for rooms whose time is over and nobody has open, in seconds."""
DUTIES = 1.0
"""Pause between two looks whether somebody has asked for their data to be deleted, in seconds."""
ROOMS_CREATED = 20_000
"""Rooms that a process remembers to have created; others are created again, which does nothing."""
NO_BUS = "none"
"""What is said instead of a bus's URL where there shall be none."""
BUS_SECRET = "bus"
"""The name of the secret that a lab's name on a bus is made of."""
DRAIN_TIMEOUT = 5.0
"""How long a stopping server waits until its streams are stored, in seconds."""


AddressOf = Callable[[Log, EndLink], Awaitable[str | None]]
"""Gives the address that somebody goes to who has ended; it must change nothing."""


class Driver(Protocol):
    """What has a lobby advance in this process."""

    def start(self) -> None:
        """Start in the running event loop, if it has not started in another."""
        ...

    async def stop(self, seconds: float) -> None:
        """Stop within `seconds`; `start` begins again."""
        ...


class ClosableStream(Protocol):
    """A stream that this process runs."""

    def close(self, how: Literal["interrupted"]) -> Coroutine[Any, Any, None]:
        """End it, and store its content."""
        ...


class Runtime:
    """
    The objects that this process keeps for one lab. Use :meth:`open`, or :meth:`of`.

    Parameters
    ----------
    log
        The lab's log.

    Attributes
    ----------
    scheduler
        What calls the callbacks; None: none has been registered yet.
    bots
        The bots of its rooms.
    words
        The words that its participants read.
    study_words
        By study, the language and the texts that its code gives for its own participants.
    address_of
        Gives the address that somebody goes to who has ended; None: it has none.
    created
        The rooms that this process has created or configured, and with which settings.
    drivers
        By the key of a lobby's log, what has it advance.
    described
        By study, the settings in the code that this process has applied.
    streams
        The streams that this process runs, in any of its event loops.
    own_streams
        The same streams, by their rooms and seqs, as soon as they are in the log.
    duties
        What is to be done for people who have withdrawn, and when a day has come.
    forgetting
        What is to be forgotten when somebody has withdrawn in any process.
    tasks
        Tasks that must run to their end, even if nobody waits for them any more.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self.bots = BotRegistry()
        self.words = ENGLISH
        self.study_words: dict[str, tuple[str | None, Mapping[str, str] | None]] = {}
        self.address_of: AddressOf | None = None
        self.created: BoundedCache[LogKey, Settings] = BoundedCache(ROOMS_CREATED)
        self.drivers: dict[LogKey, Driver] = {}
        self.described: dict[str, Mapping[str, Any]] = {}
        self.streams: set[ClosableStream] = set()
        self.own_streams: set[tuple[LogKey, int]] = set()
        self.tasks = Tasks(repr(log))
        self.duties = Duties(log)
        self.forgetting = Forgetting(log, lambda: self._live)
        self.scheduler: CallbackScheduler | None = None
        self._bus_url: str | None = None
        self._live: WeakKeyDictionary[asyncio.AbstractEventLoop, LiveRooms] = WeakKeyDictionary()
        self._commits: WeakKeyDictionary[asyncio.AbstractEventLoop, StreamCommits] = (
            WeakKeyDictionary()
        )

    @classmethod
    def open(cls, url: str) -> Runtime:
        """The runtime of a database's lab: one for each URL in a process. No I/O yet."""
        parsed = parse(url)
        with _lock:
            for known in _runtimes.values():
                if known.log.url == parsed and not known.log.is_closed:
                    return known
            log = Log(parsed)
            if _serving:
                log.serve()
            atexit.register(log.close)
            _runtimes[log] = cls(log)
            return _runtimes[log]

    @classmethod
    def of(cls, log: Log) -> Runtime:
        """The runtime of a log's lab."""
        known = _runtimes.get(log)
        if known is None:
            with _lock:
                known = _runtimes.setdefault(log, cls(log))
        return known

    # ── the bus ──

    @property
    def has_bus(self) -> bool:
        """Whether it was said which bus is used, or that there is none."""
        return self._bus_url is not None

    def use_bus(self, url: str) -> None:
        """
        Tell the other processes of the lab of what happens here over a bus.

        Parameters
        ----------
        url
            The bus; "none": there is none.

        Raises
        ------
        ValueError
            It is not the URL of a bus, or labs of this database use another one.
        ImportError
            Its driver is not installed.
        """
        if url == self._bus_url:
            return
        if self._bus_url is not None:
            raise ValueError(
                f"bus: the labs of {self.log.url.render_as_string()} use another one already, "
                f"{_name_of_bus(self._bus_url)}; say the same everywhere in a process"
            )
        if url != NO_BUS:
            self.log.use_bus(Bus(shown(url), transport_for(url), self._name_on_bus))
        self._bus_url = url

    async def _name_on_bus(self) -> str:
        """What the lab is called on a bus: other labs, and other people, do not know it."""
        found = await self.log.read(lambda conn: find_secret(conn, BUS_SECRET))
        if found is None:
            found = await self.log.write(lambda conn, now: shared_secret(conn, BUS_SECRET, now))
        return f"labchat-{blake2b(found, digest_size=12).hexdigest()}"

    # ── live rooms ──

    @property
    def live(self) -> LiveRooms:
        """The live rooms in the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._live:
            self._live[loop] = LiveRooms(self.log, self._asks_presence)
        return self._live[loop]

    def _asks_presence(self, room: LogKey) -> bool:
        return self.scheduler is not None and self.scheduler.has(PRESENCES, room)

    # ── callbacks and bots ──

    def register(
        self,
        scope: Scope,
        fn: Callable[..., Any],
        name: str | None,
        room_of: RoomOf,
        skip: Skip | None = None,
        kind: Kind = MESSAGES,
        timetable: Timetable | None = None,
    ) -> None:
        """
        Have a function called with every message in some rooms, or with another kind of events.

        Parameters
        ----------
        scope
            The rooms.
        fn
            The function; it takes what the kind says.
        name
            The callback's name; None: its script and its qualified name.
        room_of
            Makes the rooms that the function takes; it is not called with what they post.
        skip
            Decides for which messages it is not called; None: it is called for all.
        kind
            What it is called with.
        timetable
            The moments of rooms' times at which it is called; None: there are none.
        """
        if self.scheduler is None:
            self.scheduler = CallbackScheduler(self.log, room_of)
        self.scheduler.register(scope, fn, name, skip, kind, timetable)

    def start_callbacks(self) -> None:
        """Start the callbacks, if there are any, unless they were stopped."""
        if self.scheduler is not None and not self.scheduler.is_over:
            self.scheduler.start()

    def add_bot(self, scope: Scope, bot: RoomBot, room_of: RoomOf) -> None:
        """
        Have a bot react in some rooms, from now on and after each restart; see `Lab.add_bot`.

        A bot with the same id, for the same rooms, is replaced. Bots are called as callbacks are.
        """
        if not isinstance(cast(object, getattr(bot, "id", None)), str):
            raise TypeError(f"bot must be a Bot, such as Bot('helper', respond=...), not {bot!r}")

        async def react(room: Any, member: Member | None, message: MessageText | Step) -> None:
            if isinstance(message, Step):
                await bot.act(room, message.event)
            else:
                await bot.react(room, message.message)

        name, moments = f"{CALLBACK}{bot.id}", bot.moments
        timetable = Timetable(moments, bot.moments_in) if moments else None
        self.register(scope, react, name, room_of, bot.skip, TALK, timetable)
        self.bots.add(scope, bot)

    # ── streams ──

    @property
    def commits(self) -> StreamCommits:
        """What stores and shows the streams that are run in the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._commits:
            self._commits[loop] = StreamCommits(self.log)
        return self._commits[loop]

    async def end_overdue(self, room: LogKey | None = None) -> None:
        """End the streams of a room (None: of all) whose server has ended."""
        await remote.end_overdue(self.log, self.own_streams, room)


def _name_of_bus(url: str) -> str:
    return url if url == NO_BUS else shown(url)


_runtimes: dict[Log, Runtime] = {}
_serving: list[None] = []
"""One item for each server that this process runs."""
_lock = threading.Lock()


def _opened() -> list[Runtime]:
    return [each for each in tuple(_runtimes.values()) if not each.log.is_closed]


def opened_logs() -> list[Log]:
    """The logs of all labs that this process has open, in the order in which it opened them."""
    return [each.log for each in _opened()]


def is_serving() -> bool:
    """Whether this process runs a server, whose pages must not wait."""
    return bool(_serving)


def live_rooms(log: Log) -> LiveRooms:
    """The live rooms of a lab in the running event loop."""
    return Runtime.of(log).live


def words_of(log: Log | None, study: str | None = None) -> Words:
    """
    The words of a lab, or of a study of it.

    None: of the first open lab that has its own, as it is not known yet which one it is.
    """
    if log is not None:
        runtime = Runtime.of(log)
        own = None if study is None else runtime.study_words.get(study)
        return runtime.words if own is None else runtime.words.replaced(*own)
    return next((each.words for each in _opened() if each.words != ENGLISH), ENGLISH)


async def address_of(log: Log, link: EndLink) -> str | None:
    """The address that somebody goes to who has ended; None: there is none."""
    found = Runtime.of(log).address_of
    return None if found is None else await found(log, link)


# ── while a server runs ──────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def running() -> AsyncGenerator[None]:
    """
    Run the background work of a server for all labs of this process.

    Callbacks and bots are called, lobbies advance, and streams whose server has ended are ended. At
    the end,
    the open streams of this process are stored as "interrupted", as nobody has stopped them.
    """
    _warn_of_workers()
    _serving.append(None)
    for runtime in _opened():
        runtime.log.serve()
    tasks = Tasks("a server")
    tasks.spawn(_open_files())
    begun = [each.scheduler for each in _opened() if each.scheduler is not None]
    for scheduler in begun:
        scheduler.start()
    for scheduler in begun:
        await scheduler.registered()
    for runtime in _opened():
        for driver in tuple(runtime.drivers.values()):
            driver.start()
    tasks.spawn(_sweep())
    tasks.spawn(_resume_presence())
    tasks.spawn(_resume_clocks())
    tasks.spawn(_do_duties())
    try:
        yield
    finally:
        _serving.pop()
        await _end_streams()
        await tasks.stop(DRAIN_TIMEOUT)
        for runtime in tuple(_runtimes.values()):
            for driver in tuple(runtime.drivers.values()):
                await driver.stop(DRAIN_TIMEOUT)
            await runtime.live.alive.stop(DRAIN_TIMEOUT)
            await runtime.live.people.stop(DRAIN_TIMEOUT)
            await runtime.live.clocks.stop(DRAIN_TIMEOUT)
            if runtime.scheduler is not None:
                await runtime.scheduler.stop()
        await _store_rest()


def _warn_of_workers() -> None:
    count = _workers(sys.argv[1:], os.environ.get("WEB_CONCURRENCY"))
    has_buses = all(each.log.bus is not None for each in _opened())
    if count > 1 and not (_opened() and has_buses):
        logger.warning(
            "the app runs in %d processes: messages reach all of them, but who is here, who is "
            "typing, and the button that stops an answer do not reach over processes without a bus "
            "(Lab(bus=), LABCHAT_BUS). One process serves hundreds of people: leave out --workers "
            "unless you need it",
            count,
        )


def _workers(arguments: Sequence[str], default: str | None) -> int:
    """The number of processes that uvicorn or gunicorn was told to run an app in."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in pairwise([*words, ""]):
        if option in ("--workers", "-w") and value.isdecimal():
            return int(value)
    return int(default) if default is not None and default.isdecimal() else 1


async def _open_files() -> None:
    """Open the databases, so that the server's log says at the start where they are."""
    for runtime in _opened():
        try:
            await runtime.log.read(lambda conn: None)
        except StoreError as exc:
            logger.error("%s", exc)


async def _sweep() -> None:
    while True:
        for runtime in _opened():
            try:
                if runtime.log.exists:
                    await runtime.end_overdue()
            except LabChatError as exc:
                logger.error(
                    "streams in %r whose server has ended could not be ended; trying again: %s",
                    *(runtime.log, exc),
                )
            except Exception:
                logger.exception(
                    "streams in %r whose server has ended could not be ended; trying again",
                    runtime.log,
                )
        await asyncio.sleep(SWEEP)


async def _resume_presence() -> None:
    while True:
        for runtime in _opened():
            try:
                if runtime.log.exists:
                    await runtime.live.alive.resume()
            except LabChatError as exc:
                logger.error("who was in the rooms of %r is not known: %s", runtime.log, exc)
        await asyncio.sleep(RESUME)


async def _resume_clocks() -> None:
    while True:
        for runtime in _opened():
            try:
                if runtime.log.exists:
                    await runtime.live.clocks.resume()
            except LabChatError as exc:
                logger.error("rooms of %r may be open too long: %s", runtime.log, exc)
        await asyncio.sleep(CLOCKS)


async def _do_duties() -> None:
    while True:
        for runtime in _opened():
            try:
                await runtime.duties.do()
                await runtime.forgetting.look()
            except Exception:
                logger.exception("withdrawals in %r are not done; trying again", runtime.log)
        await asyncio.sleep(DUTIES)


async def _store_rest() -> None:
    """Wait until all commands are stored: a service manager may kill the process soon."""
    for log in opened_logs():
        if not log.is_writing:
            continue
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await log.settled()
        except StoreError as exc:
            logger.error("the server stops, and commands may not be stored: %s", exc)
        except TimeoutError:
            logger.error("the server stops, and %d commands wait in %r", log.waiting, log)


async def _end_streams() -> None:
    streams = [stream for runtime in tuple(_runtimes.values()) for stream in runtime.streams]
    if ends := [asyncio.ensure_future(stream.close("interrupted")) for stream in streams]:
        await asyncio.wait(ends, timeout=DRAIN_TIMEOUT)
