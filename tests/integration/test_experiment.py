"""What a study promises its people and its experimenter, over real sockets and servers."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from shiny_labchat import Lab
from shiny_labchat.domain.commands import Arrive, EnterLobby
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.study import Study
from shiny_labchat.words import CATALOGUE
from tests.support.backend import FreshUrl
from tests.support.check_groups import SECOND, read_log
from tests.support.experiment import CHOICE, LOBBY, STUDY, serve
from tests.support.study_page import study_page
from tests.support.talking import chat_of, talks, texts
from tests.support.visitor import Visitor, go_by, visitor


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@pytest.fixture
def lab(url: str) -> Any:
    lab = Lab(url)
    yield lab
    lab.log.close()


def events(url: str, kind: str = "study", id: str = STUDY) -> list[dict[str, Any]]:
    """The events of a log, read without the package."""
    return read_log(url, STUDY, kind, id)


def counts(url: str, kind: str = "study", id: str = STUDY) -> Counter[str]:
    return Counter(event["kind"] for event in events(url, kind, id))


async def test_a_page_that_is_only_fetched_takes_no_place_and_makes_no_person(
    url: str, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(url) as server, httpx.AsyncClient(trust_env=False) as http:
        for n in range(1_000):
            answer = await http.get(f"http://127.0.0.1:{server.port}/?PID=p{n}")
            assert answer.status_code == 200
        async with visitor(server.port) as one:
            await one.sees("waiting")
    with capsys.disabled():
        print(f"\n1000 GETs: {dict(counts(url))}, in the lobby {counts(url, 'lobby', LOBBY)}")
    assert counts(url)["arrived"] == counts(url, "lobby", LOBBY)["entered"] == 1
    assert await lab.log.read(lambda conn: conn.exec_driver_sql(ARRIVALS).scalar()) == 1


ARRIVALS = "SELECT count(*) FROM arrival"
HEARD = "SELECT count(*) FROM seen"


async def test_a_start_leaves_nobody_over(
    url: str, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lobby = Lobby(
        LOBBY,
        study=Study(STUDY, lab=lab),
        group_size=(3, 4, 5),
        start="code",
        ready=None,
    )
    await lobby.describe()
    said = {"group_size": [3, 4, 5], "start": "code"}
    async with serve(url, lobby=said) as server, AsyncExitStack() as stack:
        for n in range(118):
            await lab.log.submit_together(Arrive(STUDY, f"p{n}"))
            page = study_page(server.port, lab.log, STUDY, f"p{n}", lobby=LOBBY)
            await stack.enter_async_context(page)
            await lab.log.submit_together(EnterLobby(STUDY, LOBBY, f"p{n}"))
        while await lab.log.read(lambda conn: conn.exec_driver_sql(HEARD).scalar()) != 118:
            await lab.log.settled()
        made = await lobby.start()
    grouped = [each["data"]["people"] for each in events(url) if each["kind"] == "grouped"]
    sizes = Counter(map(len, grouped))
    with capsys.disabled():
        print(f"\n118 people, start(): {made} groups, {dict(sizes)}")
    assert made == 30 and sizes == {4: 28, 3: 2}
    assert len({person for people in grouped for person in people}) == 118


# ── presence ──


async def test_who_is_silent_for_eleven_seconds_is_not_grouped_and_keeps_the_place_for_twenty(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(url, lobby={"group_size": 2}) as server, AsyncExitStack() as stack:
        ann = await stack.enter_async_context(visitor(server.port))
        await ann.sees("waiting")
        ann.be_silent()
        await go_by(11)
        for other in ("bob", "carl"):
            page = await stack.enter_async_context(visitor(server.port))
            await page.sees("waiting", "moment")
            if other == "bob":
                await go_by(3)
                assert page.screen["is"] == "waiting", "ann does not answer"
        await page.sees("moment")
        await go_by(5)  # ann is frozen for more than twenty seconds
        assert ann.study is not None
        ann.study.hidden = 0
        dora = await stack.enter_async_context(visitor(server.port))
        await dora.sees("moment")
        await ann.sees("moment")
    log = events(url, "lobby", LOBBY)
    first, second = (each for each in log if each["kind"] == "grouped")
    entered = [each["member"] for each in log if each["kind"] == "entered"]
    waits = {who: round(wait / SECOND, 1) for who, wait in second["data"]["waits"].items()}
    with capsys.disabled():
        print(f"\nann waited {waits[entered[0]]} s, and was grouped as soon as she answered again")
    assert entered[0] not in first["data"]["people"] and len(entered) == 4
    assert set(second["data"]["people"]) == {entered[0], entered[3]}
    assert waits[entered[0]] > 19


# ── waiting for each other ──


async def test_nobody_waits_longer_for_the_others_and_each_is_paid_once(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    within = 8
    said = {"lobby": {"group_size": 4}, "within": within}
    async with serve(url, **said) as one, serve(url, **said) as two, AsyncExitStack() as stack:
        ports = [server.port for server in (one, two)]
        pages = [await stack.enter_async_context(visitor(ports[n % 2])) for n in range(24)]
        await asyncio.gather(*(page.until(lambda p=page: CHOICE in p.page) for page in pages))
        for page in pages[:2]:
            await page.does("stop")
        late, *rest = pages[2:]
        waits = await asyncio.gather(*(chooses(n, page) for n, page in enumerate(rest)))
        await late.sees("ended")
        assert late.screen["code"]["value"] == "IDLE2"
        for page in rest:
            await page.sends("labchat_form_experiment_after", why="so")
        await asyncio.gather(*(page.sees("ended") for page in rest))
    log = events(url)
    paid = [each for each in log if each["kind"] == "paid"]
    with capsys.disabled():
        print(f"\n24 people, longest wait {max(waits):.2f} s of {within} s; {len(paid)} paid")
    assert max(waits) <= within + 2
    assert {each["member"]: each["data"]["cents"] for each in paid} == cents_due(log)
    assert len(paid) == len({each["member"] for each in paid}) == 21


async def chooses(n: int, page: Visitor) -> float:
    """Choose, and give how long the others are waited for."""
    cid = await page.sends(CHOICE, choice="XY"[n % 3 > 0])
    assert await page.is_stored(CHOICE, cid) == "stored"
    loop = asyncio.get_running_loop()
    began = loop.time()
    await page.until(lambda: "All have chosen" in page.page)
    return loop.time() - began


def cents_due(log: list[dict[str, Any]]) -> dict[str, int]:
    """What everybody is due, by what is on record of the choices in their group."""
    choice = {
        each["member"]: each["data"]["value"]["choice"]
        for each in log
        if each["kind"] == "recorded" and each["data"]["kind"] == "choice"
    }
    due: dict[str, int] = {}
    for met in (each["data"]["people"] for each in log if each["kind"] == "barrier_met"):
        choices = [choice[person] for person in met]
        for person in met:
            due[person] = choices.count(choice[person]) * 25 + len(met)
    return due


# ── consent ──


async def test_a_new_consent_asks_those_only_who_have_not_begun(url: str) -> None:
    """The app is started anew with another version while people are there."""
    said = {"form": "always"}
    async with serve(url, consent="1", **said) as old, AsyncExitStack() as stack:
        begun = await stack.enter_async_context(visitor(old.port))
        await begun.sees("consent")
        reads = await stack.enter_async_context(visitor(old.port))
        await reads.sees("consent")
        assert (await begun.does("consent", version="1", answers={}))["t"] == "did"
        await begun.sees("waiting")
        async with serve(url, consent="2", **said) as new:
            comes = await stack.enter_async_context(visitor(new.port))
            for page in (reads, comes):
                await page.until(lambda p=page: p.screen.get("version") == "2")
                cid = await page.sends(CHOICE, choice="X")
                assert await page.is_stored(CHOICE, cid) == "not_stored"
                answer = await page.does("consent", version="1", answers={})
                assert answer["code"] == "old_consent" and answer["say"]
            assert counts(url, "lobby", LOBBY)["entered"] == 1
            assert counts(url)["recorded"] == 0
            cid = await begun.sends(CHOICE, choice="X")
            assert await begun.is_stored(CHOICE, cid) == "stored"
            assert (await reads.does("consent", version="2", answers={}))["t"] == "did"
            for page in (begun, reads):
                await page.until(lambda p=page: p.chat is not None and bool(p.chat.welcome))
            assert comes.chat is None
    versions = [each["data"]["version"] for each in events(url) if each["kind"] == "consented"]
    assert versions == ["1", "2"]


# ── a bot that nobody is told of ──


async def test_a_study_that_deceives_and_tells_nobody_refuses_its_first_arrival(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(url, bot=True) as server:
        async with visitor(server.port) as page:
            await page.until(lambda: any(each["do"] == "study" for each in page.notices))
            [notice] = [each for each in page.notices if each["do"] == "study"]
        said = server.logs("lets nobody in")
    with capsys.disabled():
        print(f"\npage: {notice}\nlog:  {said}")
    assert notice["code"] == "no_debrief" and notice["say"] and "ticket" not in notice
    assert "study.debrief(...)" in said and "bot" in said and counts(url)["arrived"] == 0


async def test_a_bot_of_one_condition_is_in_no_frame_no_log_and_no_audit_of_the_other(
    url: str, lab: Lab
) -> None:
    lobby = {"conditions": ["a", "b"], "balance": "rotate"}
    said = {"bot": True, "bot_in": "a", "debrief": "One was a program.", "lobby": lobby}
    async with serve(url, **said) as server, AsyncExitStack() as stack:
        four = [await stack.enter_async_context(visitor(server.port)) for _ in range(2)]
        for page in four:
            await chat_of(page)
        four += [await stack.enter_async_context(visitor(server.port)) for _ in range(2)]
        await talks(four[0], "hello")
        for page in four[:2]:
            await page.until(lambda p=page: texts(p).count("beep") == 2)
        await talks(four[2], "hello", "anybody else?")
        await four[3].until(lambda: texts(four[3]) == ["hello", "anybody else?"])
        machine = (await lab.room("secret-room-1", study=STUDY).state()).memberships[MACHINE]
        told = [page.everything() for page in four]
    other = lab.room("secret-room-2", study=STUDY)
    told.append(str(events(url, "room", other.id)))
    assert await other.audit() == []
    for word in (MACHINE, machine.handle, machine.pseudonym, "beep"):
        assert word in "".join(told[:2]) or word == MACHINE
        assert not any(word in each for each in told[2:])


MACHINE = "secret-machine"


# ── forms ──


async def test_a_double_click_is_one_answer_in_two_tabs_at_two_servers(url: str) -> None:
    key = "k" * 32
    async with serve(url, form="first") as one, serve(url, form="first") as two:
        async with visitor(one.port, key=key) as page, visitor(two.port, key=key) as tab:
            for each in (page, tab):
                await each.until(lambda e=each: CHOICE in e.page and e.screen != {})
            cids = {await each.sends(CHOICE, "c1", choice="X") for each in (page, page, tab)}
            for each in (page, tab):
                assert await each.is_stored(CHOICE, *cids) == "stored"
    assert counts(url)["recorded"] == counts(url)["arrived"] == 1


async def test_an_answer_survives_a_kill_or_the_form_says_that_it_is_not_kept(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stored: set[str] = set()
    sent: dict[str, int] = {}
    keys = [f"{n}" * 32 for n in range(4)]
    for enough in (0, 1, 5, 11, 18):
        async with serve(url, form="always") as server, AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(visitor(server.port, key=key)) for key in keys]
            for page in pages:
                await page.until(lambda p=page: CHOICE in p.page and p.screen != {})
            sending = asyncio.create_task(send_all(pages))
            await until_stored(pages, enough)
            server.kill()
            sent |= await sending
            for page in pages:
                await page.is_cut_off()
                stored |= stored_on(page)
    kept = recorded_cids(url)
    lost = sent.keys() - kept
    async with serve(url, form="always") as server, AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(visitor(server.port, key=key)) for key in keys]
        for page in pages:
            await page.until(lambda p=page: CHOICE in p.page and p.screen != {})
        for cid in sorted(lost):  # the pages have them still, as they were not told
            page = pages[sent[cid]]
            await page.sends(CHOICE, cid, choice="X")
            assert await page.is_stored(CHOICE, cid) == "stored"
    with capsys.disabled():
        print(
            f"\n{len(sent)} answers, 5 kills: {len(stored)} said to be stored, {len(kept)} kept, "
            f"{len(lost)} neither, sent again"
        )
    assert stored <= kept and recorded_cids(url) == sent.keys()
    assert counts(url)["recorded"] == len(sent)


async def send_all(pages: list[Visitor]) -> dict[str, int]:
    """Send five forms on each page, one after the other; gives their ids, and of which page."""
    cids: dict[str, int] = {}
    for _ in range(5):
        for number, page in enumerate(pages):
            cids[cid := secrets.token_hex(8)] = number
            with suppress(ConnectionClosed):
                await page.sends(CHOICE, cid, choice="X")
    return cids


async def until_stored(pages: list[Visitor], number: int) -> None:
    """Wait until so many forms are said to be stored."""

    def are_enough() -> bool:
        return sum(len(stored_on(page)) for page in pages) >= number

    waiting = [asyncio.create_task(page.until(are_enough)) for page in pages]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def stored_on(page: Visitor) -> set[str]:
    """The forms that a page is told to be stored."""
    told = (each for each in page.notices if each["do"] == "form")
    return {each["cid"] for each in told if each["is"] == "stored"}


def recorded_cids(url: str) -> set[str]:
    return {each["cid"] for each in events(url) if each["kind"] == "recorded"}


async def test_people_read_the_words_of_their_study(url: str) -> None:
    said = {"language": "de", "texts": {"lobby.title": "Gleich geht es los."}}
    async with serve(url, study=said) as server, visitor(server.port) as one:
        screen = await one.sees("waiting")
        assert screen["title"] == "Gleich geht es los."
        assert screen["buttons"][0]["label"] == CATALOGUE["de"]["lobby.leave"]
        refused = await one.does("ready")
        assert refused["say"] in CATALOGUE["de"].values()


async def test_a_function_is_called_once_with_who_is_late(url: str, lab: Lab) -> None:
    async with serve(url, within=3, late="choose", lobby={"group_size": 3}) as server:
        async with AsyncExitStack() as stack:
            three = [await stack.enter_async_context(visitor(server.port)) for _ in range(3)]
            for each in three:
                await each.until(lambda page=each: CHOICE in page.page)
            for each in three[:2]:
                await each.sends(CHOICE, choice="X")
            for each in three:
                await each.until(lambda page=each: "All have chosen" in page.page)
    recorded = [
        each["data"]["value"]["choice"] for each in events(url) if each["kind"] == "recorded"
    ]
    assert sorted(recorded) == ["X", "X", "default"]
    assert counts(url)["late_called"] == 1 and counts(url)["ended"] == 0


async def test_people_choose_the_names_that_others_see(url: str, lab: Lab) -> None:
    async with serve(url, lobby={"names": "ask"}) as server, AsyncExitStack() as stack:
        ann, bob = [await stack.enter_async_context(visitor(server.port)) for _ in range(2)]
        for each in (ann, bob):
            screen = await each.sees("name")
            assert screen["field"]["label"] and screen["stop"]
        assert (await ann.does("name", name="Ann"))["t"] == "did"
        assert (await bob.does("name", name="ann"))["code"] == "name_taken"
        assert (await bob.does("name", name="  "))["code"] == "bad_name"
        assert (await bob.does("name", name="Bob"))["t"] == "did"
        for each in (ann, bob):
            await each.until(lambda page=each: CHOICE in page.page)
        members = await lab.room("secret-room-1", study=STUDY).members()
        assert {each.pseudonym for each in members} == {"Ann", "Bob"}
