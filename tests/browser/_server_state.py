"""What the log of a running app says of a study's people, to be compared with their pages."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import cast

from shiny_labchat import Lab
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.screen_parts import View
from shiny_labchat.domain.screens import screen_of
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.study.study import Study
from tests.browser._organiser import Organiser
from tests.support.workers import Served

__all__ = ["ServerState"]


class ServerState:
    """
    The state of one study of an app, read from its database by another process.

    Parameters
    ----------
    app
        The running app.
    study, lobby
        The name of the study, and the id of its lobby.
    organiser
        Reads what is asynchronous.
    """

    def __init__(self, app: Served, study: str, organiser: Organiser, lobby: str = "lobby") -> None:
        self.lab: Lab = organiser.lab(app)
        self.lobby = lobby
        self.study = study
        self._organiser = organiser
        self._file = app.url.removeprefix("sqlite:///")

    def people(self) -> list[str]:
        """The ids of the people, in the order in which they have arrived."""
        return [*self._organiser.does(Study(self.study, lab=self.lab).state()).people]

    def screen(self, person: str) -> str:
        """Which screen the person has to see now."""
        return self._organiser.does(self._screen(person))

    async def _screen(self, person: str) -> str:
        study = await Study(self.study, lab=self.lab).state()
        logs = Runtime.of(self.lab.log).live.logs
        lobby = cast(LobbyState, await logs.read(lobby_log(self.study, self.lobby)))
        return screen_of(View(study, person, lobby, time.time_ns() // 1000)).is_

    def done(self, person: str) -> list[tuple[str, str]]:
        """All that has happened to a person so far: the kinds of logs and of events."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as database:
            return database.execute(_DONE, (self.study, person)).fetchall()


_DONE = """
    SELECT room.kind, event.kind FROM event JOIN room ON room.key = event.room
    WHERE room.study = ? AND event.member = ? ORDER BY event.at, event.seq
"""
