"""Behind a true nginx: people talk, and pages of other sites do not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import browser
from tests.support.nginx import SOCKETS_ONLY, nginx
from tests.support.page import Page, fetch_key, page
from tests.support.server import Server, shiny_run

pytestmark = pytest.mark.long
APP = Path(__file__).parent / "apps" / "room.py"
DEPLOYING = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text(encoding="utf-8")
FOREIGN = "https://evil.example"


def as_documented() -> str:
    """What docs/deploying.md says of the location."""
    found = re.search(
        r"location /pilot/ \{\n\s+proxy_pass [^\n]+\n(.*?)\n\s*\}", DEPLOYING, re.DOTALL
    )
    assert found is not None
    return found[1]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    server = Server(shiny_run(APP), f"sqlite:///{tmp_path / 'lab.db'}")
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
