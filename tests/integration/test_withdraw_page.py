"""The page on which people withdraw later: only its own form, with a code, withdraws anybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from shiny_labchat import Lab
from shiny_labchat.access.receipts import Receipt, receipt_code
from shiny_labchat.access.recruits import arrive, browser_token
from shiny_labchat.access.revoking import Source
from shiny_labchat.domain.commands import Arrive, EndPerson, Pay, RecordAnswer
from shiny_labchat.domain.ends import End, data_of
from shiny_labchat.gateway.limits import Allowance
from shiny_labchat.gateway.withdraw_page import WITHDRAW_PATH, WRONG_CODES, withdraw_route
from shiny_labchat.lab.withdrawing import withdraw_with_code
from shiny_labchat.store import Log
from shiny_labchat.words import ENGLISH, Words
from tests.integration.test_study_sockets import CONSENT, AStudy
from tests.support.server import Server
from tests.support.study_page import StudyPage

SECRET = "SECRET-WORDS"
ENDS = {
    "complete": data_of(End(code="C-1", pay=2.5)),
    "withdrew": data_of(End(code="W-1", pay="full")),
}


@pytest.fixture
def study(lab: Lab, server: Server) -> AStudy:
    return AStudy(lab.log, server.port)


@pytest.fixture
async def site(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    address = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        yield client


async def consents(page: StudyPage, study: AStudy, person: str = "ann") -> None:
    await page.sees("consent")
    await page.does("consent", version="1", answers={"share": True})
    await study.log.submit_together(RecordAnswer(study.name, person, "why", {"why": SECRET}))


async def data_now(study: AStudy) -> str:
    return repr((await study.state()).people)


# ── the end of the study ──


async def test_who_ends_is_given_a_code_and_is_blank_after_they_have_sent_it(
    study: AStudy, site: httpx.AsyncClient
) -> None:
    await study.begin("ann", consent=CONSENT, ends=ENDS)
    async with study.page("ann") as ann:
        await consents(ann, study)
        await study.log.submit_together(EndPerson(study.name, "ann", "complete"))
        screen = await ann.sees("ended")
        receipt = screen["receipt"]
        assert receipt["link"]["href"] == WITHDRAW_PATH.removeprefix("/")
        assert re.fullmatch("([0-9A-Z]{5}-){3}[0-9A-Z]{5}", receipt["value"])
        assert screen["code"]["value"] == "C-1" and "forget" not in screen
        assert SECRET in await data_now(study)

        answer = await site.post(WITHDRAW_PATH, data={"code": receipt["value"].lower()})
        assert answer.status_code == 200 and ENGLISH["withdraw.done"] in answer.text
        left = await data_now(study)
        assert SECRET not in left and "'ann'" not in left
        screen = await ann.sees("ended", forget=True)
        assert screen["code"]["value"] == "C-1" and "receipt" not in screen
        assert any("deleted on" in line for line in screen["lines"])
    again = await site.post(WITHDRAW_PATH, data={"code": receipt["value"]})
    assert again.status_code == 200 and ENGLISH["withdraw.earlier"] in again.text


@pytest.mark.parametrize("how", ["stop", "debriefed"])
async def test_who_has_their_data_deleted_is_blank_at_once_and_sees_their_end(
    study: AStudy, how: str
) -> None:
    debrief = {"text": "It was about talk.", "keep": True} if how == "debriefed" else None
    await study.begin("ann", consent=CONSENT, ends=ENDS, debrief=debrief)
    async with study.page("ann") as ann:
        await consents(ann, study)
        await study.log.submit_together(Pay(study.name, "ann", "bonus", 150))
        if how == "stop":
            assert (await ann.does("stop", delete=True))["t"] == "did"
            code = "W-1"
        else:
            await study.log.submit_together(EndPerson(study.name, "ann", "complete"))
            await ann.until(lambda: "keep" in ann.screen.get("debrief", {}))
            assert (await ann.does("debriefed", keep=False))["t"] == "did"
            code = "C-1"
        screen = await ann.sees("ended", forget=True)
        await ann.until(lambda: any("deleted on" in line for line in ann.screen["lines"]))
        screen = ann.screen
        assert screen["code"]["value"] == code and "receipt" not in screen
        assert any("$1.50" in line for line in screen["lines"])
    left = await data_now(study)
    assert SECRET not in left and "'ann'" not in left and "150" in left


async def test_a_page_that_comes_back_later_sees_the_end_of_the_new_id(study: AStudy) -> None:
    await study.begin(consent=CONSENT, ends=ENDS)
    key = f"key-{study.name}"
    arrived = await arrive(study.log, study.name, {}, key)
    await study.log.submit_together(Arrive(study.name, arrived.person))
    source = Source.of("browser", browser_token(study.name, key))
    async with study.page(arrived.person, source=source) as ann:
        await consents(ann, study, arrived.person)
        await ann.does("stop", delete=True)
        await ann.until(lambda: any("deleted on" in line for line in ann.screen.get("lines", ())))
    again = await arrive(study.log, study.name, {}, key)
    assert again.person != arrived.person and not again.is_new
    async with study.page(again.person, source=source) as back:
        assert (await back.sees("ended", forget=True))["code"]["value"] == "W-1"


async def test_who_has_not_begun_is_given_no_code(study: AStudy) -> None:
    await study.begin("ann", consent=CONSENT)
    async with study.page("ann") as ann:
        await ann.does("refuse")
        assert "receipt" not in await ann.sees("ended")


# ── the page ──


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_the_page_withdraws_nothing(
    study: AStudy, site: httpx.AsyncClient, method: str
) -> None:
    await study.begin("ann")
    await study.log.submit_together(EndPerson(study.name, "ann", "complete"))
    code = await receipt_code(study.log, Receipt(study.name, "ann"))
    answer = await site.request(method, WITHDRAW_PATH, params={"code": code})
    assert answer.status_code == 200
    assert (await study.state()).people["ann"].withdrawn is None
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example", "host": "lab.example.org"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
    ],
)
async def test_a_form_of_another_site_withdraws_nothing(
    study: AStudy, site: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await study.begin("ann")
    code = await receipt_code(study.log, Receipt(study.name, "ann"))
    answer = await site.post(WITHDRAW_PATH, data={"code": code}, headers=headers)
    assert answer.status_code == 403
    assert (await study.state()).people["ann"].withdrawn is None


async def test_a_form_of_the_page_itself_is_taken(study: AStudy, site: httpx.AsyncClient) -> None:
    await study.begin("ann")
    code = await receipt_code(study.log, Receipt(study.name, "ann"))
    here = {"origin": str(site.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    answer = await site.post(WITHDRAW_PATH, data={"code": code}, headers=here)
    assert answer.status_code == 200
    assert "ann" not in (await study.state()).people


@pytest.mark.parametrize("body", ["", "code=", "code=%00", "code=WRONG", "x" * 9_000, "code=%ff"])
async def test_a_wrong_code_is_answered_by_a_clear_sentence(lab: Lab, body: str) -> None:
    async with app_of(lab.log) as client:
        answer = await client.post(WITHDRAW_PATH, content=body)
    assert answer.status_code == 404 and ENGLISH["withdraw.wrong"] in answer.text


async def test_codes_cannot_be_tried_for_long_but_a_right_one_is_taken(
    lab: Lab, study: AStudy
) -> None:
    await study.begin("ann")
    right = await receipt_code(lab.log, Receipt(study.name, "ann"))
    async with app_of(lab.log, wrong_codes=Allowance(3, 0.0)) as client:
        codes = [await client.post(WITHDRAW_PATH, data={"code": f"W{n}"}) for n in range(5)]
        assert [each.status_code for each in codes] == [404, 404, 404, 429, 429]
        assert ENGLISH["withdraw.too_often"] in codes[-1].text
        assert (await client.post(WITHDRAW_PATH, data={"code": right})).status_code == 200
    assert "ann" not in (await study.state()).people


async def test_a_form_that_is_sent_twice_withdraws_once(lab: Lab, study: AStudy) -> None:
    await study.begin("ann")
    code = await receipt_code(lab.log, Receipt(study.name, "ann"))
    async with app_of(lab.log) as client:
        twice = (client.post(WITHDRAW_PATH, data={"code": code}) for _ in range(2))
        assert [each.status_code for each in await asyncio.gather(*twice)] == [200, 200]
    assert "ann" not in (await study.state()).people


async def test_the_page_speaks_the_labs_language(lab: Lab) -> None:
    async with app_of(lab.log, Words("de")) as client:
        page = (await client.get(WITHDRAW_PATH)).text
    assert 'lang="de"' in page and Words("de")["withdraw.button"] in page


def app_of(
    log: Log, words: Words = ENGLISH, wrong_codes: Allowance = WRONG_CODES
) -> httpx.AsyncClient:
    """An app that has nothing but the page."""
    route = withdraw_route(lambda: [log], withdraw_with_code, lambda *_: words, wrong_codes)
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    return httpx.AsyncClient(transport=transport, base_url="http://test")
