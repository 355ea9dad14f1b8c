"""What the app's functions propose for a lobby, asked outside of the transaction that decides."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from shiny_labchat.arguments import check_choice
from shiny_labchat.concurrency import contained, name_of
from shiny_labchat.domain.commands import Advance, NextRound
from shiny_labchat.domain.decide import Unproposed
from shiny_labchat.domain.ends import REASONS
from shiny_labchat.domain.grouping import (
    Group,
    Waiting,
    check_cell,
    check_condition,
    check_groups,
)
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import Refused
from shiny_labchat.study.groups import call, people_of
from shiny_labchat.study.lobby_options import Functions
from shiny_labchat.study.person import Person
from shiny_labchat.study.study import Study

__all__ = ["Complaints", "WaitingPerson", "with_proposal"]

logger = logging.getLogger("shiny_labchat")

FUNCTION_TIMEOUT = 10.0
"""How long a function may take to propose something, in seconds."""
SAME_COMPLAINT = 60.0
"""Pause before the same failure is logged again, in seconds: functions are asked each second."""
AT_TIMEOUT = ("smaller", "stand_ins", "leave", "wait", *REASONS, None)
"""What a function may propose for somebody who has waited long enough."""


@dataclass(frozen=True, slots=True)
class WaitingPerson(Person):
    """
    Somebody who waits in a lobby.

    Parameters
    ----------
    waited
        For how long they have waited, in seconds.
    met
        The ids of the people with whom they were in a group of the study before.
    """

    waited: float = 0.0
    met: frozenset[str] = frozenset()

    __hash__ = Person.__hash__


class Complaints:
    """
    What the server's log says of functions that fail again and again.

    Parameters
    ----------
    lobby
        The lobby's id.
    """

    def __init__(self, lobby: str) -> None:
        self._lobby = lobby
        self._last: dict[str, float] = {}

    def note(self, what: str, error: Exception) -> None:
        """Log a failure, unless the same one was logged lately."""
        text, now = f"{what}: {error}", time.monotonic()
        if now - self._last.get(text, -SAME_COMPLAINT) < SAME_COMPLAINT:
            return
        self._last = {each: at for each, at in self._last.items() if now - at < SAME_COMPLAINT}
        self._last[text] = now
        is_refused = isinstance(error, Refused | ValueError)
        logger.error(
            "lobby %r: %s failed: %s",
            self._lobby,
            what,
            error,
            exc_info=None if is_refused else error,
        )


async def with_proposal(
    command: Advance | NextRound,
    needs: Unproposed,
    functions: Functions,
    study: Study,
    states: tuple[LobbyState, StudyState],
    at: int,
    complaints: Complaints,
) -> Advance | NextRound | None:
    """
    A command with what the app's function proposes.

    Where it fails, nobody is grouped by it now, and what ends by time goes on; the server's log
    says so. None: the people whom it is about cannot be read, or no round begins now.

    Parameters
    ----------
    command, needs
        The command, and what it needs.
    functions
        The app's functions.
    study
        The study.
    states
        Those of the lobby and of the study.
    at
        The time, in microseconds since 1970 (UTC).
    complaints
        Takes what fails.
    """
    asking = _Asking(functions, study, *states, at, complaints)
    try:
        if isinstance(command, NextRound):
            return await asking.next_round(command, needs.people)
        return await asking.proposed(command, needs)
    except Exception as exc:
        complaints.note(f"the function for {needs.what}", exc)
    if isinstance(command, NextRound):
        return None
    match needs.what:
        case "groups":
            return replace(command, groups=())
        case "cells" | "rounds":
            return replace(command, held=command.held | {frozenset(needs.people)})
        case _:
            return None


class _Asking:
    def __init__(
        self,
        functions: Functions,
        study: Study,
        lobby: LobbyState,
        people: StudyState,
        at: int,
        complaints: Complaints,
    ) -> None:
        self._complaints = complaints
        self._functions = functions
        self._study = study
        self._lobby = lobby
        self._people = people
        self._at = at
        self._settings = LobbySettings.of(lobby.settings)

    async def proposed(self, command: Advance, needs: Unproposed) -> Advance:
        ask = {
            "groups": self.groups,
            "cells": self.cell,
            "timeouts": self.timeout,
            "rounds": self.first_round,
        }[needs.what]
        return await ask(command, needs.people)

    async def groups(self, command: Advance, people: Sequence[str]) -> Advance:
        pick = _given("pick", self._functions.pick)
        groups = _as_ids(await self._call(pick, await self._waiting(people)))
        here = [Waiting(person, self._lobby.waits_since(person, self._at)) for person in people]
        return replace(command, groups=check_groups(groups, here, self._settings.matched))

    async def first_round(self, command: Advance, people: Sequence[str]) -> Advance:
        groups = await self._round(1, people)
        return replace(command, divisions={**(command.divisions or {}), frozenset(people): groups})

    async def next_round(self, command: NextRound, people: Sequence[str]) -> NextRound:
        return replace(command, groups=await self._round(command.after + 1, people))

    async def _round(self, number: int, people: Sequence[str]) -> list[Group]:
        rematch = _given("rematch", self._functions.rematch)
        met = {person: frozenset(self._people.met(person)) for person in people}
        who = await people_of(self._study, people)
        groups = _as_ids(await self._call(rematch, number, who, met))
        here = [Waiting(person, 0) for person in people]
        return check_groups(groups, here, self._settings.size_in_rounds, "rematch")

    async def cell(self, command: Advance, people: Sequence[str]) -> Advance:
        who, functions, settings = await self._waiting(people), self._functions, self._settings
        if functions.conditions is not None:
            cell = check_condition(await self._call(functions.conditions, who))
        else:
            balance = _given("balance", functions.balance)
            running = self._people.cells(command.lobby)
            counts = [(cell, running.count(cell)) for cell in settings.cells]
            cell = check_cell(settings.cells, await self._call(balance, who, counts))
        return replace(command, cells={**(command.cells or {}), frozenset(people): cell})

    async def timeout(self, command: Advance, people: Sequence[str]) -> Advance:
        """What each function says; one that fails leaves it to what comes next."""
        timeouts: Mapping[str, Sequence[str | None]] = command.timeouts or {}
        for person in await self._waiting(people):
            said = [await self._at_timeout(fn, person) for fn in self._functions.on_timeout]
            timeouts = {**timeouts, person.id: said}
        return replace(command, timeouts=timeouts)

    async def _at_timeout(self, fn: Callable[..., Any], person: WaitingPerson) -> str | None:
        try:
            said = await self._call(fn, person)
            check_choice("what on_timeout returns", said, AT_TIMEOUT)
            return said
        except Exception as exc:
            self._complaints.note(f"the function {name_of(fn)} for on_timeout", exc)
            return None

    async def _waiting(self, ids: Iterable[str]) -> list[WaitingPerson]:
        people = await people_of(self._study, ids)
        return [self._as_waiting(each) for each in people]

    def _as_waiting(self, person: Person) -> WaitingPerson:
        known = self._people.people[person.id]
        waits = WaitingPerson.of(self._study, known, person.params)
        assert isinstance(waits, WaitingPerson)
        waited = (self._at - self._lobby.waits_since(person.id, self._at)) / 1e6
        return replace(waits, waited=waited, met=frozenset(self._people.met(person.id)))

    async def _call(self, fn: Callable[..., Any], *args: Any) -> Any:
        async with asyncio.timeout(FUNCTION_TIMEOUT):
            with contained():
                return await call(fn, *args)


def _given(what: str, fn: Callable[..., Any] | None) -> Callable[..., Any]:
    if fn is None:
        raise LookupError(f"the lobby's log says that {what} is a function, but here is none")
    return fn


def _as_ids(groups: object) -> object:
    """Groups of ids, where the people may be given themselves."""
    if isinstance(groups, Person):
        return groups.id
    if not isinstance(groups, list | tuple):
        return groups
    return [_as_ids(each) for each in cast("Sequence[object]", groups)]
