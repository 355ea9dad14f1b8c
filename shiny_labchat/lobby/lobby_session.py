"""A lobby in front of one session's page: whether it is drawn, and the person's place in it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TypeVar

from shiny import reactive
from shiny.reactive._core import get_current_context

from shiny_labchat.chat.per_session import PerSession
from shiny_labchat.chat.session_logs import session_log
from shiny_labchat.chat.shiny_internals import flush_soon
from shiny_labchat.concurrency import Tasks, retry
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.lobby import LobbyState, Place
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.lobby.session import StudySession
from shiny_labchat.store import Log

__all__ = ["LobbySession", "lobby_session"]

logger = logging.getLogger("shiny_labchat")

T = TypeVar("T")

RETRY_DELAYS = (0.5, 1.5, 4.5, 15.0)
"""Pauses before it is tried again to have somebody enter, in seconds."""


class LobbySession:
    """
    One lobby in front of one session's page.

    Its person enters it once it is drawn for them, the page has its socket to the study open, and
    they take part in the study.

    Parameters
    ----------
    study
        The study in front of the page.
    id
        The lobby's id.
    enter
        Has a person enter it.
    """

    def __init__(
        self, study: StudySession, id: str, enter: Callable[[str], Awaitable[object]]
    ) -> None:
        self.enter = enter
        self.study = study
        self._id = id
        self._drawn: reactive.Value[int] = reactive.Value(0, name="drawn")
        self._log = session_log(study.session, study.study.log, lobby_log(study.study.name, id))
        self._tasks = Tasks(f"lobby {id!r}")
        self._entering: str | None = None
        if not study.session.is_stub_session():
            self._enter_when_drawn()

    # ── reactive reads ──

    def read(self, select: Callable[[LobbyState], T]) -> T | None:
        """Something of the lobby's state; None before it is known."""
        return self._log.read(select)

    def place(self) -> Place | None:
        """The person's place; None: they have none, or it is not known."""
        id = self.study.id
        return None if id is None else self.read(lambda state: state.places.get(id))

    # ── entering ──

    def draw(self) -> None:
        """Note that the lobby is drawn, until what draws it runs again."""
        if self.study.session.is_stub_session():
            return
        self._count(1)
        try:
            context = get_current_context()
        except RuntimeError:  # a page that is drawn once
            return
        context.on_invalidate(lambda: self._count(-1))

    def _count(self, more: int) -> None:
        with reactive.isolate():
            self._drawn.set(self._drawn() + more)
        flush_soon(self.study.session)

    def _enter_when_drawn(self) -> None:
        session = self.study.session

        @reactive.effect(session=session)
        def enter() -> None:
            if self._drawn() == 0 or not self.study.is_here():
                return
            person = self.study.participation()
            if person is None or person.ended is not None:
                return
            is_out = self.read(lambda state: person.person not in state.places)
            if is_out and self.study.takes_part() and self._entering != person.person:
                self._entering = person.person
                self._tasks.spawn(self._enter(person.person), context=Context())

    async def _enter(self, person: str) -> None:
        try:
            async for is_last in retry(RETRY_DELAYS):
                try:
                    await self.enter(person)
                    return
                except StoreError as exc:
                    logger.error("nobody can enter lobby %r: %s", self._id, exc)
                    if is_last:
                        return
        except Refused as exc:
            logger.warning("somebody may not enter lobby %r: %s", self._id, exc.code)
        finally:
            self._entering = None


def lobby_session(
    study: StudySession, id: str, enter: Callable[[str], Awaitable[object]]
) -> LobbySession:
    """A lobby in a page's session: one for all code that makes it there."""
    key = study.study.log, study.study.name, id
    known = _sessions.of(study.session).get(key)
    if known is None:
        known = _sessions.keep(study.session, key, LobbySession(study, id, enter))
    known.enter = enter
    if study.lobby is None:
        study.lobby = id
    return known


_sessions: PerSession[tuple[Log, str, str], LobbySession] = PerSession()
"""The lobbies in front of a session's page, by lab, study and id."""
