"""How a study is conducted while people are there: its step, and what is announced to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, cast

from shiny_labchat.arguments import as_id, check_number
from shiny_labchat.domain.commands import SetStudyStep, StudyCommand
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import Refused
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room

__all__ = ["Conducting"]

LONGEST_AFTER = 366 * 86_400
"""How long before it holds a step can be set, in seconds."""
AT_ONCE = 100
"""Most rooms that are told at the same time."""


class _Study(Protocol):
    """What this facet uses of a study."""

    @property
    def name(self) -> str: ...

    @property
    def lab(self) -> Lab: ...

    async def submit(self, command: StudyCommand) -> object: ...

    async def state(self) -> StudyState: ...


class Conducting:
    """The facet of a :class:`Study` for who conducts it."""

    def step(self: _Study) -> Awaitable[str | None] | str | None:
        """The study's step: ``await study.step()``; None: none was set."""
        return _step_of(self)

    async def set_step(self: _Study, name: str, after: float = 0) -> None:
        """
        Set the step of the whole study: one word, such as ``"groups"``.

        Every page reads it with :meth:`step`, and runs again when it is another one. It is on
        record, and survives reloads and restarts.

        Parameters
        ----------
        name
            The step.
        after
            In how many seconds it holds. Several steps can be set for later; one that is set takes
            the place of all that were to follow after it. So a step that is set for now ends what
            was planned.
        """
        check_number("after", after, least=0, most=LONGEST_AFTER)
        await self.submit(SetStudyStep(self.name, as_id("name", name), round(after * 1e6)))

    async def announce(
        self: _Study, text: str, *, condition: Any = None, room: str | Room | None = None
    ) -> int:
        """
        Post a notice without an author in the rooms of the study.

        Who is in no room does not see it.

        Parameters
        ----------
        text
            The text.
        condition
            Only in the rooms of groups with this condition: a text, or a dictionary with some or
            all of its factors. None: in all.
        room
            Only in this room, open or closed: a :class:`Room` of the study, or its id. None: in all
            that are open.

        Returns
        -------
        int
            In how many rooms it was posted.

        Raises
        ------
        Refused
            ``no_room``: there is no such room.
        """
        if not isinstance(cast(object, text), str):
            raise TypeError(f"text must be text, not {type(text).__name__}")
        rooms = await _rooms_of(self, condition, room)
        for some in _slices(rooms):
            await asyncio.gather(*(each.announce(text) for each in some))
        return len(rooms)


async def _step_of(study: _Study) -> str | None:
    return (await study.state()).steps.now(time.time_ns() // 1000)


async def _rooms_of(study: _Study, condition: Any, only: str | Room | None) -> list[Room]:
    """The rooms that are told something; only those that are open, if none is named."""
    rooms = await study.lab.rooms(study) if only is None else [_named(study, only)]
    found: list[Room] = []
    for some in _slices(rooms):
        states = await asyncio.gather(*(each.state() for each in some))
        for each, state in zip(some, states, strict=True):
            if only is not None and state.seq == 0:
                raise Refused("no_room", each.id)
            is_meant = condition is None or _has(state.condition, condition)
            if is_meant and (state.is_open or only is not None):
                found.append(each)
    return found


def _named(study: _Study, room: str | Room) -> Room:
    if not isinstance(room, Room):
        return study.lab.room(room, study=study)
    if (room.log, room.study) != (study.lab.log, study.name):
        raise ValueError(f"room is {room!r}, which is not in study {study.name!r} in {study.lab!r}")
    return room


def _has(condition: Any, wanted: Any) -> bool:
    """Whether a condition is the one that is wanted, or has all factors that are."""
    if isinstance(condition, Mapping) and isinstance(wanted, Mapping):
        return cast("Mapping[str, Any]", wanted).items() <= cast("Any", condition).items()
    return condition == wanted


def _slices(rooms: Sequence[Room]) -> list[Sequence[Room]]:
    return [rooms[at : at + AT_ONCE] for at in range(0, len(rooms), AT_ONCE)]
