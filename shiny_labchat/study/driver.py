"""
What has a lobby advance: in each process, in one event loop.

All processes do the same, and all ask the one rule, so it does not matter which of them comes
first. What is due is decided here as the rule would decide it, without storing anything; so nothing
is written as long as nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from shiny_labchat.concurrency import Tasks, retry
from shiny_labchat.domain.commands import (
    Advance,
    Barrier,
    DescribeLobby,
    LobbySigns,
    NextRound,
    ShowRoom,
)
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.decide import MoreLogs, Unproposed, decide_together
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.grouping import Leftover
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_due import due_in_rooms, due_rounds, is_asking, next_due
from shiny_labchat.domain.logs import State
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import LabChatError, Refused, StoreError
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log, lobby_signs
from shiny_labchat.store.batch import StudyOutcome
from shiny_labchat.study.lobby_options import Functions
from shiny_labchat.study.proposing import Complaints, with_proposal
from shiny_labchat.study.study import Study

__all__ = ["LobbyDriver", "driver_of"]

logger = logging.getLogger("shiny_labchat")

LOOK_AGAIN = 1.0
"""Pause between two looks at who is there, while anybody waits, in seconds."""
LONGEST_PAUSE = 60.0
"""Longest pause before it is looked at what is due: a computer's clock may be set, in seconds."""
REST = 2.0
"""Pause after each look, in multiples of the time that it took: many who wait make it longer."""
LONGEST_REST = 0.5
"""Longest such pause, in seconds."""
RETRY_DELAY = 1.0
"""Pause before the next try when the database has failed, in seconds."""
PROPOSALS = 5
"""How often functions are asked anew at once, when what they propose does not hold any more."""


class LobbyDriver:
    """
    Has a lobby advance, and the rooms of its groups.

    Parameters
    ----------
    runtime
        What this process has open of the lab.
    key
        The key of the lobby's log.

    Attributes
    ----------
    preparing
        The names of the app's functions that prepare rooms.
    awaited
        The kinds of what is recorded for which the app has a function.
    is_over
        Whether it was stopped.
    """

    def __init__(self, runtime: Runtime, key: LogKey) -> None:
        self.preparing: list[str] = []
        self.awaited: set[str] = set()
        self.is_over = False
        self._runtime = runtime
        self._key = key
        self._study: Study | None = None
        self._settings: dict[str, Any] = {}
        self._functions = Functions()
        self._described: dict[str, Any] | None = None
        self._refused: tuple[Study, dict[str, Any]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved = asyncio.Event()
        self._tasks = Tasks(f"lobby {key.id!r}")
        self._complaints = Complaints(key.id)
        self._said: set[str] = set()
        self._began = time.monotonic()

    def take(self, study: Study, settings: dict[str, Any], functions: Functions) -> None:
        """Take what the app's code says of the lobby."""
        self._study, self._settings, self._functions = study, settings, functions
        self.wake()

    def say_once(self, what: str) -> None:
        """Have the server's log say something of the lobby, once."""
        if what not in self._said:
            self._said.add(what)
            logger.warning("lobby %r: %s", self._key.id, what)

    def wake(self) -> None:
        """Look again what is due."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._moved.set)

    # ── starting and stopping ──

    def start(self) -> None:
        """Start in the running event loop, if there is one and it has not started in another."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._loop is not None and not self._loop.is_closed():
            return
        self._loop = loop
        self.is_over = False
        self._moved = asyncio.Event()
        self._tasks = Tasks(f"lobby {self._key.id!r}")
        self._tasks.spawn(self._run(), context=Context())

    async def stop(self, seconds: float) -> None:
        """Stop within `seconds`; `start` begins again."""
        if self._loop is not asyncio.get_running_loop():
            return
        self.is_over = True
        await self._tasks.stop(seconds)
        self._loop = None

    async def _run(self) -> None:
        async for _ in retry(repeat(RETRY_DELAY)):
            try:
                await self._drive()
            except LabChatError as exc:
                logger.error("lobby %r does not go on; trying again: %s", self._key.id, exc)
            except Exception:
                logger.exception("lobby %r does not go on; trying again", self._key.id)

    async def _drive(self) -> None:
        ends: list[Callable[[], None]] = []
        logs = self._runtime.live.logs
        await self.describe_again()  # it makes the database, which may not be there yet
        try:
            for key in (study_log(self._key.study), self._key):
                ends.append((await logs.follow(key, self._moved.set))[1])
            while True:
                self._moved.clear()
                began = time.monotonic()
                await self.describe_again()
                due = await self._do_due()
                # Each person who comes moves a log: one look is for all who come meanwhile.
                await asyncio.sleep(min(LONGEST_REST, REST * (time.monotonic() - began)))
                await self._wait(due)
        finally:
            for end in ends:
                end()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass

    # ── what the code says ──

    async def describe(self) -> None:
        """
        Store what the code says of the lobby and of its study, if it is something new.

        Raises
        ------
        Refused
            ``fixed``: there are people in the study, and its groups cannot become others.
        """
        await self._its_study.describe()
        said = self._settings
        if self._described == said:
            return
        command = DescribeLobby(self._key.study, self._key.id, secrets.token_hex(8), said)
        try:
            await self._log.submit_together(command)
        except Refused as exc:
            logger.error("lobby %r cannot be as its code says: %s", self._key.id, exc.detail)
            self._described = said
            raise
        self._described = said

    async def describe_again(self) -> None:
        """As `describe`; what is refused, which is logged once, stays as it was before."""
        study, said = self._its_study, self._settings
        if self._refused is not None and self._refused[0] is study and self._refused[1] == said:
            return
        try:
            await self.describe()
        except Refused:
            self._refused = study, said

    @property
    def _its_study(self) -> Study:
        assert self._study is not None
        return self._study

    @property
    def _log(self) -> Log:
        return self._runtime.log

    # ── what is due ──

    async def _do_due(self) -> float:
        """Do what is due; return after how many seconds something may be due again."""
        known = lobby, study, signs = await self._known()
        kinds, is_prepared = self.awaited, bool(self.preparing)
        for command in due_in_rooms(self._key, study, kinds, is_prepared, _now()):
            await self._do(command)
        rounds = due_rounds(self._key.id, study, _now())
        for cohort in rounds:
            await self._advance(self._round_command(cohort.number, cohort.round), known)
        if is_asking(lobby):
            await self._advance(self._command(), known)
        due = next_due(self._key.id, lobby, study, signs, now := _now())
        left = (due - now) / 1e6 if due else LONGEST_PAUSE
        return min(left, LOOK_AGAIN if rounds or is_asking(lobby) else LONGEST_PAUSE)

    async def _do(self, command: Barrier | ShowRoom) -> None:
        try:
            if isinstance(command, ShowRoom):  # the bots are members before anybody sees it
                await self._its_study.lab.room(command.room, study=command.study).create()
            await self._log.submit_together(command)
        except StoreError:
            raise
        except Exception as exc:  # such as an app's bot: other rooms and those who wait go on
            self._complaints.note(f"what is due in room {command.room!r}", exc)

    def _command(self, leftover: Leftover | None = None, everyone: bool = False) -> Advance:
        key, random = self._key, secrets.token_hex(32)
        return Advance(key.study, key.id, None, random, leftover=leftover, everyone=everyone)

    def _round_command(self, cohort: int, after: int, is_forced: bool = False) -> NextRound:
        key, random = self._key, secrets.token_hex(32)
        return NextRound(key.study, key.id, cohort, after, random, is_forced)

    async def next_round(self, number: int, after: int | None) -> int | None:
        """Begin the next round of a cohort, whoever has not done yet what ends the last one."""
        known = await self._known()
        cohort = known.study.cohorts.get((self._key.id, number))
        if cohort is None:
            raise ValueError(f"lobby {self._key.id!r} has no cohort {number!r}")
        last = cohort.round if after is None else after
        outcome = await self._advance(self._round_command(number, last, is_forced=True), known)
        events = () if outcome is None else outcome.events.get(study_log(self._key.study), ())
        return next((each.data["round"] for each in events if each.kind == "round_begun"), None)

    async def begin(self, leftover: Leftover, everyone: bool = False) -> int:
        """
        Make groups of all who are here now; return how many were made, or are asked.

        `everyone`: of those, too, who are here in the study and do not wait in the lobby.
        """
        await self.describe()
        command = self._command(leftover, everyone)
        outcome = await self._advance(command, await self._known(everyone))
        events = () if outcome is None else outcome.events.get(self._key, ())
        return sum(event.kind == "matched" for event in events)

    async def _advance(self, command: Advance | NextRound, known: _Known) -> StudyOutcome | None:
        """Have the lobby advance, if there is anything to do, as the app proposes."""
        for number in range(PROPOSALS):
            if number > 0:
                known = await self._known(getattr(command, "everyone", False))
            proposed = await self._proposed(command, known)
            if proposed is None:
                return None
            try:
                return await self._log.submit_together(proposed)
            except Refused as exc:
                if exc.code != "not_grouped":
                    raise
                logger.debug("lobby %r: proposed again, as others came first", self._key.id)
        return None

    async def _proposed(
        self, command: Advance | NextRound, known: _Known
    ) -> Advance | NextRound | None:
        """The command with all proposals that its rule needs; None: it would do nothing."""
        lobby, study, signs = known
        at = _now()
        states: dict[LogKey, State] = {self._key: lobby, study_log(self._key.study): study}
        wanted: Advance | NextRound | None = command
        while wanted is not None:
            try:
                tried = replace(wanted, signs=signs) if isinstance(wanted, Advance) else wanted
                would = decide_together(states, tried, at)
                return wanted if would else None
            except MoreLogs as exc:
                for log in exc.logs:
                    states[log] = await self._runtime.live.logs.read(log)
                wanted = replace(wanted, also=(*wanted.also, *exc.logs))
            except Unproposed as exc:
                its = self._functions, self._its_study, (lobby, study), at, self._complaints
                wanted = await with_proposal(wanted, exc, *its)
        return None

    # ── reading ──

    async def _states(self) -> tuple[LobbyState, StudyState]:
        read = self._runtime.live.logs.read
        lobby, study = await read(self._key), await read(study_log(self._key.study))
        return cast(LobbyState, lobby), cast(StudyState, study)

    async def _known(self, everyone: bool = False) -> _Known:
        lobby, study = await self._states()
        also = [each.person for each in study.present()] if everyone else ()
        return _Known(lobby, study, await self._signs(lobby, also))

    async def count_waiting(self) -> int:
        """How many people wait."""
        return len((await self._states())[0].queue)

    async def _signs(self, lobby: LobbyState, also: Sequence[str]) -> LobbySigns:
        if not (is_asking(lobby) or also):
            return LobbySigns({})
        asked_for = round((time.monotonic() - self._began) * 1e6)

        def read(conn: sa.Connection) -> LobbySigns:
            return lobby_signs(conn, self._key.study, lobby, _now(), asked_for, also)

        return await self._log.read(read)


class _Known(NamedTuple):
    """The lobby and its study as their logs say now, and what is known of who waits."""

    lobby: LobbyState
    study: StudyState
    signs: LobbySigns


def driver_of(runtime: Runtime, study: str, lobby: str) -> LobbyDriver:
    """The driver of a lobby in this process: one, however often a script makes the lobby."""
    key = lobby_log(study, lobby)
    driver = runtime.drivers.get(key)
    if driver is None:
        driver = runtime.drivers[key] = LobbyDriver(runtime, key)
    assert isinstance(driver, LobbyDriver)
    return driver


def _now() -> int:
    return time.time_ns() // 1000
