"""Pages of a study over real sockets: consent, waiting, a group, the end; and who they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from itertools import count
from typing import Any

import pytest

from shiny_labchat import Lab
from shiny_labchat.access.ends import find_end_link
from shiny_labchat.access.recruits import arrive, browser_token
from shiny_labchat.access.revoking import Source
from shiny_labchat.access.tickets import study_ticket
from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    DescribeLobby,
    DescribeStudy,
    EndPerson,
    EnterLobby,
    Join,
)
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ends import End, data_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.study import StudyState
from shiny_labchat.store import Log, events_after, find_room
from shiny_labchat.store.heads import load_head
from tests.support.client import PATIENCE, browser
from tests.support.server import Server
from tests.support.study_page import StudyPage, study_page

CONSENT = {"text": "You *talk*.", "version": "1", "items": {"share": "Share?"}, "required": []}
_studies = count(1)


class AStudy:
    """A study of the test's own, with a lobby, as the app's code describes it."""

    def __init__(self, log: Log, port: int) -> None:
        self.log = log
        self.name = f"study-{next(_studies)}"
        self.port = port

    async def begin(
        self, *people: str, lobby: dict[str, Any] | None = None, **settings: Any
    ) -> None:
        await self.log.submit_together(DescribeStudy(self.name, "seed", {"seed": 7, **settings}))
        given = {"settle": 0, "group_size": [2, 2, 2], **(lobby or {})}
        await self.log.submit_together(DescribeLobby(self.name, "l", "seed", given))
        for person in people:
            await self.log.submit_together(Arrive(self.name, person))

    def page(self, person: str, **more: Any) -> AbstractAsyncContextManager[StudyPage]:
        return study_page(self.port, self.log, self.name, person, **more)

    async def enter(self, *people: str) -> None:
        for person in people:
            await self.log.submit_together(EnterLobby(self.name, "l", person))

    async def advance(self, until: Callable[[], bool]) -> None:
        """Do what is due in the lobby, as its driver does, until something is so."""
        written = asyncio.Event()
        end = self.log.overhear(lambda news: written.set())
        async with asyncio.timeout(PATIENCE):
            while not until():
                await self.log.submit_together(Advance(self.name, "l", None, "random"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(written.wait(), 0.5)
                written.clear()
        end()

    async def until(self, is_so: Callable[[StudyState], bool]) -> None:
        """Wait until something is so in the study's log."""
        async with asyncio.timeout(PATIENCE):
            while not is_so(await self.state()):
                await asyncio.wait([self.log.settled()])

    async def state(self) -> StudyState:
        head = await self.log.read(lambda conn: load_head(conn, study_log(self.name)))
        assert head is not None and isinstance(head.state, StudyState)
        return head.state


@pytest.fixture
def study(lab: Lab, server: Server) -> AStudy:
    return AStudy(lab.log, server.port)


async def test_consent_is_read_answered_and_stored(study: AStudy) -> None:
    await study.begin("ann", consent=CONSENT)
    async with study.page("ann") as ann:
        screen = await ann.sees("consent")
        assert screen["html"] == "<p>You <em>talk</em>.</p>\n" and screen["version"] == "1"
        answer = await ann.does("consent", version="0", answers={})
        assert answer["t"] == "refused" and answer["code"] == "old_consent" and answer["say"]
        assert (await ann.does("consent", version="1", answers={"share": True}))["t"] == "did"
        await ann.sees("none")
    consent = (await study.state()).people["ann"].consent
    assert consent is not None and consent.answers == {"share": True}


async def test_who_refuses_comes_to_an_end_with_words(study: AStudy) -> None:
    await study.begin("ann", consent=CONSENT, contact="lab@example.org")
    async with study.page("ann") as ann:
        await ann.does("refuse")
        screen = await ann.sees("ended")
        assert "lab@example.org" in screen["contact"] and "code" not in screen
    ended = (await study.state()).people["ann"].ended
    assert ended is not None and ended.reason == "no_consent"


async def test_two_people_wait_are_asked_and_become_a_group(study: AStudy) -> None:
    await study.begin("ann", "bob")
    async with study.page("ann") as ann, study.page("bob") as bob:
        await study.enter("ann")
        await ann.says("People here: 1 of 2")
        assert ann.screen["clock"]["left"] > 200_000
        await study.enter("bob")
        await study.advance(lambda: "ready" in (ann.screen["is"], bob.screen.get("is")))
        for each in (ann, bob):
            await each.sees("ready")
            assert (await each.does("ready"))["t"] == "did"
        for each in (ann, bob):
            await each.sees("moment")
    assert (await study.state()).groups["l-1"].people


async def test_who_has_no_open_socket_or_does_not_answer_is_not_matched(study: AStudy) -> None:
    await study.begin("ann", "bob", "eve", "dan", lobby={"ready": None})
    async with study.page("eve", answers=False), study.page("ann"), study.page("bob") as bob:
        await study.enter("dan", "eve", "ann", "bob")
        await study.advance(lambda: bob.screen.get("is") == "moment")
    assert set((await study.state()).groups["l-1"].people) == {"ann", "bob"}


async def test_the_place_is_the_same_after_a_reload(study: AStudy) -> None:
    await study.begin("ann", "bob", lobby={"group_size": [3, 3, 3]})
    await study.enter("ann", "bob")
    async with study.page("ann") as ann:
        await ann.sees("waiting")
        resume = ann.browser.welcome["resume"]
    async with study.page("ann", resume=resume) as again:
        await again.sees("waiting")
        assert again.browser.welcome["resume"] == resume
        await again.says("People here: 2 of 3")
    assert (await study.state()).people["ann"].lobby == "l"


async def test_who_stops_may_have_their_data_deleted_and_the_others_go_on(study: AStudy) -> None:
    await study.begin("ann", "bob")
    await study.enter("ann", "bob")
    async with study.page("ann") as ann, study.page("bob") as bob:
        await ann.sees("waiting")
        assert (await ann.does("stop", delete=True))["t"] == "did"
        await ann.sees("ended")
        await bob.says("People here: 1 of 2")
    people = (await study.state()).people
    [gone] = [person for person in people if person != "bob"]
    ended = people[gone].ended  # under her own id, or already under the one that replaces it
    assert ended is not None and (ended.reason, ended.delete) == ("withdrew", True)


async def test_the_debrief_comes_before_the_code_and_names_the_programme(
    study: AStudy, lab: Lab
) -> None:
    url = "https://example.org/done?id={member}&cc={code}"
    ends = {"complete": data_of(End("C1ABC", url))}
    debrief = {"text": "There was a *machine*.", "keep": True}
    lobby = {"ready": None, "group_size": [1, 1, 1]}
    await study.begin("ann", ends=ends, debrief=debrief, lobby=lobby)
    async with study.page("ann") as ann:
        await study.enter("ann")
        await study.advance(lambda: ann.screen.get("is") == "moment")
        room = LogKey(study.name, "l-1")
        bot = Join("machine", "h", "assistant", "Teal Otter", is_bot=True, shown="participant")
        await lab.log.submit(room, bot)
        await lab.log.submit_together(EndPerson(study.name, "ann", "complete"))
        screen = await ann.sees("ended")
        assert "Teal Otter was a computer program" in screen["debrief"]["lines"][0]
        assert screen["debrief"]["keep"]["yes"] and "code" not in screen and "link" not in screen
        assert (await ann.does("debriefed", keep=True))["t"] == "did"
        await ann.until(lambda: "code" in ann.screen)
        assert ann.screen["code"]["value"] == "C1ABC"
        token = ann.screen["link"]["href"].removeprefix("labchat/end/")
        sent = json.dumps(ann.browser.frames)
        assert "example.org" not in sent and '"ann"' not in sent
    found = await find_end_link([lab.log], token)
    assert found is not None and found[1] == (study.name, "ann", "complete")


async def test_nobody_begins_to_wait_unless_the_app_draws_the_lobby_for_them(
    study: AStudy,
) -> None:
    await study.begin("ann")
    async with study.page("ann", lobby="l") as ann:
        await ann.sees("none")
        assert (await ann.does("wait_again"))["t"] == "did"
    assert (await study.state()).people["ann"].lobby is None


async def test_that_a_code_was_shown_is_in_the_log_and_a_reload_shows_the_same(
    study: AStudy,
) -> None:
    await study.begin("ann", ends={"complete": data_of(End("C1"))})
    await study.log.submit_together(EndPerson(study.name, "ann", "complete"))
    async with study.page("ann") as ann:
        await ann.until(lambda: "code" in ann.screen)
        await study.until(lambda state: state.people["ann"].code == "C1")
    await study.begin(ends={"complete": data_of(End("C2"))})
    async with study.page("ann") as ann:
        await ann.until(lambda: "code" in ann.screen)
        assert ann.screen["code"]["value"] == "C1"
    assert (await study.state()).settings.get("ends")["complete"]["code"] == "C2"


# ── which browser acts ──


async def test_the_newest_browser_acts_and_an_older_one_may_take_over(study: AStudy) -> None:
    await study.begin()
    params = {"ID": "p1"}
    first = await arrive(study.log, study.name, params, "phone")
    await study.begin(first.person, consent=CONSENT)
    phone, laptop = (
        Source.of("browser", browser_token(study.name, key)) for key in ("phone", "laptop")
    )
    who = first.person
    async with study.page(who, source=phone) as old, study.page(who, source=phone) as tab:
        await old.sees("consent")
        second = await arrive(study.log, study.name, params, "laptop")
        assert (second.person, second.generation) == (who, 2)
        async with study.page(who, source=laptop, generation=2) as new:
            await new.sees("consent")
            await old.sees("other_window")
            await tab.sees("other_window")
            refused = await old.does("consent", version="1", answers={})
            assert refused["code"] == "other_window" and refused["say"]
            assert (await old.does("here"))["t"] == "did"
            await old.sees("consent")
            await tab.sees("consent")
            await new.sees("other_window")
            resume = old.browser.welcome["resume"]
    async with study.page(who, resume=resume) as again:
        await again.sees("consent")


async def test_a_page_whose_browser_was_revoked_is_sent_away(study: AStudy, lab: Lab) -> None:
    await study.begin()
    arrived = await arrive(study.log, study.name, {}, "key")
    await study.begin(arrived.person, lobby={"alive": 2})
    source = Source.of("browser", browser_token(study.name, "key"))
    async with study.page(arrived.person, source=source, lobby="l") as page:
        await page.sees("none")
        assert await lab.revoke(arrived.person, "browsers") == 1
        await page.until(lambda: page.browser.frames[-1]["t"] == "bye")
        assert page.browser.frames[-1]["code"] == "revoked"


# ── what a page cannot do ──


@pytest.mark.parametrize("action", ["ready", "confirm", "longer", "wait_again"])
async def test_what_is_done_in_a_lobby_is_refused_outside_of_one(
    study: AStudy, action: str
) -> None:
    await study.begin("ann")
    async with study.page("ann") as ann:
        await ann.sees("none")
        assert (await ann.does(action))["code"] == "not_waiting"


async def test_a_frame_cannot_say_who(study: AStudy) -> None:
    await study.begin("ann", "bob")
    async with study.page("ann") as ann:
        await ann.does("stop", person="bob", member="bob", study="other")
        await ann.sees("ended")
    people = (await study.state()).people
    assert people["ann"].ended is not None and people["bob"].ended is None


async def test_a_ticket_opens_one_socket_and_none_to_a_room(study: AStudy) -> None:
    await study.begin("ann")
    ticket = await study_ticket(study.log, study.name, "ann", "p")
    async with browser(study.port) as room:
        await room.tell(t="hello", v=3, after="", ticket=ticket)
        assert (await room.is_sent_away())[0] == "ticket"
    async with browser(study.port, path="/labchat/study") as first:
        await first.hello(ticket=ticket)
        async with browser(study.port, path="/labchat/study") as second:
            await second.tell(t="hello", v=3, ticket=ticket)
            assert (await second.is_sent_away())[0] == "ticket"


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "do", "cid": "1", "do": "pay"},
        {"t": "do", "cid": "", "do": "ready"},
        {"t": "do", "cid": "1", "do": "consent", "version": 1},
        {"t": "do", "cid": "1", "do": "consent", "version": "1", "answers": {"a": "yes"}},
        {"t": "do", "cid": "1", "do": "debriefed", "keep": "yes"},
        {"t": "send", "cid": "1", "text": "hi"},
        {"t": "pong", "hidden": -1, "quiet": 0},
        {"t": "hello", "v": 3, "ticket": "x"},
    ],
)
async def test_what_is_no_frame_of_a_study_ends_the_socket(
    study: AStudy, frame: dict[str, Any]
) -> None:
    await study.begin("ann")
    async with study.page("ann") as ann:
        await ann.browser.tell(**frame)
        await ann.until(lambda: ann.browser.frames[-1]["t"] == "bye")
        assert ann.browser.frames[-1]["code"] == "bad_frame"


async def test_a_double_click_is_one_action(study: AStudy) -> None:
    await study.begin("ann", lobby={"max_wait": 30, "extends": 5})
    await study.enter("ann")
    async with study.page("ann") as ann:
        await ann.until(lambda: any(b["do"] == "longer" for b in ann.screen.get("buttons", ())))
        answers = [await ann.does("longer") for _ in range(2)]
        assert [each["t"] for each in answers] == ["did", "did"]

    def kinds(conn: Any) -> list[str]:
        found = find_room(conn, LogKey(study.name, "l", "lobby"))
        assert found is not None
        return [event.kind for event in events_after(conn, found[0], 0)]

    assert (await study.log.read(kinds)).count("extended") == 1
