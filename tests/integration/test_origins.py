"""Only pages of this site get tickets, whatever a proxy makes of their requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.client import browser
from tests.support.page import Page, fetch_key, page
from tests.support.reverse_proxy import ReverseProxy
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
FOREIGN = "https://evil.example"
FORWARDED = {"X-Forwarded-Host": "lab.example.org"}


@pytest.fixture
def own(fresh_url: FreshUrl) -> Iterator[Server]:
    """A server that has said nothing of origins yet."""
    server = Server(shiny_run(APP), fresh_url())
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["", "/pilot"], ids=["at the root", "under a path"])
async def proxy(request: pytest.FixtureRequest, own: Server) -> AsyncIterator[ReverseProxy]:
    async with ReverseProxy(own.port, request.param) as proxy:
        yield proxy


async def told(opened: Page) -> dict[str, object]:
    await opened.until(lambda: bool(opened.notices["chat"]))
    return opened.notices["chat"].pop(0)


async def without_key(opened: Page, **more: object) -> None:
    """Say hello as a page does that has no key."""
    keys = {"page": "p" * 20, "browser": opened.browser, "n": 1, **more}
    await opened.update(chat_hello=keys)


# ── the key ──


async def test_a_key_is_kept_nowhere_and_no_other_page_may_read_it(server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}/labchat/key"
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-type"].startswith("text/plain")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        foreign = (
            {"Origin": FOREIGN},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        )
        for headers in foreign:
            refused = await client.get(address, headers=headers)
            assert refused.status_code == 403 and refused.text != answer.text
        assert (await client.post(address)).status_code in (404, 405)


async def test_a_page_without_a_key_is_not_let_in(server: Server, lab: Lab) -> None:
    async with page(server.port, page_key="") as stranger:
        refusal = await told(stranger)
        assert (refusal["do"], refusal["code"]) == ("refuse", "ticket")
        server.logs("a page comes without a key: .* labchat/key")
        await without_key(stranger, key="1700000000.abc.def0123456789")
        assert (await told(stranger))["do"] == "key", "it fetches another one"
        await without_key(stranger, key=None)
        await without_key(stranger, key=await fetch_key(server.port))
        assert (await told(stranger))["do"] == "admit", "while it fetched one, nothing was said"


async def test_a_page_that_comes_back_after_a_restart_has_its_key_still(own: Server) -> None:
    key = await fetch_key(own.port)
    async with page(own.port, page_key=key) as before:
        await before.ticket()
        own.kill()
    own.start()
    async with page(own.port, page_key=key, before=before) as after:
        await after.ticket()


async def test_every_process_of_an_app_takes_the_keys_of_all(fresh_url: FreshUrl) -> None:
    command = ["-m", "uvicorn", "tests.integration.apps.mounted:app", "--workers", "2"]
    server = Server(command, fresh_url())
    server.start()
    try:
        async with page(server.port) as first:
            while (await told(first))["do"] == "key":
                await without_key(first, key=await fetch_key(server.port))
        keys = [await fetch_key(server.port) for _ in range(6)]
        for key in keys:
            async with page(server.port, page_key=key) as opened:
                await opened.ticket()
    finally:
        server.stop()


# ── the origin ──


async def test_a_page_of_another_site_gets_no_ticket(server: Server) -> None:
    """Not even with a key, which somebody may have fetched for it."""
    key = await fetch_key(server.port)
    foreign = {"origin": FOREIGN, "additional_headers": FORWARDED}
    async with page(server.port, page_key=key, **foreign) as evil:
        refusal = await told(evil)
        assert (refusal["do"], refusal["code"]) == ("refuse", "origin")
        assert FOREIGN in str(refusal["say"])
    async with page(server.port, page_key=key, origin="null") as sandboxed:
        assert (await told(sandboxed))["code"] == "origin"


async def test_where_its_origin_cannot_be_judged_it_gets_none_without_a_key(
    server: Server,
) -> None:
    async with page(server.port, page_key="", origin=FOREIGN) as evil:
        assert (await told(evil))["do"] == "refuse"
        for key in ("x" * 40, "1700000000.abc.def0123456789"):
            await without_key(evil, key=key)
            assert (await told(evil))["do"] == "key"


async def test_behind_a_proxy_that_replaces_the_host_people_talk(
    own: Server, proxy: ReverseProxy
) -> None:
    """The server cannot judge their origin, and says once what to set."""
    origin, sockets = f"http://127.0.0.1:{proxy.port}", f"{proxy.prefix}/websocket/"
    chats = f"{proxy.prefix}/labchat/ws"
    for _ in range(2):
        async with (
            page(proxy.port, path=sockets, origin=origin) as opened,
            browser(proxy.port, path=chats, origin=origin) as ann,
        ):
            await ann.hello(ticket=await opened.ticket())
            await ann.says("hello")
            async with browser(proxy.port, path=chats, origin=origin) as again:
                await again.hello(resume=ann.welcome["resume"])
                await again.sees("hello")
    await asyncio.to_thread(own.logs, "proxy_set_header Host")
    said = [line for line in own.log if re.search("proxy_set_header Host", line)]
    assert len(said) == 1 and f"the host 127.0.0.1:{own.port};" in said[0]


async def test_a_page_that_is_served_directly_is_judged_by_its_origin(own: Server) -> None:
    origin = f"http://127.0.0.1:{own.port}"
    async with page(own.port, origin=origin) as opened, browser(own.port, origin=origin) as ann:
        await ann.hello(ticket=await opened.ticket())
    assert not [line for line in own.log if "proxy_set_header" in line]
