"""`labchat ethics`: what a board asks, and each safeguard that is taken away from a study."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from shiny_labchat import Bot, Lab
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain.commands import Consent, Debrief, EndPerson
from shiny_labchat.domain.events import LogKey
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.study.study import Study
from tests.support.backend import Backend, FreshUrl
from tests.support.database import labchat

SAID = {"PROLIFIC_PID": "5f3c", "STUDY_ID": "st", "SESSION_ID": "se"}
WHOLE: dict[str, Any] = {
    "purpose": "How groups agree",
    "controller": "Example University",
    "basis": "consent",
    "board": "board 2026-117",
    "contact": "lab@example.org",
}
RETAIN = {"ids": "2999-01-31", "words": "2999-12-31"}


@pytest.fixture
def folder(empty_database: Path) -> Iterator[Path]:
    """A folder that others can enter, unlike those of tests, with a database of its owner's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(empty_database, folder / "lab.db")
        (folder / "lab.db").chmod(0o600)
        yield folder


@pytest.fixture
def lab(folder: Path, backend: Backend, fresh_url: FreshUrl) -> Iterator[Lab]:
    is_file = backend.engine == "sqlite"
    lab = Lab(f"sqlite:///{folder}/lab.db" if is_file else fresh_url())
    lab.log.serve()
    yield lab
    lab.log.close()


def ask(lab: Lab, *words: str) -> Result:
    return labchat(lab.url, "ethics", *words)


def safeguards(lab: Lab) -> dict[str, dict[str, Any]]:
    told = json.loads(ask(lab, "--json").stdout)
    return {each["name"]: each for each in told["safeguards"]}


async def take_place(
    lab: Lab,
    without: str = "",
    *,
    debrief: bool = True,
    keep: bool = True,
    retain: dict[str, str] = RETAIN,
) -> Study:
    """
    A study with a bot that is shown as a person, and one participant; all is as it should be.

    Without a debrief there is no participant.
    """
    study = Study("pilot", lab=lab, **{k: v for k, v in WHOLE.items() if k != without})
    study.ends("prolific", complete="C1")
    if without != "consent":
        study.consent("You will talk. One of you may be a program.", version="2026-11")
    if debrief:
        study.debrief("One of you was a program.", keep=keep)
    if retain:
        study.retain(**retain)
    lab.add_bot(Bot("confederate", respond=lambda messages: None), rooms="group-*")
    if not debrief:  # so nobody can come
        await study.describe()
        await Runtime.of(lab.log).tasks.wait(60)
        return study
    arrived = await study.arrive(SAID, "key")
    if without != "consent":
        await study.submit(Consent("pilot", arrived.person, "2026-11", agrees=True))
    await study.submit(EndPerson("pilot", arrived.person, "complete"))
    room = await lab.create_room("group-1", study="pilot")
    await room.add_member(arrived.person)
    await Runtime.of(lab.log).tasks.wait(60)
    return study


async def call_model(lab: Lab, address: str) -> None:
    about: dict[str, Any] = {
        "is_call": True,
        "is_fallback": False,
        "provider": "OpenAI",
        "model": "gpt-4.1",
        "parameters": {"base_url": address},
        "prompt": Prompt([]),
    }
    room = LogKey("pilot", "group-1")
    await lab.log.write(
        lambda conn, now: entries.add(
            conn, now, room, "confederate", outcome="posted", seq=1, knew=1, **about
        )
    )


def test_of_a_study_with_all_safeguards_none_is_missing(lab: Lab) -> None:
    asyncio.run(take_place(lab))
    told = ask(lab)
    assert told.exit_code == 0, told.output
    assert "NOT MET" not in told.stdout and told.stdout.count("  MET ") == 15
    for words in [*WHOLE.values(), "2999-01-31", "2999-12-31", "PROLIFIC_PID, STUDY_ID"]:
        assert words in told.stdout


@pytest.mark.parametrize("name", [*WHOLE, "consent"])
def test_what_is_not_said_is_not_met(lab: Lab, name: str) -> None:
    asyncio.run(take_place(lab, without=name))
    assert missing(lab) == {name}


def missing(lab: Lab) -> set[str]:
    """The safeguards that are NOT MET, each with what to do; the exit status says so, too."""
    found = safeguards(lab)
    names = {name for name, each in found.items() if not each["is_met"]}
    told = ask(lab)
    assert told.exit_code == bool(names)
    for name in names:
        assert f"NOT MET  {name}: " in told.stdout and found[name]["todo"]
    return names


def test_without_a_debrief_for_a_bot_that_is_shown_as_a_person_two_are_missing(lab: Lab) -> None:
    asyncio.run(take_place(lab, debrief=False))
    assert missing(lab) == {"debrief", "keep"}


def test_a_debrief_that_does_not_ask_whether_data_may_be_kept_is_missing_that(lab: Lab) -> None:
    asyncio.run(take_place(lab, keep=False))
    assert missing(lab) == {"keep"}


@pytest.mark.parametrize("what", ["ids", "words"])
def test_a_day_that_is_not_set_is_not_met(lab: Lab, what: str) -> None:
    asyncio.run(take_place(lab, retain={k: v for k, v in RETAIN.items() if k != what}))
    assert missing(lab) == {f"{what} deleted"}


@pytest.mark.parametrize("what", ["ids", "words"])
def test_a_day_that_is_over_is_not_met_while_there_is_something_left(lab: Lab, what: str) -> None:
    asyncio.run(take_place(lab, retain={**RETAIN, what: "2020-01-31"}))
    assert missing(lab) == {f"{what} deleted"}
    assert "is over" in ask(lab).stdout


def test_a_database_that_others_can_read_is_not_met(
    lab: Lab, folder: Path, sqlite_only: None
) -> None:
    asyncio.run(take_place(lab))
    (folder / "lab.db").chmod(0o644)
    assert missing(lab) == {"files"}
    folder.chmod(0o700)
    assert missing(lab) == set(), "nobody else comes into the folder"


def test_whoever_asked_in_vain_that_their_data_be_deleted_is_not_met(lab: Lab) -> None:
    async def ask_for_it() -> None:
        study = await take_place(lab)
        (person,) = await study.people()
        await study.submit(Debrief("pilot", person.id, keep=False))

    asyncio.run(ask_for_it())
    assert missing(lab) == {"deletion"}


def test_a_link_of_an_observer_to_a_closed_study_is_not_met(lab: Lab) -> None:
    async def link() -> Study:
        study = await take_place(lab)
        await lab.invite("olga", study="pilot", role="observer")
        return study

    study = asyncio.run(link())
    assert missing(lab) == set() and "olga, observer: 1 valid link" in ask(lab).stdout
    asyncio.run(study.close())
    assert missing(lab) == {"links"}


def test_words_that_are_sent_in_plain_text_over_a_network_are_not_met(lab: Lab) -> None:
    async def call() -> None:
        await take_place(lab)
        await call_model(lab, "http://localhost:11434/v1/")
        await call_model(lab, "https://api.openai.com/v1/")

    asyncio.run(call())
    assert missing(lab) == set()
    assert "https://api.openai.com/v1/: OpenAI, gpt-4.1; 1 calls" in ask(lab).stdout
    asyncio.run(call_model(lab, "http://models.example.org/v1/"))
    assert missing(lab) == {"models"}


def test_a_ledger_that_was_lost_is_not_met(lab: Lab) -> None:
    async def withdraw() -> None:
        study = await take_place(lab)
        (person,) = await study.people()
        await lab.withdraw(person)

    asyncio.run(withdraw())
    assert missing(lab) == set()
    lab.log.ledger.path.unlink()
    assert missing(lab) == {"ledger"}


def test_exports_that_were_taken_are_listed_with_whose_words_they_have(
    lab: Lab, tmp_path: Path
) -> None:
    asyncio.run(take_place(lab))
    asyncio.run(lab.export(tmp_path / "out", study="pilot", anonymise=True))
    (export,) = json.loads(ask(lab, "--json").stdout)["exports"]
    assert export["formats"] == ["csv"] and export["anonymised"] is True
    assert f"anonymised; sha256 {export['sha256']}" in " ".join(ask(lab).stdout.split())


def test_a_study_of_rooms_only_has_none_of_what_a_study_says(lab: Lab) -> None:
    assert ask(lab, "--study", "pilot").exit_code == 1
    asyncio.run(lab.create_room("r", study="pilot"))
    assert missing(lab) >= {*WHOLE, "consent", "words deleted"}
