"""Every block of Python in README and docs runs as it stands."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from shiny_labchat import Lab
from tests.runner import warm
from tests.support.client import browser
from tests.support.page import page
from tests.support.server import Server, shiny_run

from .blocks import Block, blocks

BLOCKS = list(blocks())
APPS = [block for block in BLOCKS if block.is_app]
PROGRAMS = [block for block in BLOCKS if not block.is_app]
ROOM = re.compile(r'<labchat-room\b[^>]*?\bid="([\w-]+)"')
OUTPUT = re.compile(
    r'<\w+\b(?=[^>]*\bclass="[^"]*\bshiny-(?:text|html)-output\b)[^>]*?\bid="(\w+)"'
)
IS_WRONG = re.compile(r"Traceback|Error|failed")
ASKED = "Can you help me?"
WIDTH = 86
"""How many characters of code fit beside the navigation."""


def test_there_are_blocks_to_run() -> None:
    assert len(APPS) > 20 and len(PROGRAMS) > 10
    assert len({block.page for block in BLOCKS}) > 10


def test_no_line_is_wider_than_the_site_shows() -> None:
    lines = [f"{block.name}: {line}" for block in BLOCKS for line in block.code.splitlines()]
    assert [line for line in lines if len(line.partition(": ")[2]) > WIDTH] == []


# ── apps ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("block", APPS, ids=lambda block: block.name)
def test_an_app_serves_its_page_and_its_people(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its outputs are drawn, its chats admit their person, and its handlers answer."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")  # a client can be made; nobody asks it here
    app = tmp_path / "app.py"
    app.write_text(block.code, encoding="utf-8")
    server = Server(shiny_run(app), f"sqlite:///{tmp_path}/lab.db")
    server.start()
    try:
        asyncio.run(_visit(server, block.code))
        assert not [line for line in server.log if IS_WRONG.search(line)]
    except Exception as exc:
        raise AssertionError("\n".join(server.log)) from exc
    finally:
        server.stop()


async def _visit(server: Server, code: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{server.port}/")
    assert answer.status_code == 200
    chats, outputs = ROOM.findall(answer.text), OUTPUT.findall(answer.text)
    assert chats or outputs, answer.text
    async with page(server.port, chats=chats, outputs=outputs) as visited:
        await visited.until(lambda: all(visited.notices.values()))
        await visited.until(lambda: set(outputs) <= visited.values.keys())
        if not chats:  # nobody has a group yet
            assert any("<labchat-study" in str(drawn) for drawn in visited.values.values())
            return
        notice = visited.notices[chats[0]][0]
        if "@chat.on_user_submit" in code and "ChatOpenAI" not in code:
            async with browser(server.port) as person:
                await person.hello(ticket=notice["ticket"])
                asked = await person.says(ASKED)
                await person.until(lambda: [*person.items][-1] != asked)
                await person.until(lambda: not any("live" in i for i in person.items.values()))
        else:
            assert notice["do"] in ("admit", "wait"), notice


# ── programs ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as programs of the docs expect it: a room of the study "pilot" with messages."""
    path = tmp_path_factory.mktemp("database") / "pilot.db"
    lab = Lab(f"sqlite:///{path}")

    async def fill() -> None:
        room = lab.room("general", study="pilot")
        await room.add_member("p1", pseudonym="Ann")
        await room.post("Hello!", author="p1")
        await room.post("Someone will be with you.")
        await room.record("guess", {"value": 7}, member="p1")

    with closing(lab.log):
        asyncio.run(fill())
    return path


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: block.name)
def test_a_program_runs_to_its_end(block: Block, database: Path, tmp_path: Path) -> None:
    """Beside its database, in a folder of its own."""
    (tmp_path / "program.py").write_text(block.code, encoding="utf-8")
    for name in block.databases:
        shutil.copy(database, tmp_path / name)
    env = {**os.environ, "OPENAI_API_KEY": "none", "LABCHAT_URL": f"sqlite:///{tmp_path}/lab.db"}
    said = tmp_path / "said.txt"
    with said.open("wb") as output:
        process = warm.start([str(tmp_path / "program.py")], tmp_path, env, output.fileno())
        process.join(60)
    assert process.exitcode == 0, said.read_text(encoding="utf-8", errors="replace")
