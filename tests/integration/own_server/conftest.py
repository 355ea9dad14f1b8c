"""A lab and a server for each test alone: what it does to them is nobody else's business."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.models.model import Model
from tests.support.page import page
from tests.support.server import Server

Person = Callable[..., AbstractAsyncContextManager[Browser]]


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """The database, from this process."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def model() -> Iterator[Model]:
    """A language model."""
    with Model() as model:
        yield model


@pytest.fixture
def server(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A server of the module's `APP`; its parameter is what is in its environment besides."""
    if "model" in request.fixturenames:
        monkeypatch.setenv("MODEL_URL", request.getfixturevalue("model").url)
    for name, value in getattr(request, "param", {}).items():
        monkeypatch.setenv(name, value)
    server = Server(request.module.APP, lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def person(server: Server) -> Person:
    """``person()``: a page with a session, at this server if none is given, and a chat's socket."""

    @asynccontextmanager
    async def come(chat: str = "chat", *, at: Server = server) -> AsyncIterator[Browser]:
        async with page(at.port, chats=(chat,)) as opened, browser(at.port) as socket:
            await socket.hello(ticket=await opened.ticket(chat))
            yield socket

    return come
