"""A class of 118, whose teacher has it talk in groups and come back, over real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from shiny_labchat import Lab
from shiny_labchat.domain.study import StudyState
from shiny_labchat.study.study import Study
from tests.support.backend import FreshUrl
from tests.support.check_groups import read_log
from tests.support.client import Browser, Frame
from tests.support.server import ROOT, Server, shiny_run
from tests.support.visitor import Visitor, visitor

APP = ROOT / "apps" / "17-classroom" / "app.py"
PUPILS, RELOADS = 118, 10
STUDENTS, SIZE = 120, 4
WITHIN = 3.0
"""How long it may take until everybody is in the right room, in seconds."""
AT_ONCE = 10
"""Pages that are opened at the same time."""
AFTER = "labchat_form_class_after"


class Class:
    """
    The pages of a class, each with the key that its browser keeps.

    Parameters
    ----------
    server
        The server of the app.
    lab
        The lab, as a programme beside it sees it.
    """

    def __init__(self, server: Server, lab: Lab) -> None:
        self.server = server
        self.lab = lab
        self.pages: dict[str, Visitor] = {}
        self._stacks: dict[str, AsyncExitStack] = {}
        self._opening = asyncio.Semaphore(AT_ONCE)

    async def come(self, key: str, search: str = "") -> Visitor:
        """Open somebody's page."""
        self._stacks[key] = AsyncExitStack()
        opened = visitor(self.server.port, key=key, search=search)
        page = self.pages[key] = await self._stacks[key].enter_async_context(opened)
        page.follows = True
        return page

    async def arrive(self, key: str, called: str) -> None:
        """Open somebody's page, some at a time, and type their name."""
        async with self._opening:
            await name(await self.come(key), called)

    async def come_back(self, key: str, where: str) -> float:
        """Open a page again, some at a time; how long it takes until it is in a room."""
        await self.go(key)
        async with self._opening:
            began = now()
            return await all_reach([await self.come(key)], where, began)

    async def go(self, key: str) -> None:
        """Close somebody's page."""
        if key in self._stacks:
            await self._stacks.pop(key).aclose()

    async def state(self) -> StudyState:
        """The study, as its log says now."""
        return await Study("class", lab=self.lab).state()

    async def rooms(self) -> dict[str, tuple[str, str]]:
        """By name, the handle of each pupil in the room for all, and that in their group's."""
        state, found = await self.state(), dict[str, tuple[str, str]]()
        rooms = [self.lab.room(id, study="class") for id in ("everybody", *state.groups)]
        members = {room.id: (await room.state()).memberships for room in rooms}
        for each in state.people.values():
            of_all = members["everybody"][each.person].handle
            own = "" if each.room is None else members[each.room][each.person].handle
            found[each.name or ""] = of_all, own
        return found


def now() -> float:
    return asyncio.get_running_loop().time()


def place(page: Visitor) -> str:
    """The handle that the person has in the room where they are."""
    welcome = page.chat.welcome if page.chat is not None else {}
    return welcome.get("you", {}).get("h", "")


def talk(page: Visitor) -> Browser:
    """The socket to the room where somebody is."""
    assert page.chat is not None
    return page.chat


def title(page: Visitor) -> str:
    return page.chat.welcome.get("title", "") if page.chat is not None else ""


async def reach(page: Visitor, is_there: Callable[[], bool], since: float) -> float:
    """Wait until somebody is where they are to be; how long that took from a time on."""
    await page.until(is_there)
    return now() - since


@asynccontextmanager
async def a_class(url: str) -> AsyncIterator[Class]:
    server, lab = Server(shiny_run(APP), url), Lab(url)
    await asyncio.to_thread(server.start)
    made = Class(server, lab)
    try:
        yield made
    finally:
        await asyncio.to_thread(server.kill)  # so no page waits for an answer as it is closed
        await asyncio.gather(*map(made.go, list(made.pages)))
        lab.log.close()


async def name(page: Visitor, called: str) -> None:
    """Type a name, and come into the room for all."""
    await page.sees("name")
    assert (await page.does("name", name=called))["t"] == "did"
    await page.until(lambda: title(page) == "The whole class")


async def teach(made: Class) -> Visitor:
    """Come as the teacher, by a personal link."""
    token = await made.lab.invite("teacher", study="class", role="experimenter")
    page = await made.come(secrets.token_hex(16), f"?labchat={token}")
    await page.until(lambda: "Tell all rooms" in page.page and title(page) == "The whole class")
    await page.inputs(step="together", **{"tell:shiny.action": 0})
    return page


async def all_reach(pages: Sequence[Visitor], where: str, since: float) -> float:
    """Wait until all are in a room with a title; the longest time that it took."""
    times = [reach(page, lambda p=page: title(p) == where, since) for page in pages]
    return max(await asyncio.gather(*times))


async def test_everybody_is_in_the_right_room_within_three_seconds(
    fresh_url: FreshUrl, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {f"Pupil {n}": secrets.token_hex(16) for n in range(PUPILS)}
    async with a_class(fresh_url()) as made:
        await asyncio.gather(*(made.arrive(key, called) for called, key in keys.items()))
        teacher = await teach(made)
        times = list[tuple[str, float]]()

        async def says(step: str, where: str) -> None:
            clicked = now()
            await teacher.inputs(step=step)
            pages = [made.pages[key] for key in keys.values()]
            times.append((step, await all_reach(pages, where, clicked)))
            assert title(teacher) == "The whole class", "the teacher stays with all"

        async def comes_back(keys: Sequence[str], what: str) -> None:
            took = await asyncio.gather(*(made.come_back(key, "Group") for key in keys))
            times.append((what, max(took)))

        async def are_right(number: int) -> None:
            rooms = await made.rooms()
            assert {name: place(made.pages[key]) for name, key in keys.items()} == {
                name: rooms[name][number] for name in keys
            }

        await says("groups", "Group")
        await are_right(1)
        await comes_back(list(keys.values())[:RELOADS], "ten reload")
        await are_right(1)
        await says("together", "The whole class")
        await are_right(0)
        await says("groups", "Group")
        await asyncio.to_thread(made.server.kill)
        await asyncio.to_thread(made.server.start)
        await comes_back(list(keys.values()), "restart")
        await are_right(1)
        sizes = Counter(len(group.people) for group in (await made.state()).groups.values())
        with capsys.disabled():
            said = ", ".join(f"{what}: {took:.2f} s" for what, took in times)
            print(f"\n{PUPILS} people in groups of {dict(sizes)}; {said}")
        assert sum(size * many for size, many in sizes.items()) == PUPILS
        assert sizes.keys() <= {3, 4, 5} and max(took for _, took in times) < WITHIN


def test_the_study_has_at_most_sixty_lines() -> None:
    assert len(APP.read_text().splitlines()) <= 60


async def says_goodbye(page: Visitor) -> Frame:
    """Answer the last question; the screen at the end."""
    await page.until(lambda: AFTER in page.page)
    await page.sends(AFTER, what="That I know nothing.")
    return await page.sees("ended")


async def test_120_students_talk_in_groups_of_four_come_back_and_are_paid(
    fresh_url: FreshUrl, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {f"Student {n}": secrets.token_hex(16) for n in range(STUDENTS)}
    async with a_class(fresh_url()) as made:
        await asyncio.gather(*(made.arrive(key, called) for called, key in keys.items()))
        teacher = await teach(made)
        pages = [made.pages[key] for key in keys.values()]
        began = now()
        await teacher.inputs(step="groups")
        apart = await all_reach(pages, "Group", began)
        for called, page in zip(keys, pages, strict=True):
            await talk(page).send(f"I am {called}.")
        for page in pages:
            await page.until(lambda p=page: len(talk(p).texts) == SIZE)
        await teacher.inputs(**{"tell:shiny.action": 1})
        for page in pages:
            await page.until(lambda p=page: "A minute is left." in talk(p).texts)
        groups = {tuple(talk(page).texts) for page in pages}
        heard = Counter(text for group in groups for text in group)
        assert heard.pop("A minute is left.") == len(groups) == STUDENTS // SIZE
        assert heard == Counter(f"I am {called}." for called in keys), "each in one group only"
        assert {len(group) for group in groups} == {SIZE + 1}
        began = now()
        await teacher.inputs(step="together")
        back = await all_reach(pages, "The whole class", began)
        await teacher.inputs(step="end")
        ends = await asyncio.gather(*map(says_goodbye, pages))
        with capsys.disabled():
            print(f"\n{STUDENTS} students: apart {apart:.2f} s, back {back:.2f} s")
        assert {each["code"]["value"] for each in ends} == {"CLASS1"}
        assert all("€5.00" in " ".join(each["lines"]) for each in ends)
        people = await Study("class", lab=made.lab).people()
        assert {each.name for each in people} == {*keys}
        assert Counter(each.ended for each in people) == {"complete": STUDENTS}
        assert max(apart, back) < WITHIN


async def test_a_class_comes_talks_in_groups_ends_and_is_paid(fresh_url: FreshUrl) -> None:
    async with a_class(fresh_url()) as made:
        names = [f"Pupil {n}" for n in range(7)]
        pages = [await made.come(secrets.token_hex(16)) for _ in names]
        await asyncio.gather(*(name(*each) for each in zip(pages, names, strict=True)))
        teacher, study = await teach(made), Study("class", lab=made.lab)
        for page in pages:
            page.notices.clear()
        for step in ("together", "end"):  # as no page of a pupil offers
            await pages[0].inputs(step=step)
        await teacher.inputs(step="groups")
        await all_reach(pages, "Group", now())
        assert {each.chat.welcome["you"]["name"] for each in pages if each.chat} == {*names}
        late = await made.come(secrets.token_hex(16))
        await late.sees("name")
        assert (await late.does("name", name="pupil 1"))["code"] == "name_taken"
        await name(late, "Late")
        await teacher.inputs(**{"tell:shiny.action": 1})
        for page in (*pages, late, teacher):
            await page.until(
                lambda p=page: p.chat is not None and "A minute is left." in p.chat.texts
            )
        await study.set_step("together", after=1)
        await all_reach(pages, "The whole class", now())
        for page in pages:
            moves = [each["who"] for each in page.notices if each["do"] == "admit"]
            assert len(moves) == 2, "a page is let in again only where it has not been just now"
        await teacher.inputs(step="end")
        for page in (*pages, late):
            assert (await says_goodbye(page))["code"]["value"] == "CLASS1"
        log = read_log(made.server.url, "class", "study", "class")
        steps = [each["data"]["step"] for each in log if each["kind"] == "step_set"]
        assert steps == ["groups", "together", "end"], "only the teacher sets any"
        people = await study.people()
        known = sorted(str(each.name) for each in people)
        assert known == sorted([*names, "Late"]), "the teacher is none of them"
        assert {each.ended for each in people} == {"complete"}
        assert [len(each.people) for each in (await made.state()).groups.values()] in (
            [3, 4],
            [4, 3],
        )
