"""The one who runs a study: works rooms from outside the app, through its database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from shiny_labchat import Lab, Room
from tests.support.workers import Served

STUDY = "apps"
"""The folder of the tests' apps, after which their rooms' study is named."""

T = TypeVar("T")


class Organiser:
    """Runs what is asynchronous in a thread of its own; Playwright's loop must not be disturbed."""

    def __init__(self) -> None:
        self._labs: dict[str, Lab] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def lab(self, app: Served) -> Lab:
        """The lab of a running app."""
        lab = self._labs[app.url] = Lab(app.url)
        return lab

    def room(self, app: Served, id: str) -> Room:
        """One of its rooms."""
        return self.lab(app).room(id, study=STUDY)

    def does(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, and return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def leaves(self) -> None:
        for lab in self._labs.values():
            lab.log.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
