"""
All uses of Shiny's private interface, in one place.

``tests/contract/test_shiny.py`` fails when a new version of Shiny changes any of it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import shiny
from htmltools import HTMLDependency, TagChild
from shiny import reactive
from shiny.reactive._core import _reactive_environment as _environment
from shiny.session import Session
from shiny.session._session import AppSession

from shiny_labchat import concurrency

__all__ = [
    "app_of",
    "flush",
    "flush_soon",
    "remount",
    "render",
    "restored",
    "send_from_threads",
    "without_names",
]

FLUSHES_PER_SECOND = 20


# ── the gateway's route ──────────────────────────────────────────────────────────────────────


def app_of(session: Session) -> shiny.App:
    """The app of a session, which must not be a stub."""
    return session.root_scope().app


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


def remount(session: Session, dep: Mapping[str, Any]) -> None:
    """Serve the files of a dependency of a message from before this server started."""
    if dep.get("source"):
        known = HTMLDependency(dep["name"], dep["version"], source=dep["source"])
        app_of(session)._register_web_dependency(known)


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


# ── flushing ─────────────────────────────────────────────────────────────────────────────────


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
    """
    Run invalidated reactive functions, and flush only the sessions that have something to send.

    Shiny's own flush sends a frame to every session of the process, whatever changed.
    """
    async with reactive.lock():
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
