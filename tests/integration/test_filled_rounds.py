"""Who leaves a game in rounds has an empty place, and a bot takes it in the next round."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from contextlib import AsyncExitStack

from tests.support.backend import FreshUrl
from tests.support.check_groups import read_log
from tests.support.server import ROOT, Server, shiny_run
from tests.support.visitor import Visitor, visitor

APP = ROOT / "tests" / "integration" / "apps" / "filled_rounds.py"
SEEN = "labchat_form_filled_seen"
TELLTALES = re.compile(r"assistant|secret|machine|program|\bbots?\b", re.I)
"""What says that somebody is none."""


async def is_in_round(page: Visitor, number: int) -> None:
    """Wait until somebody is in the room of a round, where nobody has written yet."""
    await page.until(lambda: f"Talk in round {number}." in page.page and texts(page) == [])


def texts(page: Visitor) -> list[str] | None:
    """What somebody reads in their room; None: they are in none."""
    return page.chat.texts if page.chat is not None and page.chat.welcome else None


async def talks(pages: dict[str, Visitor]) -> dict[str, list[str]]:
    """All say their names; what each reads, when all have been answered."""
    for name, page in pages.items():
        assert page.chat is not None
        await page.chat.send(f"I am {name}.")
    for page in pages.values():
        await page.until(lambda p=page: len(texts(p) or ()) == 2)
    return {name: texts(page) or [] for name, page in pages.items()}


def partners(read: dict[str, list[str]]) -> dict[str, str]:
    """Whose words, or of what kind, each has read beside their own."""
    return {
        name: next(text for text in said if text != f"I am {name}.") for name, said in read.items()
    }


async def test_a_bot_takes_the_empty_place_in_the_next_round_and_writes_there(
    fresh_url: FreshUrl,
) -> None:
    server = Server(shiny_run(APP), fresh_url())
    await asyncio.to_thread(server.start)
    try:
        async with AsyncExitStack() as stack:
            pages = {
                name: await stack.enter_async_context(visitor(server.port))
                for name in ("Ann", "Bob", "Carl", "Dora")
            }
            await play(pages)
    finally:
        await asyncio.to_thread(server.stop)
    says_what_happened(server.url)


async def play(pages: dict[str, Visitor]) -> None:
    """Dora leaves in the first round; the others play to the end, in twos, and one with a bot."""
    for page in pages.values():
        page.follows = True
        await page.sees("consent")
        await page.does("consent", version="1", answers={})
    for page in pages.values():
        await is_in_round(page, 1)
    met = partners(await talks(pages))
    await pages.pop("Dora").does("stop")
    for name, page in pages.items():
        if met[name] != "I am Dora.":  # whose room is closed now
            await page.sends(SEEN)
    for number in (2, 3):
        for page in pages.values():
            await is_in_round(page, number)
        now = partners(await talks(pages))
        [alone] = [name for name in pages if now[name] == f"Heard: I am {name}."]
        assert {now[name] for name in pages.keys() - {alone}} == {
            f"I am {name}." for name in pages.keys() - {alone}
        }
        for page in pages.values():
            assert page.chat is not None
            assert TELLTALES.findall(json.dumps(page.chat.frames)) == []
            await page.sends(SEEN)
    for page in pages.values():
        screen = await page.sees("ended")
        assert "We wanted to know who notices." in json.dumps(screen["debrief"])
        assert (await page.does("debriefed"))["t"] == "did"
        await page.until(lambda p=page: "code" in p.screen)
        assert page.screen["code"]["value"] == "DONE1"


def says_what_happened(url: str) -> None:
    log = read_log(url, "filled", "study", "filled")
    grouped = [each["data"] for each in log if each["kind"] == "grouped"]
    filled = [(each["round"], each.get("stand_ins", [])) for each in grouped]
    assert sorted(filled) == [
        *((1, []), (1, [])),
        *((2, []), (2, ["secret"])),
        *((3, []), (3, ["secret"])),
    ]
    paid = [(each["member"], each["data"]["key"]) for each in log if each["kind"] == "paid"]
    assert Counter(key for _, key in paid) == {"round 1": 2, "round 2": 3, "round 3": 3}
    assert len(paid) == len({*paid})
    reasons = Counter(each["data"]["reason"] for each in log if each["kind"] == "ended")
    assert reasons == {"complete": 3, "withdrew": 1}
    for each in grouped:
        said = read_log(url, "filled", "room", each["room"])
        authors = {event["member"] for event in said if event["kind"] == "message"}
        assert authors == {*each["people"], *each.get("stand_ins", [])}
