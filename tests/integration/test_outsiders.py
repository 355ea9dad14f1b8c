"""Strangers: how many people they may be, and what loading a page leaves behind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect

from shiny_labchat import Lab
from shiny_labchat.gateway.limits import PEOPLE_PER_SESSION
from shiny_labchat.store.schema import event, token
from tests.support.backend import FreshUrl
from tests.support.page import Page, page
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
AS_TOLD = Path(__file__).parent / "apps" / "coded.py"


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture(params=[APP])
def server(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(request.param), lab.url)
    server.start()
    yield server
    server.stop()


async def rows(lab: Lab) -> dict[str, int]:
    """How many people, and how many events, the database has."""

    def count(conn: sa.Connection) -> dict[str, int]:
        of = sa.func.count()
        people = sa.select(of).where(token.c.kind == "browser")
        joined = sa.select(of).where(event.c.kind == "joined")
        counts = {"people": people, "joined": joined, "tokens": sa.select(of).select_from(token)}
        return {name: conn.execute(each).scalar_one() for name, each in counts.items()}

    return await lab.log.read(count)


async def test_one_page_cannot_make_people_as_fast_as_it_can(server: Server, lab: Lab) -> None:
    async with page(server.port) as stranger:
        await stranger.ticket()
        answers = [await stranger.asks_as(secrets.token_hex(16)) for _ in range(60)]
        refused = [each for each in answers if each["do"] == "refuse"]
        for each in refused:
            assert (each["code"], each["again"]) == ("too_many_people", True)
            assert "tries again by itself" in each["say"]
        made = await rows(lab)
        assert made["people"] == made["joined"] == 61 - len(refused)
        assert made["people"] <= PEOPLE_PER_SESSION.burst + 6  # it takes less than a minute
        async with page(server.port) as another:
            await another.ticket()
        assert (await rows(lab))["people"] == made["people"] + 1, "others are not affected"


async def test_who_was_there_before_is_not_counted_again(server: Server, lab: Lab) -> None:
    key = secrets.token_hex(16)
    async with page(server.port, key=key) as ann:
        await ann.ticket()
        for _ in range(60):
            assert (await ann.asks_as(key))["do"] == "admit"
    assert (await rows(lab))["people"] == 1


@pytest.mark.parametrize("server", [AS_TOLD], indirect=True)
async def test_nor_can_it_where_the_app_names_whoever_the_page_says(
    server: Server, lab: Lab
) -> None:
    async with page(server.port) as stranger:
        await stranger.until(lambda: bool(stranger.notices["chat"]))
        answers: list[str] = []
        for n in range(60):
            stranger.notices["chat"].clear()
            await stranger.update(code=f"p{n}")
            await stranger.until(lambda: bool(stranger.notices["chat"]))
            answers.append(stranger.notices["chat"].pop(0).get("code", "in"))
        assert set(answers) == {"in", "too_many_people"}
        assert await _joined(lab) <= PEOPLE_PER_SESSION.burst + 7
        for n in (0, 1, 2):
            stranger.notices["chat"].clear()
            await stranger.update(code=f"p{n}")
            await stranger.until(lambda: bool(stranger.notices["chat"]))
            assert stranger.notices["chat"].pop(0)["do"] == "admit", "who it has been it may be"


async def _joined(lab: Lab) -> int:
    return (await rows(lab))["joined"]


async def test_loading_the_page_takes_no_place(server: Server, lab: Lab) -> None:
    address = f"127.0.0.1:{server.port}"
    async with page(server.port) as ann:
        await ann.ticket()
    before = await rows(lab)
    async with httpx.AsyncClient() as client:
        for _ in range(10):
            assert (await client.get(f"http://{address}/")).status_code == 200
    async with connect(f"ws://{address}/websocket/", proxy=None) as silent:
        await silent.send('{"method": "init", "data": {".clientdata_url_search": ""}}')
        async with page(server.port, key=ann.browser) as again:
            await again.ticket()
    after = await rows(lab)
    assert (after["people"], after["joined"]) == (before["people"], before["joined"])


async def test_a_page_that_waits_comes_in_when_it_asks_again_later(server: Server) -> None:
    async with page(server.port) as stranger:
        await stranger.ticket()
        while (await stranger.asks_as(secrets.token_hex(16)))["do"] == "admit":
            pass
        await later(stranger)


async def later(stranger: Page) -> None:
    """Ask again and again, as the element does, until there is a place."""
    key = secrets.token_hex(16)
    while (await stranger.asks_as(key))["do"] != "admit":
        pass
