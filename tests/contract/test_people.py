"""People of studies whose pages are open: who is asked, what all know, and who looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from shiny_labchat import Lab
from shiny_labchat.access.recruits import Admitted, Standing, act_again, arrive, browser_token
from shiny_labchat.access.revoking import Source
from shiny_labchat.access.tickets import StudyEntry, enter_study, study_ticket
from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    DescribeLobby,
    DescribeStudy,
    EndPerson,
    EnterLobby,
    RecordAnswer,
)
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.presence import Signs
from shiny_labchat.errors import Refused
from shiny_labchat.gateway.study_view import StudyView
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.elsewhere import LOOK
from shiny_labchat.live.heard import now
from shiny_labchat.live.people import LivePeople
from shiny_labchat.store import Log, Person, note_seen, seen_of, set_generation

LOBBY = LogKey("s", "l", "lobby")
PATIENCE = 60.0


class Page:
    """A page that answers at once, or not at all, and keeps what it is told."""

    def __init__(
        self,
        people: LivePeople,
        person: str,
        *,
        answers: bool = True,
        source: Source | None = None,
        generation: int = 1,
        alive: float = 3,
    ) -> None:
        self.person = Person("s", person)
        self.id = f"page of {person}"
        self.source = source
        self.generation = generation
        self.is_newest = True
        self.alive = alive
        self.asked = 0
        self.news = asyncio.Event()
        self.learnt: list[Standing] = []
        self._people = people
        self._answers = answers

    def ping(self) -> None:
        self.asked += 1
        self.news.set()
        if self._answers:
            at = now()
            asyncio.get_running_loop().call_soon(self._people.note, self, Signs(at, at, at))

    def learn(self, standing: Standing) -> None:
        self.learnt.append(standing)
        self.generation = standing.generation
        self.is_newest = standing.is_newest
        self.news.set()


def people_of(lab: Lab) -> LivePeople:
    return Runtime.of(lab.log).live.people


async def until(news: asyncio.Event, is_so: Callable[[], bool]) -> None:
    """Wait until something is so of a page that has news now and then."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            news.clear()
            await news.wait()


async def study(log: Log, *people: str) -> None:
    await log.submit_together(DescribeStudy("s", "seed", {"seed": 7}))
    settings = {"settle": 0, "ready": None, "group_size": [2, 2, 2]}
    await log.submit_together(DescribeLobby("s", "l", "seed", settings))
    for person in people:
        await log.submit_together(Arrive("s", person))
        await log.submit_together(EnterLobby("s", "l", person))


async def heard(log: Log, *people: str) -> set[str]:
    found, _ = await log.read(partial(seen_of, people=[Person("s", each) for each in people]))
    return {person.id for person in found}


async def are_heard(log: Log, *people: str) -> None:
    """Wait until all processes know that these people are there."""
    written = asyncio.Event()
    end = log.overhear(lambda news: written.set())
    async with asyncio.timeout(PATIENCE):
        while await heard(log, *people) != {*people}:
            await written.wait()
            written.clear()
    end()


async def statuses(log: Log, *people: str) -> list[str]:
    outcome = await log.submit_together(Advance("s", "l", None, "random"))
    state = outcome.states[LOBBY]
    assert isinstance(state, LobbyState)
    return [state.places[each].status for each in people]


async def test_people_in_two_processes_become_a_group_as_soon_as_their_pages_answer(
    lab: Lab, reopen: Lab
) -> None:
    await study(lab.log, "ann", "bob")
    here, there = people_of(lab), people_of(reopen)
    here.come(Page(here, "ann"))
    there.come(Page(there, "bob"))
    await are_heard(lab.log, "ann", "bob")
    assert await statuses(lab.log, "ann", "bob") == ["grouped", "grouped"]
    for people in (here, there):
        await people.stop(1)


async def test_a_page_that_does_not_answer_counts_for_nothing(lab: Lab) -> None:
    await study(lab.log, "ann", "bob")
    people = people_of(lab)
    dead = Page(people, "bob", answers=False)
    people.come(dead)
    people.come(Page(people, "ann"))
    await until(dead.news, lambda: dead.asked >= 2)
    await are_heard(lab.log, "ann")
    assert await heard(lab.log, "ann", "bob") == {"ann"}
    assert await statuses(lab.log, "ann", "bob") == ["waiting", "waiting"]
    await people.stop(1)


async def test_a_page_is_asked_again_and_again_until_it_goes(lab: Lab) -> None:
    people = people_of(lab)
    ann, bob = (Page(people, each, alive=1) for each in ("ann", "bob"))
    people.come(ann)
    people.come(bob)
    assert people.is_here("s", "ann") and people.has_page("s", "page of ann")
    people.go(ann)
    assert not people.is_here("s", "ann") and not people.has_page("s", "page of ann")
    assert not people.has_page("t", "page of bob")
    await until(bob.news, lambda: bob.asked >= 3)
    assert ann.asked == 1
    await people.stop(1)


async def test_the_newest_browser_is_known_to_all_pages_in_all_processes(
    lab: Lab, reopen: Lab
) -> None:
    await study(lab.log)
    params = {"ID": "p1"}
    who = (await arrive(lab.log, "s", params, "phone")).person
    phone, laptop = (Source.of("browser", browser_token("s", key)) for key in ("phone", "laptop"))
    here, there = people_of(lab), people_of(reopen)
    first = Page(here, who, source=phone, alive=1)
    here.come(first)
    assert (await arrive(reopen.log, "s", params, "laptop")).generation == 2
    second = Page(there, who, source=laptop, generation=2, alive=1)
    there.come(second)
    await until(first.news, lambda: any(not each.is_newest for each in first.learnt))
    standing = await act_again(lab.log, "s", who, phone, first.generation)
    assert standing.is_newest and standing.generation == 3
    assert await act_again(lab.log, "s", who, phone, 3) == standing, "it is already"
    await until(second.news, lambda: any(not each.is_newest for each in second.learnt))
    await until(first.news, lambda: first.generation == 3)
    for people in (here, there):
        await people.stop(1)


async def test_a_page_whose_browser_was_revoked_learns_it_and_comes_no_more(
    lab: Lab, reopen: Lab
) -> None:
    await study(lab.log)
    who = (await arrive(lab.log, "s", {}, "key")).person
    source = Source.of("browser", browser_token("s", "key"))
    ticket = await study_ticket(lab.log, "s", who, "p", source=source)
    entry = await enter_study([lab.log], ticket, is_resume=False)
    people = people_of(reopen)
    page = Page(people, who, source=source, alive=1)
    people.come(page)
    await lab.revoke(who, "browsers")
    await until(page.news, lambda: any(not each.is_valid for each in page.learnt))
    for doing in (
        study_ticket(lab.log, "s", who, "p", source=source),
        enter_study([lab.log], entry.resume, is_resume=True),
        act_again(lab.log, "s", who, source, 1),
    ):
        with pytest.raises(Refused, match="revoked"):
            await doing
    await people.stop(1)


# ── who looks again ──


class Wakes:
    """Who is to look again, in order."""

    def __init__(self) -> None:
        self.who: list[str] = []
        self._news = asyncio.Event()

    def note(self, person: str) -> None:
        self.who.append(person)
        self._news.set()

    async def any(self) -> list[str]:
        await until(self._news, lambda: bool(self.who))
        return self.who


async def view_of(lab: Lab, person: str, wakes: Wakes, lobby: str | None = None) -> StudyView:
    entry = StudyEntry(lab.log, "s", person, "p", lobby, "")
    live = Runtime.of(lab.log).live
    view = StudyView(entry, live, lab.words, partial(wakes.note, person))
    await view.open()
    await view.look(is_newest=True)
    return view


async def test_a_page_looks_again_only_when_something_concerns_its_person(lab: Lab) -> None:
    await study(lab.log, "ann", "bob", "eve")
    wakes = Wakes()
    views = [await view_of(lab, person, wakes) for person in ("ann", "bob")]
    await lab.log.submit_together(RecordAnswer("s", "eve", "age", 30))
    await lab.log.submit_together(RecordAnswer("s", "ann", "age", 30))
    assert await wakes.any() == ["ann"]
    for view in views:
        view.close()


async def test_how_many_wait_is_counted_anew_after_a_while_and_once_for_many(lab: Lab) -> None:
    await study(lab.log, "ann")
    wakes = Wakes()
    view = await view_of(lab, "ann", wakes)
    assert view.screen.is_ == "waiting"
    for n in range(20):
        await lab.log.submit_together(Arrive("s", f"p{n}"))
        await lab.log.submit_together(EnterLobby("s", "l", f"p{n}"))
    assert len(await wakes.any()) < 20, "each may be up to COUNT_PAUSE old"
    assert "People here: 2 of 2" in (await view.look(is_newest=True)).fields["lines"]
    view.close()


async def test_the_lobby_that_somebody_has_entered_last_is_what_they_see(lab: Lab) -> None:
    await study(lab.log, "ann")
    await lab.log.submit_together(DescribeLobby("s", "m", "seed", {"start": "code"}))
    wakes = Wakes()
    view = await view_of(lab, "ann", wakes, lobby="m")
    assert view.lobby is not None and view.lobby[0] == "l"
    await lab.log.submit_together(EnterLobby("s", "m", "ann"))
    await wakes.any()
    lines = (await view.look(is_newest=True)).fields["lines"]
    assert view.lobby[0] == "m" and lab.words["lobby.by_hand"] in lines
    view.close()


async def test_a_view_that_is_closed_hears_nothing_more(lab: Lab) -> None:
    await study(lab.log, "ann")
    closed, open_ = Wakes(), Wakes()
    (await view_of(lab, "ann", closed)).close()
    other = await view_of(lab, "ann", open_)
    await lab.log.submit_together(EndPerson("s", "ann", "withdrew"))
    assert await open_.any() and closed.who == []
    other.close()


async def test_who_follows_a_page_hears_of_its_socket_and_of_a_newer_browser(lab: Lab) -> None:
    await study(lab.log, "ann")
    people, heard, news = people_of(lab), list[tuple[bool, bool]](), asyncio.Event()
    page = Page(people, "ann")

    def look() -> None:
        heard.append((people.has_page("s", page.id), people.is_older("s", page.id)))
        news.set()

    end = people.follow(page.id, Admitted("s", "ann", None, 1), look)
    people.come(page)
    assert heard == [(True, False)]
    news.clear()
    people.judge(page.person)
    await asyncio.wait_for(news.wait(), 20)
    people.go(page)
    assert heard[-1] == (False, False)
    end()
    number = len(heard)
    people.come(page)
    people.go(page)
    assert len(heard) == number
    await people.stop(1)


async def test_a_page_whose_socket_is_in_another_process_is_known_to_be_open_and_older(
    lab: Lab,
) -> None:
    """By what that process has stored; and it is closed when nothing more is stored."""
    await study(lab.log, "ann")
    came = await arrive(lab.log, "s", {}, "key of a browser")
    news, known = asyncio.Event(), (False, False)
    people, id = people_of(lab), "page"

    def look() -> None:
        nonlocal known
        known = people.has_page("s", id), people.is_older("s", id)
        news.set()

    end = people.follow(id, Admitted("s", came.person, None, came.generation), look)
    here = Person("s", came.person)
    await lab.log.write(lambda conn, _: note_seen(conn, {here: Signs(-1, -1, -1)}))
    await asyncio.wait_for(news.wait(), 20)
    assert known == (True, False)
    news.clear()
    await lab.log.write(lambda conn, _: set_generation(conn, "s", came.person, 2))
    await asyncio.wait_for(news.wait(), 20)
    assert known == (True, True)
    news.clear()
    await asyncio.wait_for(news.wait(), 30)
    assert known == (False, True)
    end()
    assert not people.has_page("s", id) and not people.is_older("s", id)
    await people.stop(1)


async def test_a_page_that_has_closed_its_socket_here_is_not_taken_to_be_elsewhere(
    lab: Lab, reopen: Lab
) -> None:
    """Although its person was heard a moment ago."""
    await study(lab.log, "ann")
    people, heard, news = people_of(lab), list[bool](), asyncio.Event()
    page = Page(people, "ann")

    def look() -> None:
        heard.append(people.has_page("s", page.id))
        news.set()

    end = people.follow(page.id, Admitted("s", "ann", None, 1), look)
    people.come(page)
    await are_heard(reopen.log, "ann")
    people.go(page)
    news.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(news.wait(), 6 * LOOK)
    assert heard == [True, False]
    await lab.log.write(lambda conn, _: note_seen(conn, {page.person: Signs(-1, -1, -1)}))
    await asyncio.wait_for(news.wait(), 20)  # another process has heard it
    assert heard == [True, False, True]
    end()
    await people.stop(1)
