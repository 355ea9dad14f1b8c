"""
The pytest fixture `labchat`: an app, served for one test, with a database of its own.

A project switches it on with one line in its ``conftest.py``::

    pytest_plugins = ["shiny_labchat.playwright"]

It is no entry point of the package: pytest would then import Shiny and this package at the start of
each run in the environment, also for projects that test no chat.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin

import pytest
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import expect as expect_of

from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.playwright.chat import ChatController
from shiny_labchat.playwright.server import AppServer
from shiny_labchat.playwright.shown import explained

__all__ = ["LabchatApp", "StartApp", "labchat"]

T = TypeVar("T")

JOIN_TIMEOUT = 30_000
"""The longest to wait until a page has joined its room, in milliseconds."""


class LabchatApp:
    """
    An app that is served for one test. The fixture `labchat` makes it.

    Attributes
    ----------
    url
        The address of its page.
    lab
        The lab of its database, to prepare rooms and to read the record.
    """

    def __init__(
        self,
        server: AppServer,
        database: Path,
        new_context: Callable[[], BrowserContext],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.url: str = server.wait_until_ready()
        self.lab: Lab = Lab(_url_of(database))
        self._server = server
        self._database = database
        self._new_context = new_context
        self._loop = loop

    def people(self, number: int = 1, path: str = "", *, id: str = "chat") -> list[ChatController]:
        """
        Have people open the page, each in a browser of their own.

        Parameters
        ----------
        number
            How many people.
        path
            What they open, below the app's address, such as ``"?labchat=TOKEN"``.
        id
            The id of the chat in the page; inside a Shiny module with the module's id in front.

        Returns
        -------
        list of ChatController
            The chat in each of their pages, as soon as it has shown the room's state. The page
            itself is the controller's `page`.
        """
        return [self.open(self._new_context().new_page(), path, id=id) for _ in range(number)]

    def open(self, page: Page, path: str = "", *, id: str = "chat") -> ChatController:
        """
        Open the app in a page of the test's own; else as :meth:`people`.

        Parameters
        ----------
        page
            The page, such as pytest-playwright's fixture `page`.
        path, id
            As in :meth:`people`.
        """
        page.goto(urljoin(self.url, path))
        chat = ChatController(page, id)
        with explained(page, id, f"a chat with the id {id!r} that has joined"):
            expect_of(chat.loc_status).to_have_attribute(
                "data-status", _JOINED, timeout=JOIN_TIMEOUT
            )
        self._check_database()
        return chat

    def room(self, id: str = "chat", *, study: str | None = None) -> Room:
        """
        A room of the app.

        Parameters
        ----------
        id
            The room's id; without ``Chat(room=)`` that is the chat's id.
        study
            The room's study; None: the name of the app's folder, as in the app.
        """
        return self.lab.room(id, study=study or self._server.app.parent.name)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine, such as ``app.room().messages()``, and return its result.

        ``asyncio.run()`` cannot be used in a test: Playwright's own event loop runs meanwhile.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @property
    def log(self) -> str:
        """What the server has printed, without the requests that it has answered well."""
        return self._server.log

    def _check_database(self) -> None:
        # Tests must not fill the database of a study, nor find there what others have said.
        others = {path for path in _RECORD.findall(self.log) if Path(path) != self._database}
        if others:
            raise RuntimeError(
                f"the app uses {', '.join(sorted(others))} and not the test's own database; have "
                "it use the one in the environment variable LABCHAT_URL, as Lab() does"
            )


_JOINED = re.compile("^(?!joining).")
_RECORD = re.compile(r"the record is (?:made )?in (.+)")


class StartApp(Protocol):
    """The type of the fixture `labchat`: a function that serves an app for one test."""

    def __call__(self, app: str | Path, *, env: Mapping[str, str] | None = None) -> LabchatApp:
        """
        Serve an app with a new database.

        Parameters
        ----------
        app
            The app's file, relative to the folder of the test's file.
        env
            Environment variables for the app.
        """
        ...


@pytest.fixture
def labchat(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_context: Callable[[], BrowserContext],
) -> Iterator[StartApp]:
    """
    Serve an app for one test, with a new database: ``app = labchat("app.py")``.

    It is a function, a :class:`StartApp`. When the test has ended, its pages are closed and its
    servers stopped. If it has failed, its report has what they printed.
    """
    with ExitStack() as stack:
        loop = stack.enter_context(_running_loop())

        def start(app: str | Path, *, env: Mapping[str, str] | None = None) -> LabchatApp:
            path = _found(request.path.parent, app)
            database = tmp_path_factory.mktemp("labchat") / "lab.db"
            server = stack.enter_context(_served(path, database, env or {}, request.node))
            started = LabchatApp(server, database, open_browser, loop)
            stack.callback(started.lab.log.close)
            return started

        def open_browser() -> BrowserContext:
            context = new_context()
            stack.callback(_close, context)  # before its server stops: pages would show that
            return context

        yield start


def _found(folder: Path, app: str | Path) -> Path:
    path = (folder / app).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no app {path}: {str(app)!r} is looked for in {folder}")
    return path


def _url_of(database: Path) -> str:
    return f"sqlite:///{database}"


def _close(context: BrowserContext) -> None:
    if context.browser is not None and context in context.browser.contexts:
        context.close()


@contextmanager
def _served(
    app: Path, database: Path, env: Mapping[str, str], test: pytest.Item
) -> Generator[AppServer]:
    """A server of an app, whose log is in the test's report if it fails."""
    server = AppServer(app, {"LABCHAT_URL": _url_of(database), "SHINY_TESTMODE": "1", **env})
    try:
        yield server
    finally:
        server.stop()
        test.add_report_section("teardown", f"log of {app.name}", server.log)


@contextmanager
def _running_loop() -> Generator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
