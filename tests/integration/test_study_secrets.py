"""
What a person of a study must not know is in none of the bytes they are sent; nor in a server's log.

Whole studies are run by pages whose every byte is kept: HTML, Shiny's frames and ours.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.backend import FreshUrl
from tests.support.check_groups import read_log
from tests.support.experiment import CHOICE, STUDY, serve
from tests.support.server import ROOT, Server, shiny_run
from tests.support.visitor import Visitor, visitor

WANTED = ROOT / "tests" / "browser" / "apps" / "wanted" / "study.py"
AFTER = "labchat_form_experiment_after"


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@asynccontextmanager
async def wanted(url: str) -> AsyncIterator[Server]:
    server = Server(shiny_run(WANTED), url)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


async def come(stack: AsyncExitStack, server: Server, name: str) -> list[Visitor]:
    """Three people of whom a recruiter says who they are."""
    pages = [
        visitor(server.port, search=f"?{name}=secret-pid-{n}&x=1", fetches=True) for n in range(3)
    ]
    return [await stack.enter_async_context(page) for page in pages]


async def talks(page: Visitor, *texts: str) -> None:
    await page.until(lambda: page.chat is not None and bool(page.chat.welcome))
    assert page.chat is not None
    for text in texts:
        cid = await page.chat.send(text)
        await page.until(lambda cid=cid: cid in page.chat.stored)  # pyright: ignore


async def goes_through(page: Visitor) -> None:
    """Take part in the wanted study, from consent to code."""
    await page.sees("consent")
    await page.does("consent", version="2026-11", answers={})
    await page.sees("ready")
    await page.does("ready")
    await talks(page, "one", "two", "three")
    assert page.chat is not None
    await page.chat.tell(t="done", cid="done")
    form = "labchat_form_pilot_decision"
    await page.until(lambda: form in page.page)
    await page.sends(form, why="so")
    await is_debriefed(page)


async def is_debriefed(page: Visitor) -> None:
    await page.sees("ended")
    await page.does("debriefed")
    await page.until(lambda: "code" in page.screen)


def ids_and_tokens(url: str, study: str, pages: list[Visitor]) -> tuple[set[str], set[str]]:
    """The ids of the people of a study, and all tokens that pages were given."""
    log = read_log(url, study, "study", study)
    people = {each["member"] for each in log if each["kind"] == "arrived"}
    told = "\n".join(page.everything() for page in pages)
    tokens = set(re.findall(r'"(?:ticket|resume)": "([^"]{16,})"', told))
    tokens |= set(re.findall(r"labchat/end/([\w-]+)", told))
    assert len(people) == 3 and len(tokens) > 6
    return people, tokens


def check_bytes(pages: list[Visitor], secrets: set[str]) -> None:
    for page in pages:
        sent = page.everything()
        assert len(page.html) > 1_000 and len(page.shiny) > 5 and "C1ABC" in sent or "DONE1" in sent
        for word in sorted(secrets):
            assert word not in sent, sent[max(0, sent.index(word) - 200) :][:400]


def check_log(server: Server, words: set[str]) -> None:
    for line in server.log:
        found = [word for word in words if word in line]
        assert not found, line


async def test_nothing_of_the_wanted_study_tells_who_somebody_is_or_what_they_are_in(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with wanted(url) as server, AsyncExitStack() as stack:
        pages = await come(stack, server, "PROLIFIC_PID")
        await asyncio.gather(*map(goes_through, pages))
        async with httpx.AsyncClient(trust_env=False) as http:
            for page in pages:
                link = page.screen["link"]["href"]
                answer = await http.get(f"http://127.0.0.1:{server.port}/{link}")
                assert answer.status_code == 303, answer
                assert "C1ABC" in answer.headers["location"]
                # a second press is no form
                await page.chat.send("too late")  # pyright: ignore
                await page.does("ready")
    people, tokens = ids_and_tokens(url, "pilot", pages)
    secrets = {"secret-", "calm", "heated", '"member"', '"seq"', *people}
    check_bytes(pages, secrets)
    check_log(server, {"secret-pid", *people, *tokens})
    report(capsys, pages, server, people, tokens)


async def test_nothing_tells_a_programme_from_a_person_before_the_debrief(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"bot": True, "debrief": "One of you was not real.", "lobby": {"group_size": 3}}
    async with serve(url, **said) as server, AsyncExitStack() as stack:
        pages = await come(stack, server, "PID")
        for page in pages:
            await page.until(lambda p=page: CHOICE in p.page)
            await talks(page, "hello")
        for page in pages:
            await page.until(lambda p=page: "beep" in p.chat.texts)  # pyright: ignore
            await page.sends(CHOICE, choice="X")
        for page in pages:
            await page.until(lambda p=page: AFTER in p.page)
        before = [page.everything() for page in pages]
        for page in pages:
            await page.sends(AFTER, why="so")
            await is_debriefed(page)
    roles = {role for page in pages for role in roles_in(page)}
    people, tokens = ids_and_tokens(url, STUDY, pages)
    check_bytes(pages, {"secret-", '"member"', *people})
    for sent in before:
        assert not re.search(r"assistant|machine|is_bot|program", sent.replace("programme", ""))
    for page in pages:
        assert any("was a computer program" in line for line in page.screen["debrief"]["lines"])
    assert len(roles) == 1, roles
    check_log(server, {"secret-pid", *people, *tokens})
    report(capsys, pages, server, people, tokens)


def roles_in(page: Visitor) -> set[Any]:
    """The roles of all who are shown to be in the room."""
    assert page.chat is not None
    shown = (frame for frame in page.chat.frames if frame["t"] == "presence")
    return {role for frame in shown for _, _, role in frame["who"]}


def report(
    capsys: pytest.CaptureFixture[str],
    pages: list[Visitor],
    server: Server,
    people: set[str],
    tokens: set[str],
) -> None:
    size = sum(len(page.everything()) for page in pages)
    with capsys.disabled():
        print(
            f"\n{len(pages)} pages, {size} characters sent, {len(server.log)} lines of log; "
            f"{len(people)} ids and {len(tokens)} tokens looked for"
        )
