"""Functions of the app that are called for a group, or for who leaves a lobby."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import sqlalchemy as sa

from shiny_labchat.callbacks.kinds import Step
from shiny_labchat.callbacks.worker import TRIES
from shiny_labchat.concurrency import in_thread
from shiny_labchat.domain.commands import ShowRoom
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.records import stays
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Group, StudyState
from shiny_labchat.lab.room import Room
from shiny_labchat.store import arrivals_of, find_room, steps_after
from shiny_labchat.study.person import Participant, Person
from shiny_labchat.study.study import Study

__all__ = ["AtBarrier", "OnClosing", "OnGrouping", "OnLeaving", "call", "people_of"]

Function = Callable[..., Any]


async def call(fn: Function, *args: Any) -> Any:
    """Call a function of the app's; one that is not async runs in a thread."""
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__):
        return await fn(*args)
    result = await in_thread(fn, *args)
    return await result if inspect.isawaitable(result) else result


async def people_of(study: Study, ids: Iterable[str]) -> list[Person]:
    """The people of a study with these ids, in this order."""
    ids, state = list(ids), await study.state()
    arrivals = await study.log.read(lambda conn: arrivals_of(conn, study.name, ids))
    params = {each.person: each.params for each in arrivals}
    known = [state.people[id] for id in ids if id in state.people]
    return [Person.of(study, each, params.get(each.person)) for each in known]


def _takes(room: Room, member: Member | None, step: Step) -> None:
    """What callbacks of these kinds take."""


class _Called:
    """
    A function that is called as the callback of a log.

    Parameters
    ----------
    fn
        The app's function.
    name
        Its name.
    study, lobby
        The study, and the lobby's id.
    """

    __signature__ = inspect.signature(_takes)

    def __init__(self, fn: Function, name: str, study: Study, lobby: str) -> None:
        self.__wrapped__ = fn  # by this the server's log names the app's function
        self.__qualname__ = getattr(fn, "__qualname__", name)
        self.name = name
        self.study = study
        self.lobby = lobby

    @property
    def fn(self) -> Function:
        """The app's function."""
        return self.__wrapped__


class _OfGroup(_Called):
    """A function that takes a room, and people of its group."""

    async def __call__(self, room: Room, member: Member | None, step: Step) -> None:
        state = await room.state()
        if state.lobby == self.lobby and await self.concerns(room, step):
            await self.call(room, state, step)

    async def concerns(self, room: Room, step: Step) -> bool:
        """Whether the function is called for what happened in a room of the lobby."""
        return True

    async def call(self, room: Room, state: RoomState, step: Step) -> None:
        """Call the function, if there is anybody left."""
        members = await self.members(room, state, step)
        if members:
            given = room.for_call(f"{self.name}:{step.event.seq}")
            known = given.in_condition(state.condition, state.cohort, state.round)
            await call(self.fn, known, members)

    async def members(self, room: Room, state: RoomState, step: Step) -> list[Participant]:
        """The people whom the function takes, in the order drawn for the group."""
        study = await self.study.state()
        group = study.groups.get(room.id)
        ids = group.people if group is not None else ()
        here = [id for id in self.among(ids, step) if stays(study.people[id])]
        return [
            Participant.from_person(Member.of(membership), _as_in(study, group, person))
            for person in await people_of(self.study, here)
            if (membership := state.membership(person.id)) is not None
        ]

    def among(self, people: Sequence[str], step: Step) -> Sequence[str]:
        """Those of a group whom it concerns."""
        return people


def _as_in(study: StudyState, group: Group | None, person: Person) -> Person:
    """A person as they were in a round, which may not be their last one any more."""
    if group is None or not group.cohort:
        return person
    data, part = study.data_in(group.room, study.people[person.id]), group.parts.get(person.id)
    now = {"data": data, "part": part, "room": group.room, "condition": group.condition}
    return replace(person, **now, _of_round=group.room)


class OnGrouping(_OfGroup):
    """
    A function that prepares the room of a group, which is shown when all of them have ended.

    Parameters
    ----------
    names
        Returns the names of all of them.
    """

    def __init__(
        self, fn: Function, name: str, study: Study, lobby: str, names: Callable[[], Sequence[str]]
    ) -> None:
        super().__init__(fn, name, study, lobby)
        self._names = names

    async def call(self, room: Room, state: RoomState, step: Step) -> None:
        """Call the function, once the bots are members; note how it has ended."""
        await room.create()
        try:
            await super().call(room, await room.state(), step)
        except Exception:
            if step.tries >= TRIES:
                await self._note(room.key, "failed")
            raise
        await self._note(room.key, "returned")

    async def _note(self, room: LogKey, how: str) -> None:
        names, name = tuple(self._names()), self.name
        command = ShowRoom(room.study, room.id, how, name, names, also=(room,))
        await self.study.submit(command)


class AtBarrier(_OfGroup):
    """
    A function that is called once all have recorded something of a kind.

    Parameters
    ----------
    kind
        The kind.
    """

    def __init__(self, fn: Function, name: str, study: Study, lobby: str, kind: str) -> None:
        super().__init__(fn, name, study, lobby)
        self._kind = kind

    async def concerns(self, room: Room, step: Step) -> bool:
        """Whether it is this kind."""
        return step.event.data["kind"] == self._kind

    def among(self, people: Sequence[str], step: Step) -> Sequence[str]:
        """Those who have recorded it."""
        return cast("Sequence[str]", step.event.data["people"])


class OnClosing(_OfGroup):
    """A function that is called when a room is closed for the first time."""

    async def concerns(self, room: Room, step: Step) -> bool:
        """Whether it was the first time."""

        def first(conn: sa.Connection) -> int:
            found = find_room(conn, room.key)
            closed = steps_after(conn, found[0], 0, 1, ("closed",)) if found else []
            return closed[0].seq if closed else 0

        return step.event.seq == await room.log.read(first)


class OnLeaving(_Called):
    """A function that is called with each person who leaves the lobby, and why."""

    async def __call__(self, room: Room, member: Member | None, step: Step) -> None:
        who = step.event.member
        assert who is not None
        for person in await people_of(self.study, [who]):
            await call(self.fn, person, step.event.data["reason"])
