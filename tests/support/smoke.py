"""
A bit of everything, for environments that have what users have, and no tools of tests.

``python -m tests.support.smoke`` ends well if the package works with the versions it finds: all its
modules, the database, bots and a chat's model over the wire, a page with its socket, the command.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import shiny_labchat
from shiny_labchat import Bot, Lab, Room, Rules
from shiny_labchat.lab.runtime import running
from tests.support.client import browser
from tests.support.models.model import Model, Reply, Tool
from tests.support.page import page
from tests.support.server import Server

THOUGHT = "<think>hm</think>"


def import_all() -> None:
    """Import every module; those for tests of apps need Playwright."""
    for found in pkgutil.walk_packages(shiny_labchat.__path__, "shiny_labchat."):
        if ".migrations" not in found.name and ".playwright" not in found.name:
            importlib.import_module(found.name)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees in {city}"


async def until(is_so: Callable[[], Awaitable[Any]], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not await is_so():
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.05)


async def a_bot_speaks(room: Room, model: Model, *, disclose: bool) -> None:
    """A bot types or streams a reply, with a tool, after a failure and a reply without an end."""
    from chatlas import ChatOpenAICompletions

    client = ChatOpenAICompletions(model="gpt-4.1-nano", api_key="key", base_url=model.url)
    client.register_tool(weather)
    model.will(
        Reply(status=500),
        Reply("half of it", pieces=4, cut=2, how="end"),
        Reply("Let me. ", tools=[Tool("weather", {"city": "Oslo"})], pieces=2),
        Reply(f"{THOUGHT}18 degrees.", pieces=9),
    )
    room.add_bot(Bot("b", client=client, seed=7, reading=None, typing=None, disclose=disclose))
    await room.add_member("ann")
    await room.post("How warm is it?", author="ann")

    async def has_spoken() -> bool:
        return [entry.outcome for entry in await room.audit()][-2:] == ["tool", "posted"]

    await until(has_spoken)
    entries = await room.audit()
    assert [entry.outcome for entry in entries[:-2]] == ["failed", "failed"], entries
    assert (await room.messages())[-1].content == "Let me. 18 degrees."
    last = (await room.audit())[-1]
    assert last.tokens_in and last.model == "gpt-4.1-nano" and weather("Oslo") in str(last.prompt)


async def a_page_is_answered(url: str, model: Model) -> None:
    """A person's page, its socket, and the model of its chat."""
    os.environ["MODEL_URL"] = model.url
    server = Server(["-m", "uvicorn", "tests.integration.apps.replies:app"], url)
    server.start()
    try:
        async with page(server.port, chats=("chat",)) as opened, browser(server.port) as ann:
            await ann.hello(ticket=await opened.ticket("chat"))
            model.will(Reply(f"{THOUGHT}It is **so**.", "let me see", pieces=7))
            await ann.says("Is it so?")
            await ann.until(lambda: "It is **so**." in ann.texts, 60.0)
            await ann.until(lambda: not any("live" in item for item in ann.items.values()), 60.0)
    finally:
        server.stop()


async def try_all(folder: Path) -> None:
    url = f"sqlite:///{folder / 'lab.db'}"
    lab = Lab(url)
    with closing(lab.log), Model() as model:
        async with running():
            for disclose in (False, True):
                room = lab.room(f"bots-{disclose}", study="tests", rules=Rules(rate=None))
                await a_bot_speaks(room, model, disclose=disclose)
        await a_page_is_answered(url, model)
        [asked, answered] = await lab.room("replies", study="tests").messages()
        assert (asked.content, answered.content) == ("Is it so?", "It is **so**.")


def main() -> None:
    import_all()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(try_all(Path(folder)))
        command = [str(Path(sys.executable).with_name("labchat")), "links", "p1", "--study", "s"]
        command += ["--db", f"{folder}/lab.db", "--address", "http://localhost/"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "http://localhost/?labchat=" in done.stdout, done.stdout
    print("all of it works")


if __name__ == "__main__":
    main()
