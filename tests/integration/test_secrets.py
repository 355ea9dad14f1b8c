"""
What a browser must not know is in none of the bytes it is sent.

Every secret here begins with "secret-": ids of members, rooms and pages, keys of browsers, values
on record. All that each viewer is sent is kept: the page, the frames of Shiny's own websocket,
and those of ours.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiny_labchat import Lab, Room
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.page import fetch_key
from tests.support.server import ROOT, Server, shiny_run

APP = ROOT / "tests" / "browser" / "apps" / "content.py"
STUDY = "apps"


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@pytest.fixture
def lab(url: str) -> Iterator[Lab]:
    lab = Lab(url)
    yield lab
    lab.log.close()


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    server = Server(shiny_run(APP), url)
    server.start()
    yield server
    server.stop()


class Viewer:
    """Somebody who came by a personal link, and all they were ever sent."""

    def __init__(self, member: str, page: Browser, line: Browser) -> None:
        self.member = member
        self.page = page
        self.line = line
        self.html = ""
        self.tokens: set[str] = set()

    async def is_seated(self) -> str:
        """The ticket that the page is given."""
        notice: dict[str, Any] = {}

        def is_told() -> bool:
            told = (frame.get("custom", {}) for frame in self.page.frames)
            notice.update(
                next((message["labchat"] for message in told if "labchat" in message), {})
            )
            return bool(notice)

        await self.page.until(is_told)
        assert notice["do"] == "admit", notice
        self.tokens.add(notice["ticket"])
        return notice["ticket"]

    def everything(self) -> str:
        """All they were sent, as one text."""
        frames = [*self.page.frames, *self.line.frames]
        return self.html + json.dumps(frames, ensure_ascii=False)

    def roles(self) -> tuple[set[str], set[str]]:
        """The roles of people and of messages that were shown."""
        people = {self.line.welcome["you"]["role"]}
        for frame in self.line.frames:
            if frame["t"] == "presence":
                people |= {role for _, _, role in frame["who"]}
        return people, {item["role"] for item in self.line.items.values()}


class Page(Browser):
    """Shiny's own socket: its frames have no type of ours."""

    async def _receive(self) -> None:
        self.frames.append(json.loads(await self.socket.recv()))


def hello(room: Room, name: str, link: str, page_key: str) -> str:
    """What the page begins with."""
    keys = {key: f"secret-{key}-of-{name}" for key in ("page", "browser", "tab")}
    keys["key"] = page_key
    data = {
        ".clientdata_url_search": f"?room={room.id}&labchat={link}",
        ".clientdata_url_pathname": "/",
        ".clientdata_url_protocol": "http:",
        "chat_hello": keys,
    }
    data |= {f".clientdata_url_{n}": "" for n in ("hash", "hash_initial", "hostname", "port")}
    return json.dumps({"method": "init", "data": data})


@asynccontextmanager
async def visit(server: Server, lab: Lab, room: Room, name: str) -> AsyncIterator[Viewer]:
    """Come by a personal link, as a browser does."""
    link = await lab.invite(name, room=room)
    async with browser(server.port, path="/websocket/") as opened, browser(server.port) as line:
        viewer = Viewer(name, Page(opened.socket), line)
        viewer.tokens.add(link)
        async with httpx.AsyncClient(trust_env=False) as http:
            address = f"http://127.0.0.1:{server.port}/?room={room.id}&labchat={link}"
            viewer.html = (await http.get(address)).text
        page_key = await fetch_key(server.port)
        await viewer.page.socket.send(hello(room, name, link, page_key))
        welcome = await line.hello(ticket=await viewer.is_seated())
        viewer.tokens.add(welcome["resume"])
        yield viewer
        await (await opened.socket.ping())  # what was sent before the answer has come
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await viewer.page.until(lambda: False)


async def talk(lab: Lab, one: Room, two: Room, viewers: dict[str, Viewer]) -> None:
    """An hour in two rooms, with all that can happen there."""
    p17, gone = viewers["secret-p17"].line, viewers["secret-removed"].line
    boss, other = viewers["secret-boss"].line, viewers["secret-elsewhere"].line
    await p17.until(lambda: len(viewers["secret-p17"].roles()[0]) == 2)
    await boss.until(lambda: len(viewers["secret-boss"].roles()[0]) == 3)
    for line in (p17, gone, boss):
        await line.tell(t="typing")
        await line.says("to all")
    assert await viewers["secret-watcher"].line.tries("not I") == "read_only"
    assert await p17.tries("x" * 6_000) == "too_long"
    await other.says("in another room")
    await one.post("hush: for one alone", audience=["secret-p17"])
    await one.post("hush: in a name", author="secret-boss", audience=["secret-p17"])
    await one.record("secret-guess", {"secret-value": "secret-42"}, member="secret-p17")
    await one.announce("a notice")
    await p17.says("only me")  # the app answers this one person
    await p17.until(lambda: "a secret" in p17.texts)
    await boss.says("form")  # the app answers with UI, whose files lie somewhere
    await boss.until(lambda: any("answer" in text for text in boss.texts))
    await one.mute("secret-boss")
    assert await boss.tries("muted") == "muted"
    await one.remove_member("secret-removed")
    assert (await gone.is_sent_away())[0] == "removed"
    await p17.says("after the removal")
    await two.post("hush: for the other room")
    for line in (p17, boss, other, viewers["secret-watcher"].line):
        await line.tell(t="older", before=line.upto)
        line.items.clear()
        await line.hears("older")
        await line.settles()
    await one.close("for today")
    await p17.hears("state")


async def test_no_secret_is_in_any_byte_that_anybody_is_sent(
    server: Server, lab: Lab, tmp_path: Path
) -> None:
    one = await lab.create_room("secret-one", study=STUDY, title="The room")
    two = await lab.create_room("secret-two", study=STUDY, title="hush: another room")
    await one.add_member("secret-boss", role="experimenter")
    await one.add_member("secret-watcher", role="observer")
    where = {"p17": one, "boss": one, "watcher": one, "removed": one, "elsewhere": two}
    viewers: dict[str, Viewer] = {}
    async with AsyncExitStack() as stack:
        for name, room in where.items():
            visitor = visit(server, lab, room, f"secret-{name}")
            viewers[f"secret-{name}"] = await stack.enter_async_context(visitor)
        await talk(lab, one, two, viewers)
    for name, viewer in viewers.items():
        sent = viewer.everything()
        assert len(viewer.html) > 1_000 and len(viewer.page.frames) > 1 and viewer.line.frames
        foreign = {t for other in viewers.values() if other is not viewer for t in other.tokens}
        hidden = {"secret-", str(tmp_path), str(ROOT), ".db", *foreign}
        hidden |= {"labchat=", '"member"', "sqlite"}
        if name != "secret-p17":
            hidden |= {"hush: for one alone", "a secret"}
        if name not in ("secret-p17", "secret-boss", "secret-elsewhere"):
            hidden |= {"hush"}
        if name == "secret-removed":
            hidden |= {"after the removal", "for today"}
        if name != "secret-elsewhere":
            hidden |= {"in another room", "another room"}
        found = [word for word in sorted(hidden) if word in sent]
        assert found == [], f"{name} was sent {_around(sent, found)}"
    people, said = viewers["secret-p17"].roles()
    assert people == {"participant", "experimenter"}  # who observes is not shown to participants
    assert viewers["secret-boss"].roles()[0] == {"participant", "experimenter", "observer"}
    assert said == {"user", "assistant", "system"}
    assert "hush: for one alone" in viewers["secret-p17"].everything()  # the words would be found


def _around(sent: str, words: list[str]) -> list[str]:
    return [sent[max(0, (at := sent.index(word)) - 80) : at + 80] for word in words]
