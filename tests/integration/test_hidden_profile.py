"""A hidden profile in four conditions, from the first address to pay, by twelve people at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from shiny_labchat import Lab
from shiny_labchat.study.study import Study
from tests.support.backend import FreshUrl
from tests.support.check_groups import read_log
from tests.support.server import ROOT, Server, shiny_run
from tests.support.talking import (
    answers,
    comes_into_a_group,
    consents,
    is_done,
    reads_the_end,
    talks,
    texts,
)
from tests.support.visitor import Visitor, visitor

APP = ROOT / "apps" / "10-hidden-profile" / "app.py"
BEFORE, CHOICE, AFTER = (f"labchat_form_hiring_{kind}" for kind in ("before", "choice", "after"))
CELLS = [(profile, leader) for profile in ("hidden", "shared") for leader in ("yes", "no")]
CARDS = {"X speaks Finnish.", "Y was late twice.", "X has a patent."}
UNDECIDED = "shared", "no"
"""The condition in which one of them chooses otherwise."""


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


async def begins(page: Visitor) -> None:
    """Come into a group, by all that is asked before."""
    await consents(page)
    await answers(page, BEFORE, trust=7)
    await comes_into_a_group(page)


async def by_cell(lab: Lab, pages: Sequence[Visitor]) -> dict[tuple[str, str], list[Visitor]]:
    """The people of each condition, who are in one group."""
    handles = {page.chat.welcome["you"]["h"]: page for page in pages if page.chat is not None}
    found: dict[tuple[str, str], list[Visitor]] = {}
    for id, group in (await Study("hiring", lab=lab).state()).groups.items():
        members = (await lab.room(id, study="hiring").state()).memberships
        assert isinstance(group.condition, dict)
        cell = group.condition["profile"], group.condition["leader"]
        assert cell not in found
        found[cell] = [handles[members[person].handle] for person in group.people]
    return found


async def cards(page: Visitor) -> set[str]:
    """What somebody is shown to know."""
    await page.until(lambda: "You know: " in page.page)
    return set(re.findall(r"[XY] [a-zF ]+\.", page.page)) & CARDS


def is_led(page: Visitor) -> bool:
    """Whether somebody reads who leads the group."""
    return any("leads this group" in text for text in texts(page))


async def decides(page: Visitor, choice: str, *words: str) -> None:
    """Talk and choose, and read such words in the end."""
    await talks(page, "X has most that speaks for it.")
    await is_done(page)
    await answers(page, CHOICE, choice=choice)
    await answers(page, AFTER, sure=9)
    await reads_the_end(page, *words)


async def test_each_of_four_groups_has_its_condition_and_who_agree_are_paid(
    lab: Lab, server: Server
) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(visitor(server.port)) for _ in range(12)]
        await asyncio.gather(*map(begins, pages))
        cells = await by_cell(lab, pages)
        assert sorted(cells) == sorted(CELLS)
        for (profile, leader), group in cells.items():
            known = [await cards(page) for page in group]
            assert set.union(*known) == CARDS
            assert [len(each) for each in known] == [1 if profile == "hidden" else 3] * 3
            for page in group if leader == "yes" else ():
                await page.until(lambda p=page: is_led(p))
        deciding: list[Any] = []
        for cell, group in cells.items():
            agree = cell != UNDECIDED
            words = ["€2.00"] if agree else []
            deciding += [decides(page, "X", *words) for page in group[1:]]
            deciding.append(decides(group[0], "X" if agree else "Y", *words))
        await asyncio.gather(*deciding)
        for (_, leader), group in cells.items():
            assert [is_led(page) for page in group] == [leader == "yes"] * 3
    people = await Study("hiring", lab=lab).people()
    assert [person.ended for person in people] == ["complete"] * 12
    log = read_log(lab.url, "hiring", "study", "hiring")
    assert [each["data"]["cents"] for each in log if each["kind"] == "paid"] == [200] * 9
