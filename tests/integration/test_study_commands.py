"""The commands about a study's people, which read what its script has said, without the script."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from shiny_labchat import End, Lab, Rules
from shiny_labchat.access.ends import EndLink
from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    Consent,
    EndPerson,
    EnterLobby,
    LobbySigns,
)
from shiny_labchat.lab.runtime import address_of
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.person import Person
from shiny_labchat.study.study import Study
from tests.support.backend import FreshUrl
from tests.support.database import labchat

Ask = Callable[..., Result]
COMPLETE = "https://app.prolific.com/submissions/complete?cc={code}&b={bonus}&p={PROLIFIC_PID}"


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """The database that the commands are for."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """``ask("pay", "--prolific")``: what the command says."""

    def run(*words: str) -> Result:
        return labchat(lab.url, *words)

    return run


def study_in(lab: Lab, name: str = "pilot") -> Study:
    """A study as its script describes it."""
    study = Study(name, lab=lab, currency="GBP", contact="lab@example.org")
    late = End(code="LT22", pay=1.50)
    study.ends("prolific", complete=End("C1", COMPLETE), lobby_timeout=late)
    return study


async def come(study: Study, pid: str, key: str | None = None) -> Person:
    said = {"PROLIFIC_PID": pid, "STUDY_ID": "st", "SESSION_ID": key or "se"}
    arrived = await study.arrive(said, f"key of {pid} {key}")
    return await study.person_with_id(arrived.person)


def run(people: Callable[[], Awaitable[list[Person]]]) -> list[Person]:
    async def wait() -> list[Person]:
        return await people()

    return asyncio.run(wait())


@pytest.fixture
def people(lab: Lab) -> list[Person]:
    """ann has completed with a bonus, ben was timed out, cem takes part with a bonus."""

    async def take_part() -> list[Person]:
        study = study_in(lab)
        ann, ben, cem = [await come(study, pid) for pid in ("ann", "ben", "cem")]
        await ann.pay("group", 2)
        await ann.end("complete")
        await ben.end("lobby_timeout")
        await cem.pay("guess", 0.25)
        return [ann, ben, cem]

    return run(take_part)


# ── ends ──


def test_ends_are_printed_with_their_codes(ask: Ask, people: list[Person]) -> None:
    ann, ben, _ = people
    told = ask("ends")
    assert told.stdout == f"{ann.id}\tcomplete\tC1\n{ben.id}\tlobby_timeout\tLT22\n"


def test_a_table_of_ends_has_all_people_and_only_its_owner_may_read_it(
    ask: Ask, people: list[Person], tmp_path: Path
) -> None:
    file = tmp_path / "ends.csv"
    told = ask("ends", "--csv", str(file), "--study", "pilot")
    assert told.stdout == "" and "Wrote 3 people of study 'pilot'" in told.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    told_of = [
        [row[name] for name in ("study", "PROLIFIC_PID", "person", "end", "code", "pay", "bonus")]
        for row in rows
    ]
    assert told_of == [
        ["pilot", "ann", people[0].id, "complete", "C1", "full", "2.00"],
        ["pilot", "ben", people[1].id, "lobby_timeout", "LT22", "1.50", "0.00"],
        ["pilot", "cem", people[2].id, "", "", "", "0.25"],
    ]
    assert rows[0]["ended_at"] >= rows[0]["arrived_at"] and rows[2]["ended_at"] == ""
    again = ask("ends", "--csv", str(file))
    assert again.exit_code == 1 and "is there already" in again.stderr
    printed = ask("ends", "--csv").stdout
    assert printed == file.read_text(encoding="utf-8")


def test_a_table_of_ends_says_who_has_asked_for_deletion(
    lab: Lab, ask: Ask, people: list[Person]
) -> None:
    cem = people[2]
    asyncio.run(study_in(lab).submit(EndPerson("pilot", cem.id, "withdrew", delete=True)))
    rows = csv.DictReader(ask("ends", "--csv").stdout.splitlines())
    assert [row["to_delete"] for row in rows] == ["", "", "yes"]


def test_a_link_leads_to_the_address_with_all_its_values(lab: Lab, people: list[Person]) -> None:
    ann, ben, cem = people

    async def addresses() -> list[str | None]:
        links = [
            EndLink("pilot", ann.id, "complete"),
            EndLink("pilot", ann.id, "idle"),
            EndLink("pilot", ben.id, "lobby_timeout"),
            EndLink("pilot", cem.id, "complete"),
            EndLink("pilot", "nobody", "complete"),
        ]
        return [await address_of(lab.log, link) for link in links]

    address, *others = asyncio.run(addresses())
    assert address == "https://app.prolific.com/submissions/complete?cc=C1&b=2.00&p=ann"
    assert others == [None, "https://app.prolific.com/submissions/complete?cc=LT22", None, None]


# ── pay ──


def test_what_is_due_is_printed_as_a_recruiter_takes_it(ask: Ask, people: list[Person]) -> None:
    told = ask("pay", "--prolific")
    assert told.stdout == "ann,2.00\nben,1.50\ncem,0.25\n"
    assert "In all 3.75 GBP for 3 people" in told.stderr
    assert ask("pay").stdout.splitlines()[0] == f"{people[0].id},2.00"


def test_what_was_sent_is_noted_once(ask: Ask, people: list[Person], tmp_path: Path) -> None:
    file = tmp_path / "bonus.csv"
    file.write_text("\ufeffann,2.00\r\n\r\nben, 1.5\r\n", encoding="utf-8")
    told = ask("pay", "--paid", str(file))
    assert told.exit_code == 0 and "Noted 2 payments as sent" in told.stderr
    again = ask("pay", "--paid", str(file))
    assert "Noted 0 payments" in again.stderr and "2 had been noted before" in again.stderr
    assert ask("pay", "--prolific").stdout == "cem,0.25\n"


def test_a_payment_after_the_first_file_is_due_again(
    ask: Ask, lab: Lab, people: list[Person], tmp_path: Path
) -> None:
    file = tmp_path / "bonus.csv"
    file.write_text("ann,2.00\n", encoding="utf-8")
    ask("pay", "--paid", str(file))

    async def pay() -> list[Person]:
        await (await study_in(lab).person_with_id(people[0].id)).pay("second", 2)
        return []

    run(pay)
    assert ask("pay", "--prolific").stdout.startswith("ann,2.00\n")
    assert "Noted 0 payments" in ask("pay", "--paid", str(file)).stderr
    other = file.rename(tmp_path / "bonus-2.csv")
    assert "Noted 1 payments" in ask("pay", "--paid", str(other)).stderr
    assert "ann" not in ask("pay", "--prolific").stdout


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ann,2.01", "'ann' was sent 2.01, but 2.00 is due"),
        ("zoe,1.00", "nobody in study 'pilot' has the id 'zoe'"),
        ("ann", "line 2 must be an id, a comma, and an amount"),
        ("ann,0.001", "line 2 must be whole cents"),
    ],
)
def test_of_a_file_that_cannot_be_right_nothing_is_noted(
    ask: Ask, people: list[Person], tmp_path: Path, line: str, sentence: str
) -> None:
    file = tmp_path / "bonus.csv"
    file.write_text(f"cem,0.25\n{line}\n", encoding="utf-8")
    told = ask("pay", "--paid", str(file))
    assert told.exit_code == 1 and sentence in told.stderr
    assert "cem,0.25" in ask("pay", "--prolific").stdout


def test_an_empty_file_is_no_file_of_payments(
    ask: Ask, people: list[Person], tmp_path: Path
) -> None:
    file = tmp_path / "bonus.csv"
    file.touch()
    assert "has no payments" in ask("pay", "--paid", str(file)).stderr


def test_people_with_one_recruiters_id_share_a_line(ask: Ask, lab: Lab, tmp_path: Path) -> None:
    """Somebody has come twice, in two sessions; their second part ended at once."""

    async def come_twice() -> list[Person]:
        study = study_in(lab)
        first, second = await come(study, "ann", "1"), await come(study, "ann", "2")
        await first.pay("group", 2)
        await second.pay("apology", 1)
        return [first, second]

    first, second = run(come_twice)
    assert second.ended == "already_took_part" and first.id != second.id
    told = ask("pay", "--prolific").stdout
    assert told == "ann,3.00\n"
    file = tmp_path / "bonus.csv"
    file.write_text(told, encoding="utf-8")
    assert "Noted 1 payments" in ask("pay", "--paid", str(file)).stderr
    assert ask("pay").stdout == ""


def test_whose_id_is_not_known_any_more_is_named(ask: Ask, lab: Lab) -> None:
    async def come_by_link() -> list[Person]:
        study = study_in(lab)
        await study.submit(Arrive("pilot", "p17"))
        person = await study.person_with_id("p17")
        await person.pay("group", 1)
        return [person]

    run(come_by_link)
    told = ask("pay", "--prolific")
    assert told.stdout == "" and "p17" in told.stderr
    assert ask("pay").stdout == "p17,1.00\n"


# ── what a study was told ──


def test_studies_are_listed_with_their_people(ask: Ask, lab: Lab, people: list[Person]) -> None:
    run(lambda: _describe(study_in(lab, "main")))
    run(lambda: _wait_at_consent(study_in(lab, "asking")))
    head, *rows = cells_of(ask("study").stdout)
    assert head == ["study", "came", "at the consent", "take part", "completed", "ended otherwise"]
    told = [["pilot", "3", "0", "1", "1", "1"], ["main", *"00000"], ["asking", *"21100"]]
    assert rows == told
    said = json.loads(ask("study", "--json").stdout)
    assert said[0] == {
        "study": "pilot",
        "people": {
            "came": 3,
            "at_consent": 0,
            "take_part": 1,
            "ended": {"complete": 1, "lobby_timeout": 1},
        },
    }


async def _wait_at_consent(study: Study) -> list[Person]:
    """Two come, and one of them has consented."""
    study.consent("You will talk.", version="1", items={"share": "Share?"}, required=["share"])
    first, second = await come(study, "ann"), await come(study, "ben")
    await study.submit(Consent(study.name, first.id, "1", answers={"share": True}))
    return [first, second]


def cells_of(printed: str) -> list[list[str]]:
    """The cells of the printed tables, line by line; lines are drawn between head and rows."""
    lines = (line.strip() for line in printed.splitlines())
    cells = (re.split(r" {2,}", line) for line in lines if line and set(line) != {"─"})
    return [[cell.strip() for cell in each] for each in cells]


async def _describe(study: Study) -> list[Person]:
    await study.describe()
    await study.close()
    return []


def test_a_study_is_printed_as_it_is_now(ask: Ask, lab: Lab, people: list[Person]) -> None:
    run(lambda: _describe(study_in(lab)))
    rows = cells_of(ask("study", "pilot").stdout)
    assert ["Study pilot"] in rows and ["contact", "lab@example.org"] in rows
    assert ["params", "PROLIFIC_PID, STUDY_ID, SESSION_ID"] in rows
    assert ["new people", "nobody new takes part"] in rows and ["came", "3"] in rows
    assert ["ended: complete", "1"] in rows and ["take part", "1"] in rows
    assert ["complete", "1", "full", "C1", "app.prolific.com", "by default"] in rows
    assert ["lobby_timeout", "1", "1.50 GBP", "LT22", "app.prolific.com", "by default"] in rows
    assert ["withdrew", "0", "not said", "none", "by default"] in rows


def test_it_is_said_once_which_ends_a_study_says_nothing_of(
    ask: Ask, lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    async def describe() -> list[Person]:
        await study_in(lab).describe()
        await Lobby("lobby", study=study_in(lab)).describe()
        await study_in(lab).describe()
        return []

    run(describe)
    told = [each for each in caplog.messages if "says nothing of these ends" in each]
    unsaid = "withdrew, removed, not_ready, idle, group_dissolved"
    assert [each.partition("ends: ")[2].partition(";")[0] for each in told] == [
        "withdrew, removed",
        unsaid,
    ]
    printed = ask("study", "pilot").stdout
    listed = "not_ready, idle, removed, group_dissolved, withdrew"
    assert f"study.ends() says nothing of: {listed}. Who comes" in printed


def test_an_end_that_the_app_chooses_and_says_nothing_of_is_named(ask: Ask, lab: Lab) -> None:
    async def end() -> list[Person]:
        study = study_in(lab)
        for reason in ("screened_out", "already_took_part"):
            await (await come(study, reason)).end(reason)
        return []

    run(end)
    printed = ask("study", "pilot").stdout
    assert "study.ends() says nothing of: removed, screened_out, withdrew. Who comes" in printed


def test_a_study_without_any_ends_is_not_warned_of(
    ask: Ask, lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    run(lambda: _described(Study("class", lab=lab)))
    assert not caplog.messages and "says nothing" not in ask("study", "class").stdout


async def _described(study: Study) -> list[Person]:
    await study.describe()
    return []


def test_a_lobby_is_printed_with_its_settings_and_its_conditions(ask: Ask, lab: Lab) -> None:
    async def group() -> list[Person]:
        study = study_in(lab)
        settings = {"conditions": ["calm", "heated"], "group_size": (2, 2, 3), "max_wait": 90}
        lobby = Lobby("lobby", study=study, ready=None, rules=Rules(duration=300), **settings)
        await lobby.describe()
        three = [await come(study, pid) for pid in ("ann", "ben", "cem")]
        for each in three:
            await study.submit(EnterLobby(study.name, "lobby", each.id))
        seen = {each.id: time.time_ns() // 1000 for each in three[:2]}
        leftover = Advance(study.name, "lobby", LobbySigns(seen), "random", leftover="wait")
        await study.submit(leftover)
        await (await study.person_with_id(three[0].id)).end("complete")
        return three

    run(group)
    rows = cells_of(ask("study", "pilot").stdout)
    assert ["Lobby lobby: 1 wait, 2 were grouped"] in rows
    assert ["group_size", "2 to 3, ideally 2"] in rows and ["max_wait", "90 s"] in rows
    assert ["rules", "duration=300"] in rows and ["conditions", "calm, heated"] in rows
    assert ["settle", "20 s", "default"] in rows and ["rooms", "{lobby}-{n}", "default"] in rows
    of_conditions = [row[1:] for row in rows if row[0] == "lobby" and row[1] in ("calm", "heated")]
    assert sorted(row[1:] for row in of_conditions) == [[*"000000"], [*"102110"]]
    said = json.loads(ask("study", "pilot", "--json").stdout)
    assert said["lobbies"][0]["settings"]["max_wait"] == 90
    assert {each["condition"] for each in said["conditions"]} == {"calm", "heated"}


def test_who_refuses_has_a_row_without_what_the_recruiter_said(ask: Ask, lab: Lab) -> None:
    async def refuse() -> list[Person]:
        study = study_in(lab)
        study.consent("You will talk.", version="1")
        ann = await come(study, "ann")
        await study.submit(Consent(study.name, ann.id, "1", agrees=False))
        return [ann]

    (ann,) = run(refuse)
    (row,) = csv.DictReader(ask("ends", "--csv").stdout.splitlines())
    assert row["person"] == ann.id and row["end"] == "no_consent" and row["ended_at"]
    assert [row[name] for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")] == ["", "", ""]
    assert [row[name] for name in ("code", "pay", "to_delete")] == ["", "", ""]
    assert ask("find", "PROLIFIC_PID=ann").exit_code == 1


def test_the_commands_say_which_studies_there_are(ask: Ask, lab: Lab, people: list[Person]) -> None:
    told = ask("ends", "--study", "pilto")
    assert told.exit_code == 1 and "has no study 'pilto'; it has: pilot" in told.stderr
    run(lambda: _describe(study_in(lab, "main")))
    assert "name one with --study: pilot, main" in ask("pay").stderr


def test_without_a_study_the_commands_say_so(ask: Ask) -> None:
    assert "nobody has come to one yet" in ask("ends").stderr
    told = ask("study")
    assert told.stdout == "" and "nobody has come to a study yet" in told.stderr
