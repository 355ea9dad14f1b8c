"""Pages are told of a withdrawal within a second, in all processes, and whenever they come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import count

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from tests.integration.conftest import APP, Come, log_of
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

WITHIN = 1.0
"""How long it may take until a page that is open is told, in seconds."""
SECRET = "SECRET-WORDS"


@pytest.fixture(scope="module")
def second(url: str) -> Iterator[Server]:
    """Another server of the same database."""
    server = Server(shiny_run(APP), url)
    server.start()
    yield server
    server.stop()


_studies = count(1)


@pytest.fixture
async def room(lab: Lab) -> Room:
    """A room in a study of the test's own: who has withdrawn from one does not come again."""
    return await lab.create_room("r", study=f"left-{next(_studies)}", rules=Rules(rate=None))


def is_blank(page: Browser, texts: int) -> bool:
    """Whether so many messages are blank, and no word or name of theirs is left."""
    blank = [each for each in page.items.values() if each.get("withdrawn")]
    return len(blank) == texts and not any(SECRET in text for text in page.texts)


async def test_open_pages_are_blank_within_a_second_in_two_processes(
    come: Come, lab: Lab, room: Room, server: Server, second: Server
) -> None:
    async with (
        come("ann") as ann,
        come("bob") as bob,
        come("cat", port=second.port) as cat,
    ):
        await ann.says(SECRET)
        await bob.says("hello")
        await cat.sees(SECRET, "hello")
        handle = ann.welcome["you"]["h"]
        withdrawing = asyncio.create_task(lab.withdraw("ann", study=room.study))
        for page in (bob, cat):
            await page.until(lambda page=page: is_blank(page, 1))  # pyright: ignore
        told = time.time()
        [stored] = [event for event in await log_of(room) if event.kind == "withdrawn"]
        assert told - stored.at / 1e6 < WITHIN
        assert await ann.is_sent_away() == ("removed", 4403)
        assert is_blank(ann, 1), "their own page forgets it, too"
        done = await withdrawing
        for page in (ann, bob, cat):
            [item] = [i for f in page.frames for i in f.get("e", ()) if i.get("k") == "withdrawn"]
            assert item == {"k": "withdrawn", "id": item["id"], "h": handle}
            assert done.id not in repr(page.frames), "no frame has an id of a person"
        await bob.until(lambda: handle not in repr(is_here(bob)))


def is_here(page: Browser) -> list[list[str]]:
    """Who is here, as a page was told last."""
    return [frame for frame in page.frames if frame["t"] == "presence"][-1]["who"]


async def test_who_was_offline_is_told_when_they_come_back(
    come: Come, lab: Lab, room: Room, second: Server
) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await ann.says(SECRET)
        await ann.says(f"{SECRET} again")
        await bob.sees(SECRET, f"{SECRET} again")
        upto, resume, items = bob.upto, bob.welcome["resume"], dict(bob.items)
    await lab.withdraw("ann", study=room.study)
    async with browser(second.port) as back:
        back.items.update(items)
        welcome = await back.hello(after=upto, resume=resume)
        assert not welcome["reset"]
        await back.until(lambda: is_blank(back, 2))


async def test_older_pages_and_new_visitors_get_blank_items(
    come: Come, lab: Lab, room: Room
) -> None:
    await room.add_member("ann")
    for n in range(60):
        await room.post(f"{SECRET} {n}", author="ann")
        await room.post(f"{n}", author=None)
    async with come("bob") as bob:
        await bob.sees("59")
        await lab.withdraw("ann", study=room.study)
        await bob.until(lambda: not any(SECRET in text for text in bob.texts))
        await bob.tell(t="older", before=next(iter(bob.items)))
        await bob.hears("older")
        assert len([each for each in bob.items.values() if each.get("withdrawn")]) >= 50
        assert SECRET not in repr([f for f in bob.frames if f["t"] == "older"])
    async with come("cat") as cat:
        assert SECRET not in repr(cat.frames) and len(cat.items) == 50


async def test_private_messages_of_others_cannot_be_counted(
    come: Come, lab: Lab, room: Room
) -> None:
    for member in ("ann", "cat"):
        await room.add_member(member)
    for n in range(5):
        await room.post(f"{SECRET} {n}", author="ann", audience=["cat"])
    async with come("bob") as bob:
        await lab.withdraw("ann", study=room.study)
        frame = await bob.hears("events")
        [item] = frame["e"]
        assert {*item} == {"k", "id", "h"} and item["k"] == "withdrawn"


async def test_quotations_have_pages_ask_anew(come: Come, lab: Lab, room: Room) -> None:
    await room.add_member("ann")
    async with come("bob") as bob:
        await room.post("nothing to quote", author="ann")
        await bob.sees("nothing to quote")
        await lab.withdraw("ann", study=room.study, quotes="blank")
        frame = await bob.hears("events")
        while frame["e"][-1].get("k") != "withdrawn":
            frame = await bob.hears("events")
        assert frame["e"][-1]["anew"] is True


async def test_their_old_tickets_open_nothing(
    come: Come, lab: Lab, room: Room, server: Server
) -> None:
    async with come("ann") as ann:
        await ann.says(SECRET)
        resume, upto = ann.welcome["resume"], ann.upto
    raw = await ticket(room.log, room.key, "ann", "another page")
    await lab.withdraw("ann", study=room.study)
    for token in ({"resume": resume}, {"ticket": raw}):
        async with browser(server.port) as back:
            await back.tell(t="hello", v=3, after=upto, **token)
            assert await back.is_sent_away() == ("removed", 4403)
            items = [item for frame in back.frames for item in frame.get("e", ())]
            assert [item["k"] for item in items] == ["withdrawn"], "and they forget what was said"
