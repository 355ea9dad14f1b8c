"""A lobby, for programmes; without Shiny."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, cast, overload

from shiny_labchat.arguments import (
    StudyLike,
    as_id,
    check_choice,
    check_count,
    check_function,
)
from shiny_labchat.callbacks.kinds import BARRIERS_MET, CLOSED, GROUPED, LEFT, Kind
from shiny_labchat.callbacks.registry import own_name
from shiny_labchat.domain.commands import EnterLobby
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.given_network import NetworkLike
from shiny_labchat.domain.grouping import Leftover, cells
from shiny_labchat.domain.lobby_settings import BY_APP
from shiny_labchat.domain.rules import Rules, bot_given, replacing_bot
from shiny_labchat.domain.scope import Scope
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.settings import Settings
from shiny_labchat.study.driver import driver_of
from shiny_labchat.study.group_bots import (
    GroupBot,
    ShownBot,
    by_condition,
    group_bots,
    replacing_bots,
    stand_ins_by_condition,
)
from shiny_labchat.study.groups import AtBarrier, OnClosing, OnGrouping, OnLeaving
from shiny_labchat.study.lobby_options import checked, rooms_glob
from shiny_labchat.study.study import Study

__all__ = ["Lobby"]

F = TypeVar("F", bound=Callable[..., Any])


class Lobby:
    """
    Where the people of a study wait until there is a group for them.

    Making one is cheap: it does no I/O and needs no event loop, however often a script runs. What
    the code says is stored, as a default: it takes effect when it is something new. While a server
    runs, groups are formed by themselves; each gets a room.

    Parameters
    ----------
    id
        Its id in the study.
    study
        The study, or its name. None: the name of the app's folder.
    group_size
        How many people make a group: a number, or ``(min, ideal, max)``.
    settle
        How long, in seconds, the smallest group waits for becoming an ideal one.
    pick
        Who is grouped first: by "arrival", at "random", or as a function says: it takes the list of
        the people who wait (each a :class:`Person` with `waited`, in seconds, and `met`, the ids of
        those they were grouped with before), and returns a list of groups, each a list of people
        or their ids. It is asked again and again, each second, and what it returns is checked.
    batch
        So many people are waited for, then divided at random. None: groups are formed one by one.
    opens
        When the first groups are formed: a datetime with a time zone. None: at once.
    capacity
        So many people get a place; those who come later end with "full". None: no limit.
    start
        "auto", or "code": groups are formed only when :meth:`start` is called.
    conditions
        What is varied from group to group: a list of texts; or a dictionary of factors with lists
        of values, which are crossed. Or a function that takes the list of the people of a group and
        returns its condition, a text or a dictionary.
    balance
        How the condition of a group is drawn, from the study's seed: "block" (among those with the
        fewest groups), "rotate" (in turn), "random"; or a function that takes the list of the
        people of the group, and a list of tuples of each condition and its number of groups, and
        returns a condition.
    count
        Which groups balance counts: those that are "running", or have ended without being
        dissolved. A group that is dissolved gives its condition back.
    parts
        How many people of a group have which part, such as ``{"buyer": 1, "seller": 1}``.
    avoid
        Whether people who were in a group of this study before are grouped again: "prefer" others,
        "never", or None, which means that it does not matter. "never" may keep people waiting.
    max_wait
        How long somebody waits at most, in seconds.
    extends, extend
        How often people may choose to wait longer, and for how many seconds each time.
    on_timeout
        What is tried in this order for who has waited long enough: "smaller" (a group with whoever
        is there), "stand_ins" (a group with whoever is there, and `stand_ins` in the places that
        are empty in the smallest group), "leave" (their part in the study ends with
        "lobby_timeout", also when nothing else is left), or a function. It takes the person, and
        returns "smaller", "stand_ins", "leave", "wait" (`extend` seconds longer), a reason with
        which they end, or None, for what comes next.
    ready
        When a group is there, its people have so many seconds to say that they are, too. None: they
        are not asked. Who does not answer twice ends with "not_ready".
    on_not_ready
        What becomes of the others then: "requeue_others" puts them to the front of the line.
    alive
        Who is grouped must have answered within so many seconds: pages are asked by the server.
    grace
        Who has not answered for so many seconds loses their place. They may come again.
    idle_prompt
        After so many seconds without a key or a pointer people are asked whether they are there,
        and have so many seconds to answer; else they end with "idle". None: they are not asked.
    sound, blink_title
        Whether a sound, and the page's title, tell people that their group is there.
    show_count, show_wait
        Whether people see how many are waiting, and how long they wait at most.
    bots
        The bots that are members of every group: a list, lists by condition, or a function that
        takes the condition and returns a list. It is called when the lobby is made, once for each
        condition.
    stand_ins
        The bots that fill empty places at a time-out, as in `bots`, the first ones first; and
        those that `Rules(on_gone=)` names. People are not shown how many wait then: it would tell
        them who is a program.
    rooms
        The ids of the groups' rooms. None: ``"{lobby}-{n}"``; in rounds
        ``"{lobby}-c{cohort}-r{round}"``, and where a cohort has several groups, the number of the
        group in the round follows, as in ``"lobby-c1-r2-3"``.
    names
        "room": people have another pseudonym in each room. "study": they have one in all groups
        of the study. "ask": so, and they choose it before they wait; nobody else can have it.
    network
        Who hears whom in a group: "full" (all hear all), "none", "ring" (everybody hears the one
        before them and the one after them), "star:ID", or a mapping of who speaks to a list of
        those who hear them. People are named by their part, or by their number in the order drawn
        for the group, from 0 on; bots by their ids. See `Room.connect`.
    rules, title
        The rules and the title of the rooms.
    cohort
        So many people are brought together, and are grouped among themselves in each round. They
        have one condition. None: each group is a cohort of its own.
    rounds
        How many rounds there are. In each, every group has a new room.
    rematch
        Who is with whom from round to round. "partners": the groups stay as they are. "strangers":
        they are drawn anew from the seed, and nobody is with somebody of their last group, wherever
        that is possible. "perfect": nobody meets anybody twice; if there are not so many such
        rounds, the lobby is refused, with the number that there can be. Or a function that takes
        the number of the round, the list of the people (each a :class:`Person`), and a dictionary
        by their ids of the ids of those whom each has met in the study. It returns a list of
        groups, each a list of people or their ids; who is in none sits this round out.
    next_on
        What each records, such as the kind of a form, for the next round to begin once all of the
        cohort have. None: it begins when :meth:`next_round` is called.
    within
        How long the first one who has recorded it waits for the others, in seconds; if the rooms
        have a duration, from when that must be over. Then the next round begins, and who has done
        nothing meanwhile ends with "idle".
    short
        What becomes of the others when somebody has left. "smaller": groups may be smaller from
        the next round on, with two people at least, and all parts. "stand_in": bots of
        `stand_ins` fill the places that are empty, in all rounds. "sit_out": groups keep their
        size, and who is left over has no group in a round; others in the next one. "end": those
        who were with somebody who left end with "group_dissolved" when the round is over. Who
        cannot be in any group any more ends so, too.
    identity
        How people are known again who have neither a personal link nor come from a recruiter: as
        their "browser", their "tab", or only by a "link".
    lab
        The lab of the study; None: `Lab()`, or that of the study.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be.
    """

    def __init__(
        self,
        id: str,
        *,
        study: StudyLike | None = None,
        group_size: int | Sequence[int] = 2,
        settle: float = 20,
        pick: Literal["arrival", "random"] | Callable[..., Any] = "arrival",
        batch: int | None = None,
        opens: datetime | str | None = None,
        capacity: int | None = None,
        start: Literal["auto", "code"] = "auto",
        conditions: Sequence[str] | Mapping[str, Sequence[Any]] | Callable[..., Any] | None = None,
        balance: Literal["block", "rotate", "random"] | Callable[..., Any] = "block",
        count: Literal["running"] = "running",
        parts: Mapping[str, int] | None = None,
        avoid: Literal["prefer", "never"] | None = "prefer",
        max_wait: float = 300,
        extends: int = 1,
        extend: float = 120,
        on_timeout: Sequence[Any] = ("leave",),
        ready: float | None = 15,
        on_not_ready: Literal["requeue_others"] = "requeue_others",
        alive: float = 10,
        grace: float = 60,
        idle_prompt: Sequence[float] | None = (120, 15),
        sound: bool = True,
        blink_title: bool = True,
        show_count: bool = True,
        show_wait: bool = True,
        bots: Sequence[ShownBot] | Mapping[Any, Sequence[ShownBot]] | Callable[..., Any] = (),
        stand_ins: Sequence[ShownBot] | Mapping[Any, Sequence[ShownBot]] | Callable[..., Any] = (),
        rooms: str | None = None,
        names: Literal["room", "study", "ask"] = "room",
        network: NetworkLike = "full",
        rules: Rules | None = None,
        title: str | None = None,
        cohort: int | None = None,
        rounds: int = 1,
        rematch: Literal["partners", "strangers", "perfect"] | Callable[..., Any] = "partners",
        next_on: str | None = None,
        within: float = 120,
        short: Literal["smaller", "sit_out", "stand_in", "end"] = "smaller",
        identity: Literal["browser", "tab", "link"] = "browser",
        lab: Lab | None = None,
    ) -> None:
        given = dict(locals())
        self._id = as_id("id", id)
        self._study = self._as_study(study, lab)
        self._study.have_lobby()
        self._settings, functions = checked(given)
        made = self._as_bots(bots, stand_ins, rules)
        self._driver = driver_of(self._runtime, self._study.name, self._id)
        self._driver.take(self._study, self._settings, functions)
        self._add_bots(made)
        if avoid == "never":
            self._driver.say_once("people may wait in vain, as avoid is 'never'")
        if not self._driver.is_over:
            self._driver.start()

    def _as_study(self, study: StudyLike | None, lab: Lab | None) -> Study:
        if isinstance(study, Study):
            if lab is not None and lab != study.lab:
                raise ValueError(f"lab is {lab!r}, but the study is in {study.lab!r}")
            return study
        lab = Lab() if lab is None else lab
        return self._new_study(lab.study_name(study), lab)

    def _new_study(self, name: str, lab: Lab) -> Study:
        """A study of which only the name is given."""
        return Study(name, lab=lab)

    def _as_bots(self, bots: object, stand_ins: object, rules: Rules | None) -> list[GroupBot]:
        conditions = self._settings["conditions"]
        known = None if conditions == BY_APP else cells(conditions)
        members = by_condition("bots", bots, known)
        fill = by_condition("stand_ins", stand_ins, known)
        self._settings["stand_ins"] = stand_ins_by_condition(members, fill)
        if "stand_ins" in self._settings["on_timeout"] and not fill:
            raise ValueError("on_timeout has 'stand_ins', but the lobby has none: give stand_ins")
        replacing = self._replacing(rules or Rules(), [*members, *fill])
        if replacing:
            self._study.replace()
        return group_bots(self._id, members, fill, replacing)

    def _replacing(
        self, rules: Rules, known: Sequence[tuple[Any, ShownBot]]
    ) -> Mapping[str, ShownBot]:
        """The bot that takes the places of others, by the ids that it may have in a room."""
        name = replacing_bot(rules)
        if name is None:
            return {}
        named = next((bot for _, bot in known if bot.id == name), None)
        bot = cast("ShownBot | None", bot_given(rules)) or named
        if bot is None:
            raise ValueError(
                f"on_gone is 'bot:{name}', but the lobby has no bot {name!r}: give it in "
                "stand_ins, or the bot itself as on_gone"
            )
        return replacing_bots(bot, self._settings["group_size"][2])

    def _add_bots(self, made: Sequence[GroupBot]) -> None:
        for bot in made:
            self._runtime.add_bot(self._scope, bot, self._room_of)
        if not all(bot.is_disclosed for bot in made):
            self._study.deceive()

    @property
    def id(self) -> str:
        """Its id in the study."""
        return self._id

    @property
    def study(self) -> Study:
        """Its study."""
        return self._study

    @property
    def lab(self) -> Lab:
        """The lab of its study."""
        return self._study.lab

    @property
    def key(self) -> LogKey:
        """The key of its log; for this package."""
        return lobby_log(self._study.name, self._id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._id!r}, study={self._study.name!r})"

    @property
    def _runtime(self) -> Runtime:
        return Runtime.of(self._study.log)

    @property
    def _scope(self) -> Scope:
        """The rooms of its groups; those of other lobbies may match, too."""
        return Scope((rooms_glob(self._settings["rooms"], self._id),), self._study.name)

    def _room_of(self, room: LogKey, name: str) -> Room:
        return Room(self._study.log, room, Settings(), name)

    # ── for programmes ──

    async def describe(self) -> None:
        """
        Store what the code says of the lobby, and of its study, if it is something new.

        This happens by itself when a server starts, and before the lobby is first used.

        Raises
        ------
        Refused
            ``fixed``: there are people in the study, and the groups cannot become others.
        """
        await self._driver.describe()

    async def enter(self, person: str) -> None:
        """Have somebody wait here, unless they have a place; for this package."""
        await self._describe_once()
        await self._study.submit(EnterLobby(self._study.name, self._id, person))

    async def _describe_once(self) -> None:
        """As `describe`; what is refused, which the server's log says, stays as it was before."""
        await self._driver.describe_again()

    async def start(
        self, leftover: Leftover = "spread", *, who: Literal["lobby", "study"] = "lobby"
    ) -> int:
        """
        Form groups of all who are here now.

        Parameters
        ----------
        leftover
            What becomes of those who are left over beside groups of the ideal size: "spread" them
            over the groups, as far as their sizes allow; they are a "small" group; or they "wait".
        who
            Those who wait in the "lobby"; or all people who take part in the "study", have a page
            open and have no group of this lobby, whatever their pages show.

        Returns
        -------
        int
            How many groups there are now; if there is a ready check, its people are asked first.
        """
        check_choice("leftover", leftover, ("spread", "small", "wait"))
        check_choice("who", who, ("lobby", "study"))
        await self._describe_once()
        return await self._driver.begin(leftover, everyone=who == "study")

    async def next_round(self, cohort: int, after: int | None = None) -> int | None:
        """
        Begin the next round of a cohort now.

        Nobody is waited for, and the rooms of the last round are closed.

        Parameters
        ----------
        cohort
            The number of the cohort, such as `Room.cohort`.
        after
            The number of the round that is to be the last one so far, such as `Room.round`: so a
            function that is called for each group begins one round only. None: whichever is.

        Returns
        -------
        int or None
            The number of the new round. None: there is none, as it was the last round, or another
            one has begun meanwhile, or too few people are left.

        Raises
        ------
        ValueError
            There is no such cohort.
        """
        check_count("cohort", cohort, 1)
        check_count("after", after, 1, or_none=True)
        await self._describe_once()
        return await self._driver.next_round(cohort, after)

    def waiting(self) -> Awaitable[int] | int | None:
        """The number of people who wait: ``await lobby.waiting()``."""
        return self._driver.count_waiting()

    # ── functions that are called ──

    @overload
    def after_grouping(self, fn: F, *, name: str | None = None) -> F: ...

    @overload
    def after_grouping(self, fn: None = None, *, name: str | None = None) -> Callable[[F], F]: ...

    def after_grouping(
        self, fn: F | None = None, *, name: str | None = None
    ) -> F | Callable[[F], F]:
        """
        Have a function prepare each group's room, before it is seen; a decorator.

        It is called once for each group, in one of the processes that serve the database. The
        people, and the bots, are members already. The room is shown when the function has returned,
        or has failed four times, or after 10 seconds; the log says which.

        Parameters
        ----------
        fn
            ``fn(room, members)``, async or not: the :class:`Room`, and the people of the group, in
            an order that is drawn from the seed.
        name
            Its name; None: its script's folder and name, and its qualified name. A function with
            the same name is replaced.

        Notes
        -----
        If its process dies meanwhile, it is called again. What it posts through `room` is posted
        once: the first message of the second call is that of the first call.
        """
        decorate: Callable[[F], F] = self._decorator(name, self._add_preparing, "room", "members")
        return decorate if fn is None else decorate(fn)

    @overload
    def when_closed(self, fn: F, *, name: str | None = None) -> F: ...

    @overload
    def when_closed(self, fn: None = None, *, name: str | None = None) -> Callable[[F], F]: ...

    def when_closed(self, fn: F | None = None, *, name: str | None = None) -> F | Callable[[F], F]:
        """
        Have a function called when the room of a group is closed; a decorator.

        It is called once for each room, over all processes; not if everybody has dropped out.

        Parameters
        ----------
        fn
            ``fn(room, members)``, async or not: the members are the people of the group who have
            not dropped out, without bots.
        name
            As in :meth:`after_grouping`.
        """
        decorate: Callable[[F], F] = self._decorator(name, self._add_closing, "room", "members")
        return decorate if fn is None else decorate(fn)

    def when_all(self, kind: str, *, name: str | None = None) -> Callable[[F], F]:
        """
        Have a function called once all have recorded something; a decorator.

        Nobody waits for people who have dropped out. If pages wait for it only for a while, it is
        called when that is over, for those who have recorded it.

        Parameters
        ----------
        kind
            The kind of what is recorded, such as the name of a form.
        name
            As in :meth:`after_grouping`.

        Returns
        -------
        callable
            The decorator: takes ``fn(room, members)``, async or not, and returns it. The members
            are the people who have recorded it.
        """
        as_id("kind", kind)

        def add(fn: Callable[..., Any], named: str) -> None:
            called = AtBarrier(fn, f"{named}:{kind}", self._study, self._id, kind)
            self._add(called, BARRIERS_MET, self._scope)
            self._driver.awaited.add(kind)
            self._driver.wake()

        return self._decorator(name, add, "room", "members")

    @overload
    def on_left(self, fn: F, *, name: str | None = None) -> F: ...

    @overload
    def on_left(self, fn: None = None, *, name: str | None = None) -> Callable[[F], F]: ...

    def on_left(self, fn: F | None = None, *, name: str | None = None) -> F | Callable[[F], F]:
        """
        Have a function called with each person who leaves; a decorator.

        It is called once over all processes: when somebody leaves the lobby, and when somebody
        whom it has grouped leaves the study.

        Parameters
        ----------
        fn
            ``fn(person, reason)``, async or not: a :class:`Person`, and why: a reason to leave the
            study, such as "lobby_timeout" or "complete"; "gone" for somebody who has lost their
            place, as their pages did not answer; or "moved" for whom another lobby has grouped.
        name
            As in :meth:`after_grouping`.
        """
        decorate: Callable[[F], F] = self._decorator(name, self._add_leaving, "person", "reason")
        return decorate if fn is None else decorate(fn)

    def _decorator(
        self, name: str | None, add: Callable[[Callable[..., Any], str], None], *takes: str
    ) -> Callable[[F], F]:
        def register(fn: F) -> F:
            check_function("fn", fn, *takes)
            own = own_name(fn) if name is None else as_id("name", name)
            add(fn, f"{self._study.name}/{self._id}/{own}")
            return fn

        return register

    def _add_preparing(self, fn: Callable[..., Any], name: str) -> None:
        names = self._driver.preparing
        called = OnGrouping(fn, name, self._study, self._id, lambda: names)
        self._add(called, GROUPED, self._scope)
        if name not in names:
            names.append(name)

    def _add_closing(self, fn: Callable[..., Any], name: str) -> None:
        self._add(OnClosing(fn, name, self._study, self._id), CLOSED, self._scope)

    def _add_leaving(self, fn: Callable[..., Any], name: str) -> None:
        self._add(OnLeaving(fn, name, self._study, self._id), LEFT, Scope((self.key,)))

    def _add(self, called: Any, kind: Kind, scope: Scope) -> None:
        self._runtime.register(scope, called, called.name, self._room_of, kind=kind)
