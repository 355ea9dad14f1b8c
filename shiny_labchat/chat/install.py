"""Installation of the gateway into Shiny apps."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import shiny
from shiny.session import Session
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from shiny_labchat import garbage
from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.assets import permanent_folders, put_on_page, renderer_dependencies
from shiny_labchat.chat.session_room import may_have_to_wait
from shiny_labchat.chat.shiny_internals import app_of
from shiny_labchat.chat.static_files import configure_static_files
from shiny_labchat.gateway import endpoint
from shiny_labchat.gateway.access_log import hide_addresses
from shiny_labchat.gateway.multiplexing import Multiplexer
from shiny_labchat.lab import runtime
from shiny_labchat.lab.withdrawing import withdraw_with_code

__all__ = ["ensure_route", "install"]


def install() -> None:
    """
    Put the gateway into every Shiny app that is made from now on, and adapt Shiny to it.

    So the gateway is there right after a restart, before any visitor comes.

    Callbacks run as long as the app does. (An app that is mounted into another one is told when
    the server starts only if the other app's lifespan runs its own. If not, its callbacks start
    when they are registered, if an event loop runs by then, as with ``uvicorn --workers``; else
    when the app first writes to a room, as it does when the first person enters one.)
    """
    original = shiny.App.init_starlette_app
    if getattr(original, "__labchat__", False):
        return

    @functools.wraps(original)
    def init_starlette_app(self: shiny.App) -> Starlette:
        app = original(self)
        _insert_routes(app)
        shiny_internals.serve(self, renderer_dependencies())
        configure_static_files(app, permanent_folders())
        _run_beside(app)
        hide_addresses()
        _show_log()
        garbage.calm()
        return app

    init_starlette_app.__labchat__ = True  # pyright: ignore[reportAttributeAccessIssue]
    shiny.App.init_starlette_app = init_starlette_app
    shiny_internals.put_on_pages(put_on_page)
    shiny_internals.fire_events_once()
    shiny_internals.flush_whom_it_concerns()
    shiny_internals.count_ends(garbage.leftovers.ended)
    shiny_internals.send_from_threads()
    shiny_internals.let_effects_wait(may_have_to_wait)


def ensure_route(session: Session) -> None:
    """Put the gateway into an app that was made before this package was imported."""
    app = app_of(session).starlette_app
    if not any(getattr(route, "path", None) == endpoint.PATH for route in app.router.routes):
        _insert_routes(app)
        configure_static_files(app, permanent_folders())
        hide_addresses()
        _show_log()


def _insert_routes(app: Starlette) -> None:
    routes = endpoint.routes(
        *(runtime.opened_logs, runtime.live_rooms, runtime.words_of),
        *(runtime.address_of, withdraw_with_code),
    )
    sockets = {each.path: each.app for each in routes if isinstance(each, WebSocketRoute)}
    for session_route in shiny_internals.session_routes(app):
        if not isinstance(session_route.app, Multiplexer):
            session_route.app = Multiplexer(session_route.app, sockets)
    app.router.routes[:0] = routes


def _run_beside(app: Starlette) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[Any]:
        async with inner(app) as state, runtime.running():
            yield state

    app.router.lifespan_context = lifespan


def _show_log() -> None:
    # Shiny sets up no logging; without this, nobody sees the line that says where the record is.
    logger = logging.getLogger("shiny_labchat")
    if logger.handlers or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("labchat: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
