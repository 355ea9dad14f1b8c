"""What the page about running a study says that the commands print is what they print."""

from __future__ import annotations

import asyncio
import re

import pytest

from shiny_labchat import End, Lab
from shiny_labchat.domain.commands import Consent
from shiny_labchat.domain.ends import REASONS, end_with_code
from shiny_labchat.study.study import Study
from tests.support.backend import FreshUrl
from tests.support.database import labchat
from tests.support.server import ROOT

PAGE = (ROOT / "docs" / "running-a-study.md").read_text(encoding="utf-8")
COMMANDS = (["ends"], ["ends", "--csv"], ["pay", "--prolific"])
"""Those whose output is on the page, in this order."""


def described(lab: Lab) -> Study:
    """The study of the page, as its app describes it."""
    code = re.search(r"^study = Study\(.*?^(?=rules = )", PAGE, re.MULTILINE | re.DOTALL)
    assert code is not None
    names = {"End": End, "Study": lambda name, **said: Study(name, lab=lab, **said)}
    exec(code[0], names)
    study = names["study"]
    assert isinstance(study, Study)
    return study


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Lab:
    """Seven have come to the study of the page; six have left it, each in a way of their own."""
    lab = Lab(fresh_url())
    asyncio.run(_take_part(described(lab)))
    lab.log.close()
    return lab


async def _take_part(study: Study) -> None:
    ends = ("complete", "lobby_timeout", "screened_out", "withdrew", "removed", "no_consent", None)
    for n, reason in enumerate(ends, start=1):
        said = {"PROLIFIC_PID": f"5f3c{n:02}", "STUDY_ID": "st1", "SESSION_ID": f"se{n}"}
        arrived = await study.arrive(said, f"key {n}")
        agrees = reason != "no_consent"
        await study.submit(Consent(study.name, arrived.person, "1", agrees))
        person = await study.person_with_id(arrived.person)
        if reason == "complete":
            await person.pay("talked", 0.50)
        if reason is not None and agrees:
            await person.end(reason)


def settled(printed: str) -> str:
    """What is printed, without the random ids and the times."""
    printed = re.sub(r"person-[0-9a-f]+", "person-*", printed.replace("\t", "    "))
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:+]+", "*", printed).strip()


def test_the_page_shows_what_the_commands_print(lab: Lab) -> None:
    printed = [labchat(lab.url, *words).stdout for words in COMMANDS]
    shown = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert [settled(each) for each in shown] == [settled(each) for each in printed]


def test_the_page_says_of_each_end_what_a_code_alone_pays() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (full|no) pay, the code \|", PAGE, re.MULTILINE)
    assert {reason for reason, _ in rows} == {*REASONS} and len(rows) == len(REASONS)
    for reason, pay in rows:
        assert end_with_code(reason, End("C1")).pay == {"full": "full", "no": "none"}[pay]
