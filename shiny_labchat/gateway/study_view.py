"""
What one page of a study is shown, as its logs say now.

A study's log has an event for each thing that anybody does. So a page looks again only when
something that concerns its person has changed; how many wait is counted anew now and then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from shiny_labchat.access.ends import EndLink, end_token
from shiny_labchat.access.receipts import Receipt, receipt_code
from shiny_labchat.access.tickets import StudyEntry
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.end_screen import has_debrief, needs_link, needs_receipt
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.presence import ALIVE
from shiny_labchat.domain.rounds import waits_in
from shiny_labchat.domain.screen_parts import Screen, View
from shiny_labchat.domain.screens import screen_of
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import StoreError
from shiny_labchat.gateway.programmes import Programmes, programmes_met
from shiny_labchat.live.logs import LiveLog
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import lobbies
from shiny_labchat.words import Words

__all__ = ["COUNT_PAUSE", "StudyView"]

logger = logging.getLogger("shiny_labchat")

COUNT_PAUSE = 0.5
"""How long a page may show an older number of people who wait, in seconds."""
RETRY_DELAY = 5.0
"""Pause before what the last screen needs is read again after that failed, in seconds."""


class StudyView:
    """
    The view of a study that one page has.

    Parameters
    ----------
    entry
        What the page's token lets it do.
    live
        What is live of its lab in this event loop.
    words
        The words of its lab.
    wake
        Called when the screen may be another one.

    Attributes
    ----------
    screen
        What the person was last found to see.
    alive
        How long the page may be silent until its person counts as gone, in seconds.
    """

    def __init__(
        self, entry: StudyEntry, live: LiveRooms, words: Words, wake: Callable[[], None]
    ) -> None:
        self.screen = Screen("none")
        self.alive = ALIVE
        self._entry = entry
        self._live = live
        self._words = words
        self._wake = wake
        self._study: LiveLog | None = None
        self._lobby: LiveLog | None = None
        self._end_study: Callable[[], None] = _nothing
        self._end_lobby: Callable[[], None] = _nothing
        self._was_there = False
        self._known: tuple[Any, ...] = ()
        self._queue: Sequence[str] = ()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._end_link: str | None = None
        self._receipt: str | None = None
        self._programmes: Programmes | None = None

    async def open(self) -> None:
        """Follow the study's log."""
        log = study_log(self._entry.study)
        self._study, self._end_study = await self._live.logs.follow(log, self._hear)

    def close(self) -> None:
        """Follow nothing any more."""
        self._end_study()
        self._end_lobby()
        for timer in self._timers.values():
            timer.cancel()

    @property
    def lobby(self) -> tuple[str, LobbyState] | None:
        """The id and the state of the lobby in which the person is; None: in none."""
        live = self._lobby
        return None if live is None else (live.key.id, cast(LobbyState, live.state))

    @property
    def new_code(self) -> str | None:
        """The code on the screen, if the study's log does not know that it was shown; else None."""
        person, code = self._state.people.get(self._entry.person), self.screen.fields.get("code")
        if person is None or person.code is not None or code is None:
            return None
        return code["value"]

    @property
    def is_gone(self) -> bool:
        """Whether the study knows the person no more who was there: they have another id now."""
        return self._was_there and self._entry.person not in self._state.people

    def become(self, entry: StudyEntry) -> None:
        """Go on as the view of a page whose person has another id now, as they have withdrawn."""
        self._entry, self._was_there = entry, False
        self._end_link = self._receipt = None
        self._programmes = None

    # ── what has changed ──

    def _hear(self) -> None:
        """Look again if what has happened in a log concerns the person, else perhaps later."""
        if self._study is None:  # it is being read
            return
        if self._concerns() != self._known:
            self._wake()
        elif self.screen.is_ == "waiting" and self._lobby is not None:
            if cast(LobbyState, self._lobby.state).queue is not self._queue:
                self._wake_in("count", COUNT_PAUSE)

    def _concerns(self) -> tuple[Any, ...]:
        """What of the logs' states concerns the person, but for how many wait."""
        study, person = self._state, self._entry.person
        about = study.settings, study.people.get(person), study.awaits(person)
        if self._lobby is None:
            return about
        lobby = cast(LobbyState, self._lobby.state)
        place = lobby.places.get(person)
        match = None if place is None else lobby.matches.get(place.match)
        return *about, lobby.settings, place, match, waits_in(study, person)

    @property
    def _state(self) -> StudyState:
        assert self._study is not None
        return cast(StudyState, self._study.state)

    def _wake_in(self, why: str, seconds: float) -> None:
        if why not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[why] = loop.call_later(max(0.0, seconds), self._wake_for, why)

    def _wake_for(self, why: str) -> None:
        self._timers.pop(why, None)
        self._wake()

    # ── looking ──

    async def look(self, *, is_newest: bool) -> Screen:
        """
        What the person sees now.

        `is_newest`: whether the page is in the newest of their browsers.
        """
        self._known = self._concerns()  # what happens while the lobby is read is seen
        await self._follow_lobby()
        self._known = self._concerns()
        lobby = None if self._lobby is None else cast(LobbyState, self._lobby.state)
        self._queue = () if lobby is None else lobby.queue
        self.alive = ALIVE if lobby is None else LobbySettings.of(lobby.settings).alive
        at, person = time.time_ns() // 1000, self._entry.person
        self._was_there = self._was_there or person in self._state.people
        rules = await self._rules()
        view = View(self._state, person, lobby, at, self._words, is_newest, rules=rules)
        self.screen = screen_of(await self._with_end(view))
        if (earlier := self._timers.pop("change", None)) is not None:
            earlier.cancel()
        if self.screen.changes is not None:
            self._wake_in("change", (self.screen.changes - at) / 1e6)
        return self.screen

    async def _follow_lobby(self) -> None:
        """Follow the lobby that the person has entered last, before that the page's."""
        person = self._state.people.get(self._entry.person)
        id = (None if person is None else person.lobby) or self._entry.lobby
        key = None if id is None else lobby_log(self._entry.study, id)
        if key is None or (self._lobby is not None and self._lobby.key == key):
            return
        self._end_lobby()
        self._lobby, self._end_lobby = None, _nothing
        self._lobby, self._end_lobby = await self._live.logs.follow(key, self._hear)

    async def _rules(self) -> Sequence[Mapping[str, Any]]:
        """The rules of the study's lobbies, where the consent is asked for, which tells of them."""
        person = self._state.people.get(self._entry.person)
        is_asked = self._state.settings.get("consent") is not None
        if person is None or person.consent is not None or not is_asked:
            return ()
        study, logs = self._entry.study, self._live.logs
        ids = await self._entry.log.read(lambda conn: lobbies(conn, study))
        states = [cast(LobbyState, await logs.read(lobby_log(study, id))) for id in ids]
        return [rules for each in states if (rules := LobbySettings.of(each.settings).rules)]

    async def _with_end(self, view: View) -> View:
        """The view with what only the last screen needs, which is read or made once."""
        person = view.study.people.get(view.person)
        if person is None or person.ended is None:
            return view
        try:
            if self._programmes is None and has_debrief(view, person):
                rooms = [LogKey(self._entry.study, room) for room in person.rooms]
                met = await programmes_met(self._entry.log, rooms, view.person)
                self._programmes = met
            reason = needs_link(view)
            if self._end_link is None and reason is not None:
                link = EndLink(self._entry.study, view.person, reason)
                self._end_link = await end_token(self._entry.log, link)
            if self._receipt is None and needs_receipt(view):
                receipt = Receipt(self._entry.study, view.person)
                self._receipt = await receipt_code(self._entry.log, receipt)
        except StoreError as exc:
            logger.error("the end of somebody is shown without all of it: %s", exc)
            self._wake_in("end", RETRY_DELAY)
        met = self._programmes or Programmes()
        view = replace(view, programmes=met.own, replaced=met.replaced)
        return replace(view, end_link=self._end_link, receipt=self._receipt)


def _nothing() -> None:
    """End nothing: there is nothing to be ended yet."""
