"""Who is in a room, and what of it an app is told: what its person may know, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat import Bot, Lab
from shiny_labchat.lab.runtime import running
from tests.support.backend import FreshUrl
from tests.support.page import Page, page
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "members.py"
OUTPUTS = ("members", "me")
NOW: dict[str, Any] = {"reading": None, "typing": None}


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(APP), lab.url)
    server.start()
    yield server
    server.stop()


async def test_who_is_a_bot_is_told_to_whom_it_was_disclosed_as_soon_as_it_is(
    server: Server, lab: Lab
) -> None:
    async with page(server.port, outputs=OUTPUTS) as ann, page(server.port, outputs=OUTPUTS) as bob:
        for each in (ann, bob):
            await shows(each, "participant")
        if ann.values["me"] != "Ann 1: participant":
            ann, bob = bob, ann
        room = lab.room("members", study="tests")
        (one,) = [member for member in await room.members() if member.pseudonym == "Ann 1"]
        await room.disclose("b", to=[one])
        await shows(ann, "assistant")
        await room.add_member("c", pseudonym="Cem")
        await shows(bob, "participant", ", Cem: participant")
    assert [member.role for member in await room.members() if member.id == "b"] == ["assistant"]


async def shows(opened: Page, role: str, more: str = "") -> None:
    """Wait until a page shows the bot in a role, and both people."""
    expected = f"Bo: {role}, Ann 1: participant, Ann 2: participant{more}"

    def members() -> list[str]:
        return str(opened.values.get("members")).split(", ")

    await opened.until(lambda: sorted(members()) == sorted(expected.split(", ")))
    if role == "assistant":
        assert members() == expected.split(", "), "in order of joining"


async def test_a_bot_that_was_added_for_several_rooms_one_by_one_is_in_all_of_them(
    lab: Lab,
) -> None:
    """Of two with the same id the later one is there, and speaks, where both are meant."""
    lab.add_bot(Bot("b", respond=lambda heard: "first", disclose=True, **NOW))
    for rooms in ("a-*", "b-*"):
        lab.add_bot(Bot("b", respond=lambda heard: "second", **NOW), rooms)
    async with running():
        for id, says, shown in (
            ("a-1", "second", "participant"),
            ("b-1", "second", "participant"),
            ("c-1", "first", None),
        ):
            room = lab.room(id, study="s")
            await room.add_member("ann")
            assert (await room.state()).memberships["b"].shown == shown
            await room.post("hi", author="ann")
            async with asyncio.timeout(20):
                while len(said := await room.messages()) < 2:
                    pass
            assert said[1].content == says
