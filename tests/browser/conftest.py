"""What the browser tests share: a Chromium, running apps, people, and one who organises."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, expect

from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.support.backend import USUAL, Backend, Databases
from tests.support.reverse_proxy import ReverseProxy
from tests.support.server import Server, shiny_run
from tests.support.wheel import run_from, unpacked
from tests.support.workers import Served, Workers

APPS = Path(__file__).parent / "apps"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

PATIENCE = 30_000
"""The longest that anything is waited for, in milliseconds."""
expect.set_options(timeout=PATIENCE)

Serve = Callable[[str], Served]
"""Gives a running app by its path below ``apps/``."""
People = Callable[..., list[Person]]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = os.environ.get("LABCHAT_CHROMIUM") or shutil.which("chromium")
    where = {"executable_path": chromium} if chromium else {}
    return {**browser_type_launch_args, **where, "args": QUIET}


Start = Callable[[Sequence[str]], Served]
SCRIPTED = "study_pages.py"
"""An app whose server says what a test tells it: there is one of it in any case."""


@pytest.fixture(scope="session")
def start(backend: Backend, databases: Databases) -> Start:
    """Start an app on a new database, by its command."""

    def started(command: Sequence[str]) -> Served:
        is_one = backend == USUAL or command[-1].endswith(SCRIPTED)
        server = (Server if is_one else Workers)(command, databases.make())
        server.start()
        return server

    return started


def ended(server: Served, databases: Databases) -> None:
    """End it, and delete its database."""
    server.stop() if isinstance(server, Server) else server.close()
    databases.drop(server.url)


class Running:
    """
    Apps that were started for all tests, by their paths.

    Parameters
    ----------
    begin, end
        Starts one, and ends it.
    most
        How many may run; those that were not asked for longest are ended.
    """

    def __init__(
        self, begin: Callable[[str], Served], end: Callable[[Served], None], most: float
    ) -> None:
        self._begin = begin
        self._end = end
        self._most = most
        self._running: dict[str, Served] = {}

    def __call__(self, app: str) -> Served:
        self._running[app] = self._running.pop(app, None) or self._begin(app)
        if len(self._running) > self._most:
            self._end(self._running.pop(next(iter(self._running))))
        return self._running[app]

    def close(self) -> None:
        for server in self._running.values():
            self._end(server)


@pytest.fixture(scope="session")
def most_running(backend: Backend) -> float:
    """How many apps run at once: a server of databases has not as much room as there are files."""
    return float("inf") if backend.engine == "sqlite" else 12


@pytest.fixture(scope="session")
def shared(start: Start, databases: Databases, most_running: float) -> Iterator[Serve]:
    """Apps by their paths, each started once for all tests."""
    running = Running(
        lambda app: start(shiny_run(APPS / app)), lambda it: ended(it, databases), most_running
    )
    yield running
    running.close()


@pytest.fixture(scope="session")
def from_wheel(
    start: Start,
    databases: Databases,
    most_running: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Apps by their paths, with the package as its wheel installs it: the page's files joined."""
    folder = unpacked(tmp_path_factory.mktemp("wheel"))
    running = Running(
        lambda app: start(run_from(folder, shiny_run(APPS / app))),
        lambda it: ended(it, databases),
        most_running,
    )
    yield running
    running.close()


@pytest.fixture
def serve(start: Start, databases: Databases) -> Iterator[Serve]:
    """Start an app for one test alone."""
    running: list[Served] = []

    def begin(app: str) -> Served:
        running.append(start(shiny_run(APPS / app)))
        return running[-1]

    yield begin
    for server in running:
        ended(server, databases)


_numbers = count(1)


@pytest.fixture
def room() -> str:
    """The id of a room that no other test uses."""
    return f"room-{next(_numbers)}"


class Noise:
    """What the consoles of all pages complained about in one test."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.expected: list[str] = []

    def expects(self, pattern: str) -> None:
        """This test provokes complaints such as this."""
        self.expected.append(pattern)

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._note)
        context.on("weberror", self._note_error)

    def unlisten(self, context: BrowserContext) -> None:
        context.remove_listener("console", self._note)
        context.remove_listener("weberror", self._note_error)

    def unexpected(self) -> list[str]:
        return [text for text in self.heard if not any(re.search(e, text) for e in self.expected)]

    def _note(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        if message.type == "error" and not where.endswith("/favicon.ico"):
            self.heard.append(f"{message.text} ({where})")

    def _note_error(self, error: WebError) -> None:
        self.heard.append(str(error.error))


@pytest.fixture
def noise(backend: Backend) -> Noise:
    noise = Noise()
    if backend != USUAL:
        noise.expects(r"\b502\b")  # while its servers are away, nginx says so
    return noise


@pytest.fixture(scope="session")
def browsers(browser: Browser) -> Iterator[Callable[[int], BrowserContext]]:
    """One browser per person for the whole session: their caches save most of the time."""
    opened: list[BrowserContext] = []

    def of(number: int) -> BrowserContext:
        while len(opened) <= number:
            opened.append(browser.new_context())
        return opened[number]

    yield of
    for context in opened:
        context.close()


@pytest.fixture
def people(
    browser: Browser,
    browsers: Callable[[int], BrowserContext],
    shared: Serve,
    serve: Serve,  # its servers go after the pages, which would complain
    room: str,
    noise: Noise,
) -> Iterator[People]:
    """
    ``people(3)``: so many come, each with a browser of their own, into the test's room.

    They are known by order: call again for late-comers. `app` is a path below ``apps/``, a
    running server or a proxy before one, `chat` the chat's id, `device` makes a new browser with
    these settings, `script` runs in their pages first; all else is asked for in the address.
    """
    come: list[Person] = []
    contexts: list[BrowserContext] = []
    own: list[BrowserContext] = []

    def context_for(device: dict[str, Any] | None) -> BrowserContext:
        if device is None:
            context = browsers(len(come))
        else:
            context = browser.new_context(**device)
            own.append(context)
        if context not in contexts:
            contexts.append(context)
            noise.listen(context)
        return context

    def arrive(
        n: int = 1,
        app: str | Served | ReverseProxy = "room.py",
        *,
        chat: str = "chat",
        device: dict[str, Any] | None = None,
        script: str | None = None,
        settled: bool = True,
        **asked: str,
    ) -> list[Person]:
        server = shared(app) if isinstance(app, str) else app
        path = getattr(server, "prefix", "")  # of a proxy
        url = f"http://127.0.0.1:{server.port}{path}/?{urlencode({'room': room, **asked})}"
        new: list[Person] = []
        for _ in range(n):
            page = context_for(device).new_page()
            page.set_default_timeout(PATIENCE)
            if script:
                page.add_init_script(script)
            new.append(Person(page, chat))
            come.append(new[-1])
            new[-1].opens(url)
        for person in new if settled else ():
            person.is_in()
        return new

    yield arrive
    for context in contexts:
        for page in context.pages:
            page.close()
        noise.unlisten(context)
    for context in own:
        context.close()
    assert noise.unexpected() == []


@pytest.fixture(scope="module")
def _drawing_page(browser: Browser, shared: Serve) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    drawer = Person(page)
    drawer.opens(f"http://127.0.0.1:{shared('hostile.py').port}/?room=drawing")
    drawer.is_in()
    page.wait_for_function("() => customElements.get('shiny-markdown-stream')")
    yield page
    context.close()


@pytest.fixture
def drawing_page(_drawing_page: Page, noise: Noise) -> Iterator[Page]:
    """A page to draw texts in: one for all tests of a module, which leave it as it is."""
    noise.listen(_drawing_page.context)
    yield _drawing_page
    noise.unlisten(_drawing_page.context)
    assert noise.unexpected() == []


@pytest.fixture(scope="session")
def organiser() -> Iterator[Organiser]:
    someone = Organiser()
    yield someone
    someone.leaves()


Behind = Callable[..., ReverseProxy]


@pytest.fixture
def behind(organiser: Organiser) -> Iterator[Behind]:
    """Put a proxy before a server; it replaces the header Host. `prefix` is the app's path."""
    opened: list[ReverseProxy] = []

    def put(port: int, prefix: str = "") -> ReverseProxy:
        opened.append(ReverseProxy(port, prefix))
        organiser.does(opened[-1].__aenter__())
        return opened[-1]

    yield put
    for proxy in opened:
        organiser.does(proxy.__aexit__(None, None, None))
