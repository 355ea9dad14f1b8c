"""A lab, for programmes; without Shiny."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

from shiny_labchat.access import identity
from shiny_labchat.access.revoking import KINDS, Revocable, revoke_all
from shiny_labchat.arguments import StudyLike, as_id, check_choice, study_name
from shiny_labchat.bus.by_url import default_for
from shiny_labchat.callbacks.kinds import PRESENCES
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.given_network import NetworkLike, as_network
from shiny_labchat.domain.members import Member, as_member_id, as_role, as_roles
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.pseudonyms import as_pseudonym
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.scope import Scope
from shiny_labchat.lab.at import AtMoments
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.data import Data
from shiny_labchat.lab.defaults import app_folder, default_url
from shiny_labchat.lab.room import MessageFunction, PresenceFunction, Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.settings import Settings, check_rules
from shiny_labchat.store import Grant, Log, find_room, parse, rooms
from shiny_labchat.store.choosing import is_in_file
from shiny_labchat.store.sqlite import file_of
from shiny_labchat.words import Words

__all__ = ["Lab", "default_lab"]

F = TypeVar("F", bound=MessageFunction)
P = TypeVar("P", bound=PresenceFunction)


class Lab(Data, AtMoments):
    """
    The rooms of one database.

    Making one is cheap: it does no I/O and needs no event loop. All labs with the same URL share
    their database connections and their writer, however often a script runs.

    Parameters
    ----------
    url
        The database, such as ``"sqlite:///lab.db"`` or
        ``"postgresql://name:password@host/db"``. None: the environment variable
        ``LABCHAT_URL``, else the file ``labchat.db`` in the app's folder: that of the program's
        file, or the current folder for code without a file, such as a notebook.
    bus
        What tells several processes of each other: ``"nats://host:4222"``,
        ``"redis://host:6379"`` or ``"postgresql://user@host/database"``. None: the environment
        variable ``LABCHAT_BUS``, else the database itself if it is a PostgreSQL one, else none.
        "none": none in any case.
    language
        The language of all words that participants read: "en" or "de". None: "en", unless another
        Lab of this URL says something else.
    texts
        Replacements for single words, by key: ``{"too_fast": "Slow down, please."}``. The page
        "Words and languages" of the documentation lists them.

    Raises
    ------
    TypeError
        `texts` is no mapping of texts.
    ValueError
        The URL is not one of a database that can hold a lab, or the language or a key of `texts`
        is unknown; or `bus` is not the URL of a bus, or not that of the other labs of this URL.
    ImportError
        The driver of the database or of the bus is not installed.

    Notes
    -----
    Words belong to a database, in one process: of several labs with one URL, the last one that is
    made with a `language` or `texts` decides on all of its words. Pages that are open keep theirs
    until they connect again.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        bus: str | None = None,
        language: str | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = app_folder()
        runtime = Runtime.open(url or default_url(self._folder))
        self._log = runtime.log
        self._use_bus(bus)
        if language is not None or texts is not None:
            runtime.words = Words(
                "en" if language is None else language, {} if texts is None else texts
            )

    def _use_bus(self, said: str | None) -> None:
        runtime = Runtime.of(self._log)
        if said is not None:
            runtime.use_bus(said)
        elif not runtime.has_bus:
            database = self._log.url.render_as_string(hide_password=False)
            url = os.environ.get("LABCHAT_BUS") or default_for(database)
            if url is not None:
                runtime.use_bus(url)

    @property
    def url(self) -> str:
        """The database's URL, without its password."""
        return self._log.url.render_as_string()

    @property
    def folder(self) -> Path:
        """The app's folder; for this package."""
        return self._folder

    @property
    def log(self) -> Log:
        """The log behind the lab; for this package."""
        return self._log

    @property
    def words(self) -> Words:
        """The words that its participants read; for this package."""
        return Runtime.of(self._log).words

    def __repr__(self) -> str:
        return f"Lab({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lab) and other._log is self._log

    def __hash__(self) -> int:
        return hash(self._log)

    def room(
        self,
        id: str,
        *,
        study: StudyLike | None = None,
        title: str | None = None,
        rules: Rules | None = None,
        write: Role | Sequence[Role] | None = None,
        network: NetworkLike | None = None,
    ) -> Room:
        """
        A room, which is created when it is first used.

        What the code says of the room is a default: when it says something new, the room changes
        in that; what :meth:`Room.configure` has set, stays.

        Parameters
        ----------
        id
            The room's id in its study.
        study
            The study it belongs to, or its name. None: the name of the app's folder.
        title
            The title shown above the room; None: unchanged.
        rules
            The rules of the room; None: unchanged.
        write
            The role (or roles) that may write. None: unchanged; in a new room all but observers.
        network
            Who hears whom of those who take part: "full" (all hear all), "none", "ring" (everybody
            hears the one who has joined before them and the one who has joined after them),
            "star:ID" (the member with this id hears all, and all hear them), or a mapping of the
            ids of who speaks to lists of those who hear them. None: unchanged; in a new room
            "full". See :meth:`Room.connect`.

        Raises
        ------
        ValueError
            The id, the study, a role or the network is not valid.
        """
        key = LogKey(self.study_name(study), as_id("id", id))
        given = None if network is None else as_network(network)
        if rules is not None:
            check_rules(rules)
        return Room(self._log, key, Settings(title, rules, as_roles("write", write), given))

    def study_name(self, study: StudyLike | None) -> str:
        """The name of a study; None: that of the app's folder; for this package."""
        name = self._named(study)
        return as_id("study", self._folder.name or "app") if name is None else name

    def _named(self, study: StudyLike | None) -> str | None:
        """The name of a study, which must not be of another lab; None stays None."""
        if study is None:
            return None
        lab = getattr(study, "lab", self)
        if lab != self:
            raise ValueError(f"study is {study!r}, which is in another lab than {self!r}")
        return study_name(study)

    async def create_room(
        self,
        id: str,
        *,
        study: StudyLike | None = None,
        title: str | None = None,
        rules: Rules | None = None,
        write: Role | Sequence[Role] | None = None,
        network: NetworkLike | None = None,
    ) -> Room:
        """Create a room at once; see :meth:`room`. One that exists already is returned."""
        room = self.room(id, study=study, title=title, rules=rules, write=write, network=network)
        await room.create()
        return room

    async def room_exists(self, id: str, *, study: StudyLike | None = None) -> bool:
        """Whether a room exists; in a database that is not there yet, none does."""
        key = self.room(id, study=study).key
        if not self._log.exists:
            return False
        return await self._log.read(lambda conn: find_room(conn, key)) is not None

    async def rooms(self, study: StudyLike | None = None) -> list[Room]:
        """
        The rooms of a study (None: all of the lab), in order of creation.

        Raises
        ------
        StoreError
            "store_missing": there is no such database yet. Reading never makes one.
        """
        name = self._named(study)
        keys = await self._log.read(lambda conn: rooms(conn, name))
        return [Room(self._log, key, Settings()) for key in keys]

    def on_message(
        self, rooms: str | Room | Sequence[str | Room] = "*", name: str | None = None
    ) -> Callable[[F], F]:
        """
        Have a function called with every message in some rooms; a decorator.

        No page needs to be open. After a restart, and before anybody visits, the function is
        called with the first message that it has not handled. When it is first registered, it
        begins with the next message; in rooms that are created later, with their first message.

        Parameters
        ----------
        rooms
            ``"*"`` (all), a room's id, a glob such as ``"group-*"``, or several of these: rooms
            of *any* study. Or a :class:`Room`, or several, for rooms of one study.
        name
            The callback's name; None: its script's folder and name, and its qualified name. A
            function with the same name, for the same `rooms`, is replaced: so each session of an
            Express script may register it. Of several with one name for different `rooms`, only
            the last one is called in a room that all of them are for.

        Returns
        -------
        callable
            The decorator: takes ``fn(room, member, message)``, async or not, and returns it.

        Raises
        ------
        ValueError
            A room's id is not valid, or the function has no name of its own.
        TypeError
            `rooms` are not rooms, or the function has other parameters.

        Notes
        -----
        `room` is the :class:`Room`. `member` is the :class:`Member` who wrote the message, None
        for messages of the programme. `message` is a :class:`MessageText`: a `str` that has
        the attributes of the :class:`Message`, too.

        The function is called with private messages, too, and with streams when they have ended.
        It is not called with what it posts itself, what a task that it started posts, or what is
        posted elsewhere through its `room`. It is called with what other callbacks post.

        In each room the messages come one after the other, in order; rooms do not wait for each
        other. A function that is not async runs in a thread; to post from there, call
        ``asyncio.run(room.post(...))``.

        Each message is handled once, in one of the processes that serve this database. If that
        process dies meanwhile, or the function raises, it is called again, with
        ``message.is_repeat``. What must not be done twice should depend on that, or have an id:
        ``await room.post("Noted.", id=f"noted-{message.seq}")``. A function that raises is tried
        again after 0.5, 1.5 and 4.5 seconds. Then the message is passed over; the server's log
        and the room's record (kind "passed_over") say so.
        """
        scope = self._scope(rooms)

        def register(fn: F) -> F:
            Runtime.of(self._log).register(scope, fn, name, self._given)
            return fn

        return register

    def on_presence(
        self, rooms: str | Room | Sequence[str | Room] = "*", name: str | None = None
    ) -> Callable[[P], P]:
        """
        Have a function called when members of some rooms come or go; a decorator.

        In these rooms pages are asked whether they are alive, and each change is in the log (kind
        "presence"). The function continues after a restart, and is called once for each change,
        in order, as one of :meth:`on_message` is.

        Parameters
        ----------
        rooms, name
            As in :meth:`on_message`.

        Returns
        -------
        callable
            The decorator: takes ``fn(room, member, state)``, async or not, and returns it.

        Raises
        ------
        ValueError
            A room's id is not valid, or the function has no name of its own.
        TypeError
            `rooms` are not rooms, or the function has other parameters.

        Notes
        -----
        `member` is the :class:`Member`. `state` is one of

        * "here": a page of theirs is shown, and there was a key, a pointer or a message lately;
        * "idle": there was none for `Rules.idle_after` seconds;
        * "away": all their pages were hidden for `Rules.away_after` seconds;
        * "gone": no page of theirs has answered for `Rules.gone_after` seconds.

        A state counts once it has lasted for 5 seconds. Bots are always here, and never told of.
        What counts are a person's pages in any room of the study in which pages are asked.
        """
        scope = self._scope(rooms)

        def register(fn: P) -> P:
            runtime = Runtime.of(self._log)
            runtime.register(scope, fn, name, self._given, kind=PRESENCES)
            return fn

        return register

    def add_bot(self, bot: RoomBot, rooms: str | Room | Sequence[str | Room] = "*") -> None:
        """
        Have a bot take part in some rooms, from now on and after each restart.

        No page needs to be open. In rooms that are created later it is the first member; in
        rooms that exist, it becomes a member when they are next used. It reacts to messages from
        now on. If the server ends, the next one continues with the messages that the bot has not
        reacted to. Of several processes that serve this database, only one at a time runs the
        bot in a room.

        Parameters
        ----------
        bot
            A :class:`Bot`; a bot with the same id, for the same rooms, is replaced.
        rooms
            As in :meth:`on_message`.
        """
        Runtime.of(self._log).add_bot(self._scope(rooms), bot, self._given)

    def _given(self, room: LogKey, to: str) -> Room:
        return Room(self._log, room, Settings(), to)

    def _scope(self, rooms: object) -> Scope:
        return Scope(tuple(self._part(each) for each in _several(rooms)))

    def _part(self, room: object) -> str | LogKey:
        if isinstance(room, Room):
            if room.log is not self._log:
                raise ValueError(f"rooms must be in {self!r}, but {room!r} is in another lab")
            return room.key
        if callable(room):
            raise TypeError(
                f"rooms must be rooms or their ids, not {room!r}; decorate with @lab.on_message()"
            )
        return as_id("rooms", room)

    async def invite(
        self,
        member: str,
        *,
        room: str | Room | None = None,
        study: StudyLike | None = None,
        role: Role | None = None,
        pseudonym: str | None = None,
    ) -> str:
        """
        Make the token of a personal link.

        Parameters
        ----------
        member
            The id of the person who gets the link.
        room, study
            Where the link is valid; None: in all rooms of the study, or of the lab.
        role
            The person's role there, also of somebody who is a member already. None: the role that
            the page gives; else a new member is a participant, and others keep their role.
        pseudonym
            The name that others see in each room the person first comes to by the link, unless the
            page gives one; where it is taken, a number is added. None: a generated name. Who is a
            member already keeps their name: see :meth:`Room.add_member`.

        Returns
        -------
        str
            The token. Append it to the app's address: ``https://.../?labchat=TOKEN``. Everybody
            who has the link is taken for this person, so give it to nobody else.
        """
        if isinstance(room, str):
            room = self.room(room, study=study)
        grant = Grant(
            as_member_id(member),
            room.key if room else None,
            role=as_role("role", role),
            study=self._named(study),
            data={} if pseudonym is None else {"pseudonym": as_pseudonym("pseudonym", pseudonym)},
        )
        return await identity.invite(self._log, grant)

    async def revoke(
        self,
        member: str | Member,
        what: Revocable | Sequence[Revocable] = ("links", "browsers", "bookmarks"),
        *,
        study: StudyLike | None = None,
    ) -> int:
        """
        Revoke what lets a person in, as when somebody else has their link.

        Whoever is on a page that was let in by it is sent away at once, in words, and cannot come
        back by it. Nobody is removed: the person is still a member of their rooms, and comes in by
        a new link, for example. To remove them, call :meth:`Room.remove_member`.

        Parameters
        ----------
        member
            The person, or their id.
        what
            "links" (personal links), "browsers" (the keys by which their browsers, or tabs, are
            recognised) or "bookmarks", or several. Those that are made later are valid.
        study
            Only links and bookmarks that are limited to this study. None: all.

        Returns
        -------
        int
            How many there were.

        Raises
        ------
        ValueError
            `what` is none of these.
        """
        several: Sequence[Revocable] = (what,) if isinstance(what, str) else what
        for each in several:
            check_choice("what", each, tuple(KINDS))
        who, kinds = as_member_id(member), tuple(KINDS[each] for each in several)
        number, rooms = await revoke_all(self._log, who, kinds, self._named(study))
        away = commands.SendAway(who, kinds)
        await asyncio.gather(*(self._log.submit(room, away) for room in rooms))
        return number


def _several(rooms: object) -> Sequence[object]:
    if isinstance(rooms, (str, Room)) or not isinstance(rooms, Sequence):
        return (rooms,)
    several = cast("Sequence[object]", rooms)
    if not several:
        raise ValueError("rooms must name at least one room, but is empty; for all rooms give '*'")
    return several


def default_lab(folder: Path) -> Lab | None:
    """The lab of that database; None: it is a file that is not there."""
    url = default_url(folder)
    parsed = parse(url)
    return None if is_in_file(parsed) and not file_of(parsed).exists() else Lab(url)
