"""Behind a true nginx: people talk, and pages of other sites do not."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.nginx import SOCKETS_ONLY, nginx, nginx_with
from tests.support.page import Page, fetch_key, page
from tests.support.server import Server, shiny_run

pytestmark = pytest.mark.long
APP = Path(__file__).parent / "apps" / "room.py"
ROOT = Path(__file__).parents[2]
DEPLOYING = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
FOREIGN = "https://evil.example"


def as_documented() -> str:
    """What docs/deploying.md says of the location."""
    found = re.search(
        r"location /pilot/ \{\n\s+proxy_pass [^\n]+\n(.*?)\n\s*\}", DEPLOYING, re.DOTALL
    )
    assert found is not None
    return found[1]


@pytest.fixture
def own(fresh_url: FreshUrl) -> Iterator[Server]:
    server = Server(shiny_run(APP), fresh_url())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nginx").mkdir()
    return tmp_path / "nginx"


async def told(opened: Page) -> dict[str, object]:
    await opened.until(lambda: bool(opened.notices["chat"]))
    return opened.notices["chat"].pop(0)


@pytest.mark.parametrize("path", ["/", "/pilot/"])
@pytest.mark.parametrize("settings", [SOCKETS_ONLY, as_documented()], ids=["default", "documented"])
async def test_people_talk(own: Server, folder: Path, path: str, settings: str) -> None:
    with nginx(own.port, folder, path=path, settings=settings) as port:
        origin, chats = f"http://127.0.0.1:{port}", f"{path}labchat/ws"
        async with (
            page(port, path=f"{path}websocket/", origin=origin) as opened,
            browser(port, path=chats, origin=origin) as ann,
        ):
            await ann.hello(ticket=await opened.ticket())
            await ann.says("hello")
            async with browser(port, path=chats, origin=origin) as again:
                await again.hello(resume=ann.welcome["resume"])
                await again.sees("hello")
    is_judged = settings != SOCKETS_ONLY
    if not is_judged:
        await asyncio.to_thread(own.logs, "proxy_set_header Host")
    assert is_judged != any("proxy_set_header Host" in line for line in own.log)


async def test_by_its_default_headers_no_page_of_another_site_gets_in_without_a_key(
    own: Server, folder: Path
) -> None:
    with nginx(own.port, folder) as port:
        async with page(port, page_key="", origin=FOREIGN) as evil:
            refusal = await told(evil)
            assert (refusal["do"], refusal["code"]) == ("refuse", "ticket")


async def test_as_documented_no_page_of_another_site_gets_in_even_with_a_key(
    own: Server, folder: Path
) -> None:
    settings = as_documented().replace("$http_host", "lab.example.org")  # which was asked for
    with nginx(own.port, folder, settings=settings) as port:
        key = await fetch_key(port)
        async with page(port, page_key=key, origin=FOREIGN) as evil:
            refusal = await told(evil)
            assert (refusal["do"], refusal["code"]) == ("refuse", "origin")


# ── what it lets through, and for how long ──


@pytest.mark.parametrize("path", ["/", "/pilot/"])
async def test_where_it_refuses_the_chats_websocket_people_talk_over_shinys(
    own: Server, folder: Path, path: str
) -> None:
    refuses = f"location {path}labchat/ws {{ return 403; }}"
    with nginx(own.port, folder, path=path, settings=SOCKETS_ONLY + refuses) as port:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"ws://127.0.0.1:{port}{path}labchat/ws", proxy=None)
        within = f"{path}websocket/"
        async with (
            page(port, path=within) as opened,
            browser(port, over="channel", within=within) as ann,
            browser(own.port) as bob,
        ):
            await ann.hello(ticket=await opened.ticket())
            await bob.hello(resume=ann.welcome["resume"])
            await ann.says("hello")
            await bob.sees("hello")


SHORTER = 25
"""How long nginx waits for a line that is silent, in seconds: its default is 60."""


@pytest.mark.parametrize("over", ["websocket", "channel"])
async def test_who_is_silent_for_longer_than_it_waits_stays_connected(
    own: Server, folder: Path, over: str
) -> None:
    """The server asks each line every 20 seconds whether it is there."""
    settings = f"{SOCKETS_ONLY}proxy_read_timeout {SHORTER}s; proxy_send_timeout {SHORTER}s;"
    with nginx(own.port, folder, settings=settings) as port:
        async with (
            page(port, ping_interval=None) as opened,
            browser(port, over=over, ping_interval=None) as ann,  # pyright: ignore
        ):
            await ann.hello(ticket=await opened.ticket())
            shinys = asyncio.ensure_future(opened.socket.wait_closed())
            await until_closed_or(ann, SHORTER * 2.5)
            await ann.says("still here")
            assert not shinys.done()
            shinys.cancel()


async def until_closed_or(someone: Browser, seconds: float) -> None:
    """Fails if a line ends within so many seconds."""
    with pytest.raises(TimeoutError):
        await someone.until(lambda: False, within=seconds)


# ── several servers, as in deploy/compose ──


@pytest.fixture
def two(fresh_url: FreshUrl) -> Iterator[list[Server]]:
    """Two servers with one database."""
    url = fresh_url()
    servers = [Server(shiny_run(APP), url) for _ in range(2)]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def compose(two: list[Server], folder: Path) -> Iterator[int]:
    """As in deploy/compose, but that its servers are these."""
    config = (ROOT / "deploy" / "compose" / "nginx.conf").read_text(encoding="utf-8")
    for name, server in zip(("app1", "app2"), two, strict=True):
        assert f"server {name}:8000;" in config
        config = config.replace(f"server {name}:8000;", f"server 127.0.0.1:{server.port};")
    config = config.replace("/var/log/nginx", str(folder))
    with nginx_with(config, "80", folder) as port:
        yield port


async def test_each_visitor_always_reaches_the_same_server(
    compose: int, two: list[Server], folder: Path
) -> None:
    """All come from one address; who has no cookie yet gets one."""
    marks = [secrets.token_hex(8) for _ in range(12)]
    for mark in marks:
        async with httpx.AsyncClient(trust_env=False) as visitor:
            first = await visitor.get(f"http://127.0.0.1:{compose}/?test=12345")
            assert "labchat_server" in first.cookies
            for n in range(5):
                await visitor.get(f"http://127.0.0.1:{compose}/{mark}-{n}")
    for server in two:
        async with httpx.AsyncClient(trust_env=False) as last:
            await last.get(f"http://127.0.0.1:{server.port}/last")
        await asyncio.to_thread(server.logs, "/last")
    asked = [tuple(sum(mark in line for line in each.log) for each in two) for mark in marks]
    assert set(asked) == {(5, 0), (0, 5)}
    log = (folder / "access.log").read_text()
    assert marks[-1] in log and "12345" not in log


async def test_people_at_different_servers_talk_to_each_other(
    compose: int, two: list[Server]
) -> None:
    cookie = {"Cookie": "labchat_server=ann"}
    async with (
        page(compose, additional_headers=cookie) as opened,
        browser(compose, additional_headers=cookie) as ann,
    ):
        await ann.hello(ticket=await opened.ticket())
        for number, server in enumerate(two):
            async with browser(server.port) as bob:
                await bob.hello(resume=ann.welcome["resume"])
                await ann.says(f"{number}")
                await bob.sees(f"{number}")
