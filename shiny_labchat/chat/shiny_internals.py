"""
All uses of Shiny's private interface, in one place.

``tests/contract/test_shiny.py`` fails when a new version of Shiny changes any of it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakSet

import shiny
from htmltools import HTMLDependency, HTMLDocument, HTMLTextDocument, TagChild, TagList
from shiny import reactive
from shiny.module import ResolvedId
from shiny.reactive import _reactives
from shiny.reactive._core import _reactive_environment as _environment
from shiny.reactive._core import get_current_context
from shiny.reactive._reactives import Calc_, Effect_
from shiny.session import Session, get_current_session
from shiny.session._session import AppSession
from shiny.types import ActionButtonValue
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute

from shiny_labchat import concurrency
from shiny_labchat.chat.waiting import let_wait

__all__ = [
    "app_of",
    "connection_of",
    "count_ends",
    "fire_events_once",
    "flush",
    "flush_soon",
    "flush_whom_it_concerns",
    "let_effects_wait",
    "loadable",
    "put_on_pages",
    "remount",
    "render",
    "restored",
    "runs_again",
    "send_from_threads",
    "serve",
    "session_routes",
    "set_input",
    "without_names",
]

FLUSHES_PER_SECOND = 20

EVENTS = ".clientdata_labchat_events"
"""The input with the names of the page's event inputs; Shiny keeps such a name out of bookmarks."""


# ── the gateway's route ──────────────────────────────────────────────────────────────────────


def app_of(session: Session) -> shiny.App:
    """The app of a session, which must not be a stub."""
    return session.root_scope().app


def connection_of(session: Session) -> HTTPConnection:
    """The connection of a session's page, which must not be a stub."""
    page = cast(AppSession, session.root_scope())
    return page.http_conn


def session_routes(app: Starlette) -> list[WebSocketRoute]:
    """The routes of an app's pages to their sessions."""
    routes = app.router.routes
    return [
        each for each in routes if isinstance(each, WebSocketRoute) and each.path == "/websocket/"
    ]


# ── UI inside a message ──────────────────────────────────────────────────────────────────────


def render(session: Session, ui: TagChild) -> tuple[str, list[dict[str, Any]]]:
    """
    The HTML and the dependencies of some UI; the app serves these from now on.

    Each dependency has under "source" the place of its files, for :func:`remount`.
    """
    found: list[HTMLDependency] = shiny.ui.TagList(ui).render()["dependencies"]
    rendered = session._process_ui(ui)
    deps = [
        {**as_sent, "source": dep.source}
        for as_sent, dep in zip(rendered["deps"], found, strict=True)
    ]
    return rendered["html"], deps


def loadable(session: Session, ui: TagChild) -> list[dict[str, Any]]:
    """The dependencies of some UI as a page loads them; the app serves their files from now on."""
    return session._process_ui(ui)["deps"]


def serve(app: shiny.App, deps: Iterable[HTMLDependency]) -> None:
    """Serve the files of dependencies, before any page needs them."""
    for dep in deps:
        app._register_web_dependency(dep)


def remount(session: Session, dep: Mapping[str, Any]) -> None:
    """Serve the files of a dependency of a message from before this server started."""
    if dep.get("source"):
        known = HTMLDependency(dep["name"], dep["version"], source=dep["source"])
        app_of(session)._register_web_dependency(known)


def put_on_pages(drawn_for: Callable[[str], TagList]) -> None:
    """
    Put UI on every page of every app; not on those that ``ui.page_html`` makes.

    It is made for the prefix of the paths of the app's dependencies.
    """
    original = shiny.App._render_page

    @functools.wraps(original)
    def render_page(self: shiny.App, ui: Any, lib_prefix: str) -> Any:
        is_whole = isinstance(ui, HTMLDocument | HTMLTextDocument)
        # After the page's own: a style sheet must come after Bootstrap's.
        drawn: Any = ui if is_whole else TagList(ui, drawn_for(lib_prefix))
        return original(self, drawn, lib_prefix)

    shiny.App._render_page = render_page


# ── bookmarks ────────────────────────────────────────────────────────────────────────────────


def restored(session: Session) -> dict[str, Any] | None:
    """
    The values of the bookmark that a page was opened with; None: it could not be read.

    If it could not be read, Shiny calls no `on_restore` function; nor does it ever call one that
    is registered after the page began.
    """
    context = session.root_scope().bookmark._restore_context
    if context is None:
        return {}
    return context.values if context._init_error_msg is None else None


# ── reactive values ──────────────────────────────────────────────────────────────────────────


@contextmanager
def without_names() -> Generator[None]:
    """
    Prevent Shiny from searching a name for each reactive value that is made inside.

    Shiny would search the source code of every function on the stack, which takes 5 ms for each
    value: with 30 replies that began at once, everybody waited half a second.
    """
    known: Any = reactive.Value
    infer = known._try_infer_name
    known._try_infer_name = _no_name
    try:
        yield
    finally:
        known._try_infer_name = infer


def _no_name(value: object) -> None:
    return None


def runs_again() -> bool:
    """Whether the running code runs again when what it reads changes; not inside `isolate()`."""
    context = _environment._current_context.get()
    if context is None:
        return False
    first = context._invalidate_callbacks[:1]
    is_calculation = any(isinstance(getattr(each, "__self__", None), Calc_) for each in first)
    return is_calculation or bool(context._flush_callbacks)  # of an effect or an output


def let_effects_wait(may_have_to: Callable[[Session], bool]) -> None:
    """
    Let effects and outputs of some sessions wait for what they read inside `isolate()`.

    They cannot run again when it has come: a click that they are handling would be handled twice.
    Shiny's lock is theirs while they wait, so that other sessions' effects wait, too; messages and
    inputs go on.

    Parameters
    ----------
    may_have_to
        Whether anything in a session may have to wait; the others' effects run as always.
    """
    original = Effect_._run

    @functools.wraps(original)
    async def run(self: Effect_) -> None:
        session = self._session
        waits = session is not None and may_have_to(session.root_scope())
        await (let_wait(original) if waits else original)(self)

    Effect_._run = run


def set_input(session: Session, name: str, value: object) -> None:
    """Set the value of an input here, as if its page had sent it; only this page is told."""
    read = session.root_scope().input[ResolvedId(name)]
    _happened(session.root_scope(), [name])
    if _dependents_of(read):  # each value is an event: none may be missed
        _tasks.spawn(_set_and_flush(session, read, value), context=Context())
    else:
        read._set(value, force=True)


async def _set_and_flush(session: Session, read: reactive.Value[Any], value: object) -> None:
    async with reactive.lock():
        read._set(value, force=True)
        await _flush_locked(app_of(session))


# ── inputs that are events ───────────────────────────────────────────────────────────────────


def fire_events_once() -> None:
    """
    Let the event inputs of a page that comes back keep their values, and fire nothing.

    The first message of a session has all inputs as they are. A button that was pressed in an
    earlier session of the page would be pressed again.
    """
    manage, is_none = AppSession._manage_inputs, _reactives._is_none_event

    @functools.wraps(manage)
    def manage_inputs(self: AppSession, data: dict[str, object]) -> None:
        manage(self, data)
        names = {key.partition(":")[0] for key in data}
        if self not in _came_back:
            _came_back[self] = _events_among(self, names)
            # These refer to calculations that have read them, which refer to the session.
            self.on_ended(lambda: _forget(self))
        else:
            _happened(self, names)

    def is_none_event(value: object) -> bool:
        return is_none(value) or _has_come_back(value)

    AppSession._manage_inputs = manage_inputs
    _reactives._is_none_event = is_none_event


def _events_among(session: AppSession, names: Iterable[str]) -> dict[str, reactive.Value[Any]]:
    listed = session.input[ResolvedId(EVENTS)]._value
    values = {name: session.input[ResolvedId(name)] for name in names}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value._value, ActionButtonValue)
        or (isinstance(listed, Collection) and name in listed)
    }


def _forget(session: AppSession) -> None:
    _came_back[session].clear()


def _happened(session: Session, names: Iterable[str]) -> None:
    """Note that inputs have values of this session now: they are events again."""
    for name in names:
        _came_back.get(session, {}).pop(name, None)


def _has_come_back(value: object) -> bool:
    """Whether the running effect has read this value from an input that came back."""
    session, context = get_current_session(), get_current_context()
    if session is None or _is_drawing(session, context):
        return False
    return any(
        read._value is value
        # Other values, such as True, may be another input's too.
        and (isinstance(value, ActionButtonValue) or context.id in _dependents_of(read))
        for read in _came_back.get(session.root_scope(), {}).values()
    )


def _is_drawing(session: Session, context: Any) -> bool:
    """Whether a calculation or an output runs: these only read, and are needed again."""
    return not context._flush_callbacks or session.clientdata._current_output_name is not None


def _dependents_of(value: reactive.Value[Any]) -> Collection[int]:
    return value._value_dependents._dependents


_came_back: WeakKeyDictionary[Session, dict[str, reactive.Value[Any]]] = WeakKeyDictionary()
"""By session, its event inputs that have the values of an earlier session of the page."""


def send_from_threads() -> None:
    # Changing a reactive value, or showing a notification, makes Shiny write to sockets. Only the
    # event loop may do that, but tools and iterables that are not async run in our threads.
    original = AppSession._send_message_sync

    @functools.wraps(original)
    def send(self: AppSession, message: dict[str, object]) -> None:
        loop = concurrency.home()
        if loop is None:
            original(self, message)
        else:
            loop.call_soon_threadsafe(original, self, message)

    AppSession._send_message_sync = send


# ── sessions that end ────────────────────────────────────────────────────────────────────────


def count_ends(ended: Callable[[int], None]) -> None:
    """After the end of each session, call `ended` with how many its app still has."""
    original = shiny.App._remove_session

    @functools.wraps(original)
    def remove(self: shiny.App, session: AppSession | str) -> None:
        original(self, session)
        ended(len(self._sessions))

    shiny.App._remove_session = remove


# ── flushing ─────────────────────────────────────────────────────────────────────────────────


def flush_whom_it_concerns() -> None:
    """
    Let Shiny's own flush pass over sessions that did not ask for it and have nothing to send.

    It would send a frame to every session of the process for each input of anyone: of 500 people
    who come or press a button, each would cost 500 frames.
    """
    request, flush_session = AppSession._request_flush, AppSession._flush

    @functools.wraps(request)
    def request_flush(self: AppSession) -> None:
        request(self)
        _asked.add(self)

    @functools.wraps(flush_session)
    async def flush_if_due(self: AppSession) -> None:
        if self in _asked or _has_something_to_send(self):
            _asked.discard(self)
            await flush_session(self)

    AppSession._request_flush = request_flush
    AppSession._flush = flush_if_due


_asked: WeakSet[Session] = WeakSet()
"""Sessions that a flush has been asked for, as Shiny does after each frame of a page."""


def flush_soon(session: Session) -> None:
    """Flush changes of handlers and new events, at most `FLUSHES_PER_SECOND` times a second."""
    if session.is_stub_session():  # Shiny runs an Express script once at start, without a page
        return
    app = app_of(session)
    if app in _due or not _is_due(session):
        return
    _due.add(app)
    _tasks.spawn(_flush_later(app), context=Context())


async def _flush_later(app: shiny.App) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, _last.get(app, 0.0) + 1 / FLUSHES_PER_SECOND - loop.time()))
    _due.discard(app)
    _last[app] = loop.time()
    await _flush(app)


async def flush(session: Session) -> None:
    """Flush the changes of the running handler now."""
    if _is_due(session):  # not in the handler's own context: other people's effects run here
        await asyncio.create_task(_flush(app_of(session)), context=Context())


def _is_due(session: Session) -> bool:
    return not _environment._pending_flush_queue.empty() or _has_something_to_send(
        session.root_scope()
    )


async def _flush(app: shiny.App) -> None:
    """Run what was invalidated, and flush only the sessions that have something to send."""
    async with reactive.lock():
        await _flush_locked(app)


async def _flush_locked(app: shiny.App) -> None:
    await _environment._flush_sequential()
    for session in list(app._sessions.values()):
        if _has_something_to_send(session):
            try:
                await session._flush()
            except Exception:
                _logger.debug("a session ended before its flush", exc_info=True)


def _has_something_to_send(session: Any) -> bool:
    waiting = session._outbound_message_queues
    callbacks = session._flush_callbacks, session._flushed_callbacks
    return bool(
        waiting.values
        or waiting.errors
        or waiting.input_messages
        or any(each.count() for each in callbacks)
    )


_due: WeakSet[shiny.App] = WeakSet()
_last: WeakKeyDictionary[shiny.App, float] = WeakKeyDictionary()
_tasks = concurrency.Tasks("flushes")
_logger = logging.getLogger("shiny_labchat")
