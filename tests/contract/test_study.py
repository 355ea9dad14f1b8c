"""A study as programmes use it: what the code says, its people, what they record and are paid."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import End, Lab, LabChatError, Refused, Room, StoreError
from shiny_labchat.domain.commands import Consent, EndPerson
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import events_after, find_room
from shiny_labchat.store.queries import append_events, row_of
from shiny_labchat.study.person import Participant, Person
from shiny_labchat.study.study import Study

PARAMS = ("PROLIFIC_PID", "SESSION_ID")


@pytest.fixture(autouse=True)
def served(lab: Lab) -> None:
    """This process serves pages of the lab, so that a page finds a database."""
    lab.log.serve()


@pytest.fixture
def study(lab: Lab) -> Study:
    return Study("pilot", lab=lab, params=PARAMS)


async def come(study: Study, pid: str, session: str = "s", browser: str | None = None) -> Person:
    """Somebody comes to a study; they are read again from its log."""
    said = {"PROLIFIC_PID": pid, "SESSION_ID": session, "other": "x"}
    arrived = await study.arrive(said, browser or f"key of {pid}")
    return await study.person_with_id(arrived.person)


async def events_of(study: Study) -> list[Event]:
    """All events of a study's own log."""

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, study_log(study.name))
        return [] if found is None else events_after(conn, found[0], 0)

    return await study.log.read(read)


# ── what the code says ──


async def test_what_two_labs_say_alike_is_stored_once(lab: Lab, reopen: Lab) -> None:
    for where in (lab, lab, reopen):
        study = Study("pilot", lab=where, seed=7, contact="lab@example.org")
        study.consent("You will talk.", version="1", items={"share": "My words."})
        study.ends("prolific", complete="C1ABC")
        await study.describe()
    told = [event.data["settings"] for event in await events_of(study)]
    assert len([each for each in told if each.keys() != {"environment"}]) == 1
    settings = (await study.state()).settings
    assert settings.get("seed") == 7 and settings.get("params")[0] == "PROLIFIC_PID"
    assert settings.get("consent")["items"] == {"share": "My words."}


async def test_a_study_is_described_before_anybody_arrives(study: Study) -> None:
    study.consent("You will talk.", version="1")
    await come(study, "ann")
    assert [event.kind for event in await events_of(study)] == ["configured", "arrived"]


async def test_what_is_said_later_is_stored_when_it_is_next_used(study: Study) -> None:
    await study.describe()
    study.debrief("We wanted to know.", keep=True)
    await come(study, "ann")
    told = (await study.state()).settings.get("debrief")
    assert told == {"text": "We wanted to know.", "keep": True}


async def test_a_program_that_says_nothing_changes_nothing(study: Study, reopen: Lab) -> None:
    study.consent("You will talk.", version="1")
    ann = await come(study, "ann")
    again = Study("pilot", lab=reopen)
    await (await again.person_with_id(ann.id)).pay("bonus", 1)
    kinds = [event.kind for event in await events_of(study)]
    assert kinds == ["configured", "arrived", "paid"]


async def test_what_was_changed_meanwhile_stays(study: Study, reopen: Lab) -> None:
    await study.close()
    await Study("pilot", lab=reopen, params=PARAMS).describe()
    assert (await come(study, "ann")).ended == "closed"
    await study.open()
    assert (await come(study, "ben")).ended is None


async def test_another_seed_is_refused_with_both_once_there_are_people(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    await come(Study("pilot", lab=lab, seed=7, params=PARAMS), "ann")
    with pytest.raises(Refused, match="seed is 7 there; the app says 8") as caught:
        await come(Study("pilot", lab=lab, seed=8, params=PARAMS), "ben")
    assert caught.value.code == "fixed" and "seed is 7 there" in caplog.text


@pytest.mark.parametrize("is_followed", [True, False])
async def test_in_a_database_that_takes_the_place_of_another_a_study_is_described_anew(
    sqlite_file: Path, lab: Lab, study: Study, empty_database: Path, is_followed: bool
) -> None:
    study.consent("You will talk.", version="1")
    await study.describe()
    if is_followed:
        await Runtime.of(lab.log).live.logs.follow(study_log("pilot"), lambda: None)
    path = sqlite_file
    new = path.with_name("new.db")
    shutil.copy(empty_database, new)
    for name in (f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    new.replace(path)
    ann = await come(study, "ann")
    assert [event.kind for event in await events_of(study)] == ["configured", "arrived"]
    with pytest.raises(Refused, match="consent_first"):
        await ann.set_step("talk")


def test_what_a_study_is_given_is_checked(lab: Lab) -> None:
    study = Study("pilot", lab=lab)
    for wrong in (
        lambda: Study(" ", lab=lab),
        lambda: Study("pilot", lab=lab, params=["code"]),
        lambda: Study("pilot", lab=lab, exclude=["pilot"]),
        lambda: study.consent(" ", version="1"),
        lambda: study.consent("Yes?", version="1", required=["share"]),
        lambda: study.debrief(""),
        lambda: study.ends({"completed": "C1"}),
        lambda: study.ends({"complete": End(url="https://x.test/?id={PROLIFIC_PID}")}),
    ):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (
        lambda: Study("pilot", lab=lab, seed=True),
        lambda: Study("pilot", lab="sqlite:///x.db"),  # pyright: ignore[reportArgumentType]
        lambda: Study("pilot", lab=lab, exclude="pilot-0"),
        lambda: Study("pilot", lab=lab, params="id"),
        lambda: study.ends({"complete": 1}),  # pyright: ignore[reportArgumentType]
        lambda: study.ends({"complete": "C1"}, idle="C2"),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_a_study_has_the_people_of_one_recruiter(lab: Lab) -> None:
    study = Study("pilot", lab=lab)
    study.ends("prolific", complete="C1")
    study.ends("prolific", lobby_timeout="LT")
    with pytest.raises(ValueError, match="'prolific'"):
        study.ends("mturk", complete="M1")


def test_a_study_stands_for_its_name_and_lab(lab: Lab, tmp_path: Any) -> None:
    study = Study("pilot", lab=lab)
    assert lab.room("r", study=study) == lab.room("r", study="pilot")
    assert study == Study("pilot", lab=lab) != Study("main", lab=lab)
    other = Lab(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(ValueError, match="another lab"):
        other.room("r", study=study)
    with pytest.raises(TypeError, match="a Study or its name"):
        lab.room("r", study=3)  # pyright: ignore[reportArgumentType]


async def test_rooms_audits_links_and_names_take_a_study(lab: Lab) -> None:
    study = Study("pilot", lab=lab)
    room = await lab.create_room("r", study=study)
    await lab.create_room("r", study="main")
    assert await lab.rooms(study) == [room] and await lab.room_exists("r", study=study)
    assert await lab.audit(study) == []
    await lab.invite("ann", study=study)
    await lab.invite("ann", study="main")
    assert await lab.revoke("ann", "links", study=study) == 1


# ── who has taken part before ──


async def test_who_has_taken_part_in_an_excluded_study_cannot_here(lab: Lab) -> None:
    before = Study("pilot-0", lab=lab, params=PARAMS)
    await come(before, "ann")
    await come(before, "ben", browser="key of ben's phone")
    await before.close()
    await come(before, "cem")  # who was let in no further
    study = Study("pilot", lab=lab, params=PARAMS, exclude=[before])
    assert (await come(study, "ann", browser="another")).ended == "already_took_part"
    assert (await come(study, "b", browser="key of ben's phone")).ended == "already_took_part"
    assert (await come(study, "cem")).ended is None and (await come(study, "dee")).ended is None


async def test_without_consent_nobody_has_taken_part(lab: Lab) -> None:
    before = Study("pilot-0", lab=lab, params=PARAMS)
    before.consent("You will talk.", version="1")
    ann, ben = await come(before, "ann"), await come(before, "ben")
    await before.submit(Consent("pilot-0", ann.id, "1"))
    await before.submit(Consent("pilot-0", ben.id, "1", agrees=False))
    study = Study("pilot", lab=lab, params=PARAMS, exclude=["pilot-0"])
    assert (await come(study, "ann")).ended == "already_took_part"
    assert (await come(study, "ben")).ended is None


async def test_who_comes_again_with_the_same_id_has_taken_part(study: Study) -> None:
    ann = await come(study, "ann", "first")
    again = await come(study, "ann", "second", "another browser")
    assert again.id != ann.id and again.ended == "already_took_part"
    assert (await come(study, "ann", "first", "a third one")).id == ann.id


# ── its people ──


async def test_people_are_read_with_what_their_recruiter_says(study: Study) -> None:
    ann, ben = await come(study, "ann"), await come(study, "ben")
    assert await study.people() == [ann, ben]
    assert ann.params == {"PROLIFIC_PID": "ann", "SESSION_ID": "s"}
    assert await study.find(PROLIFIC_PID="ben") == [ben]
    assert await study.find(PROLIFIC_PID="cem") == []
    with pytest.raises(LabChatError, match="nobody with the id 'cem'"):
        await study.person_with_id("cem")


async def test_of_who_refuses_consent_what_the_recruiter_says_is_deleted_at_once(
    study: Study,
) -> None:
    study.consent("You will talk.", version="1")
    ann = await come(study, "ann")
    await study.submit(Consent("pilot", ann.id, "1", agrees=False))
    assert (await study.person_with_id(ann.id)).params == {}
    assert await study.find(PROLIFIC_PID="ann") == []
    assert (await come(study, "ann", browser="another")).id == ann.id


async def test_what_another_process_has_stored_is_read_at_once(study: Study, reopen: Lab) -> None:
    logs = Runtime.of(study.log).live.logs
    _, end = await logs.follow(study_log("pilot"), lambda: None)
    ann = await come(study, "ann")
    await (await Study("pilot", lab=reopen).person_with_id(ann.id)).record("choice", 1)
    assert (await study.person_with_id(ann.id)).data == {"choice": 1}
    end()


async def test_reading_makes_no_database(tmp_path: Any) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(StoreError, match="store_missing"):
        await Study("pilot", lab=Lab(f"sqlite:///{path}")).people()
    assert not path.exists()


async def test_what_is_recorded_of_a_person_is_what_is_on_disk(study: Study) -> None:
    ann = await come(study, "ann")
    cards = ["a"]
    await ann.record("cards", cards)
    cards.append("b")
    await ann.set_step("talk")
    now = await study.person_with_id(ann.id)
    assert (now.data, now.step, ann.data) == ({"cards": ["a"]}, "talk", {})
    with pytest.raises(TypeError):
        await ann.record("cards", {1, 2})
    with pytest.raises(ValueError):
        await ann.record("cards", float("nan"))


async def test_the_same_key_is_one_payment_in_whole_cents(study: Study) -> None:
    ann = await come(study, "ann")
    for _ in range(2):
        await ann.pay("group", 2.10)
        await ann.pay("guess", Decimal("0.05"))
    with pytest.raises(Refused, match="'group' is 210 cents, not 250"):
        await ann.pay("group", 2.5)
    for wrong in (-1, 0.001, float("nan"), "2"):
        with pytest.raises((TypeError, ValueError)):
            await ann.pay("more", wrong)  # pyright: ignore[reportArgumentType]
    paid = (await study.person_with_id(ann.id)).paid
    assert paid == {"group": Decimal("2.10"), "guess": Decimal("0.05")}


async def test_the_first_end_of_a_person_stays(study: Study) -> None:
    ann = await come(study, "ann")
    await ann.end("complete")
    await ann.end("removed")
    assert (await study.person_with_id(ann.id)).ended == "complete"
    with pytest.raises(Refused, match="ended"):
        await ann.record("more", 1)
    with pytest.raises(ValueError, match="did you mean"):
        await ann.end("completed")


# ── a group's records ──


async def group(study: Study, room: Room, people: list[Person]) -> None:
    """Make people a group of a room, as a lobby does."""
    ids = [person.id for person in people]
    data = {"lobby": "lobby", "number": 1, "room": room.id, "people": ids, "condition": "calm"}

    def write(conn: sa.Connection, now: int) -> None:
        number, seq = find_room(conn, study_log(study.name)) or (0, 0)
        append_events(
            conn,
            [row_of(number, Event(seq + 1, now, "grouped", None, data))],
            [(number, seq, seq + 1)],
        )

    for person in ids:
        await room.add_member(person)
    await study.log.write(write)


async def test_a_room_has_the_latest_records_of_those_who_have_not_dropped_out(
    lab: Lab, study: Study
) -> None:
    room = await lab.create_room("talk", study=study)
    assert await room.records() == []
    people = [await come(study, pid) for pid in ("ann", "ben", "cem", "dee")]
    ann, ben, cem, dee = people
    await group(study, room, [cem, ann, ben])
    for person in people:
        await person.record("choice", {"choice": "X"})
    await ann.record("choice", {"choice": "Y"})
    await ann.record("sure", {"sure": 5})
    await cem.end("complete")
    await study.submit(EndPerson("pilot", ben.id, "withdrew"))
    choices = await room.records("choice")
    assert [(each.member, each.data["choice"]) for each in choices] == [
        (cem.id, "X"),
        (ann.id, "Y"),
    ]
    assert [each.kind for each in await room.records()] == ["choice", "choice", "sure"]
    assert all(each.at.utcoffset() is not None for each in choices)
    everybody = [each.member for each in await study.records("choice")]
    assert everybody == [ann.id, cem.id, dee.id]
    assert (await study.person_with_id(ann.id)).condition == "calm"


async def test_a_participant_is_a_member_and_a_person(lab: Lab, study: Study) -> None:
    room = await lab.create_room("talk", study=study)
    ann = await come(study, "ann")
    await ann.record("choice", {"choice": "X"})
    await group(study, room, [ann])
    person = await study.person_with_id(ann.id)
    [member] = await room.members()
    each = Participant.from_person(member, person)
    assert each.data["choice"] == {"choice": "X"} and each.pseudonym == member.pseudonym
    await each.pay("group", 2)
    await each.end("complete")
    await room.mute(each)
    now = await study.person_with_id(ann.id)
    assert (now.paid, now.ended) == ({"group": Decimal("2.00")}, "complete")
