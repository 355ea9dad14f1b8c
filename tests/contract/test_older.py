"""Pages of older messages in rooms where most is private to others: bounded work for each."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.window import PAGE, SEARCHED, Page, older
from tests.support.work import counted

TRICKY = ('"audience":["b"]', '{"audience":[]}', "b", "\\", 'say "b"')


async def filled(room: Room, number: int, seed: int = 1) -> list[str]:
    """Messages of all kinds; gives the texts of those that b may see, oldest first."""
    chance, seen = random.Random(seed), list[str]()
    posts: list[Any] = []
    for n in range(number):
        text = f"{n} {chance.choice(TRICKY)}"
        audience = chance.choice([None, ["a"], ["a"], ["a"], ["a", "b"], ["b"]])
        author = chance.choice(["a", "b", None])
        posts.append(room.post(text, author=author, audience=audience))
        if audience is None or "b" in audience or author == "b":
            seen.append(text)
    await asyncio.gather(*posts)
    return seen


async def page_before(live: LiveRoom, before: int, *, searched: int = SEARCHED) -> Page:
    """The page that b is given."""
    viewer, number = live.state.memberships["b"], live._number
    return await older(live._log, number, live.state, before, viewer, searched=searched)


async def pages(live: LiveRoom, *, searched: int = SEARCHED) -> list[Page]:
    """The pages that b is given, newest first, as a browser asks for them."""
    found = list[Page]()
    before = live.state.seq + 1
    while not found or found[-1].more:
        page = await page_before(live, before, searched=searched)
        found.append(page)
        if page.before is not None:
            before = _seq(live, page.before)
        elif page.items:
            before = _seq(live, orjson.loads(page.items[0])["id"])
        else:
            assert not page.more, "a browser would stop here"
    return found


def _seq(live: LiveRoom, id: str) -> int:
    seq = seq_of(live.state.seed, id)
    assert seq is not None
    return seq


def _text(item: str) -> str:
    return orjson.loads(item)["text"]


@pytest.mark.parametrize("searched", [7, 60, 5_000])
async def test_all_that_a_member_may_see_is_on_some_page_once(
    lab: Lab, room: Room, searched: int
) -> None:
    seen = await filled(room, 300)
    live = await Runtime.of(lab.log).live.open(room.key)
    found = [
        _text(item)
        for page in reversed(await pages(live, searched=searched))
        for item in page.items
    ]
    assert found == seen
    live.leave()


async def test_a_page_among_others_private_messages_reads_a_bounded_number(
    lab: Lab, room: Room
) -> None:
    await room.post("first")
    await asyncio.gather(*(room.post(f"{n}", audience=["a"]) for n in range(950)))
    live = await Runtime.of(lab.log).live.open(room.key)
    end = live.state.seq + 1
    with counted() as work:
        page = await page_before(live, end, searched=100)
    assert (page.items, page.more, work["events"]) == ([], True, 0)
    assert page.before is not None and _seq(live, page.before) == end - 100
    with counted() as work:
        found = await pages(live, searched=100)
    assert [_text(item) for page in found for item in page.items] == ["first"]
    assert len(found) == 10 and work["events"] == 1, "the others are left out in the database"
    live.leave()


async def test_where_nothing_is_private_a_page_is_whole(lab: Lab, room: Room) -> None:
    await asyncio.gather(*(room.post(f"{n}") for n in range(130)))
    live = await Runtime.of(lab.log).live.open(room.key)
    with counted() as work:
        found = await pages(live)
    assert [len(page.items) for page in found] == [PAGE, PAGE, 30]
    assert all(page.before is None for page in found)
    assert work["events"] <= 130 + 2
    live.leave()


async def test_private_streams_are_left_out_and_others_are_whole(lab: Lab, room: Room) -> None:
    for audience in (["a"], ["b"], None):
        opened = await room.submit(Post([], audience=audience, is_live=True))
        end = EndStream(
            opened.events[0].seq, [("text", f"for {audience}")], "done", audience=audience
        )
        await room.submit(end)
    live = await Runtime.of(lab.log).live.open(room.key)
    [page] = await pages(live)
    assert [_text(item) for item in page.items] == ["for ['b']", "for None"]
    live.leave()
