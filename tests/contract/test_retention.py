"""What is due is deleted: by the days that studies set, and for those who have asked for it."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from shiny_labchat import Lab, StoreError, Study
from shiny_labchat.access.recruits import arrive
from shiny_labchat.domain.commands import Arrive, Debrief, EndPerson, Join, RecordAnswer
from shiny_labchat.lab.duties import Duties
from shiny_labchat.lab.restoring import restore
from shiny_labchat.lab.retention import retain
from shiny_labchat.store import arrivals_of
from shiny_labchat.store.backup import back_up, contents_of
from shiny_labchat.store.ledger import Ledger
from tests.support.planted import files_of, found_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(sqlite_file: Path) -> Path:
    return sqlite_file


def nothing(done: int, total: int) -> None:
    """Show no bar."""


def put_back(backup: Path, path: Path) -> None:
    """Replace a database by an older one, as somebody does by hand."""
    for each in path.parent.glob("lab.db*"):
        if each.name != "lab.db.withdrawn":
            each.unlink()
    path.write_bytes(backup.read_bytes())


async def study_with(lab: Lab, *people: str) -> Study:
    study = Study("s", lab=lab, params=["PROLIFIC_PID"])
    await study.describe()
    for person in people:
        await study.submit(Arrive("s", person))
        await study.submit(RecordAnswer("s", person, "form", {"says": f"words of {person}"}))
    return study


# ── the days that a study sets ──


async def test_until_its_day_everything_is_kept(lab: Lab) -> None:
    study = await study_with(lab, "a")
    study.retain(ids="2999-01-31", words="9999-12-31")
    await study.describe()
    [done] = await retain(lab.log)
    assert (done.ids, done.words, done.retention) == (0, 0, ("2999-01-31", "9999-12-31"))
    assert [each.member for each in await study.records()] == ["a"]


async def test_what_recruiters_said_goes_on_its_day_and_that_it_is_late_is_said(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    study = await study_with(lab, "a")
    await arrive(lab.log, "s", {"PROLIFIC_PID": "5f3c"}, "a browser")
    study.retain(ids="2020-01-31")
    await study.describe()
    [done] = await retain(lab.log)
    assert (done.ids, done.words) == (1, 0) and "2020-02-01" in caplog.text
    assert await lab.log.read(lambda conn: arrivals_of(conn, "s")) == []
    caplog.clear()
    [done] = await retain(lab.log)
    assert done.ids == 0 and not caplog.text
    assert [each.member for each in await study.records()] == ["a"]


async def test_words_go_on_their_day_with_those_of_bots_that_quote_them(lab: Lab) -> None:
    study = await study_with(lab, "a", "b")
    room = await lab.create_room("r", study="s")
    for member in ("a", "c"):
        await room.add_member(member)
    said = "a sentence that is longer than thirty characters"
    await room.post(said, author="a")
    await room.post("nothing", author="c")
    await room.post(f"You said: {said}")
    study.retain(words="2020-12-31")
    await study.describe()
    [done] = await retain(lab.log)
    assert done.words == 3, "the people, and the member who is none"
    people = (await study.state()).people
    assert {each.withdrawn for each in people.values()} == {"retention"}
    assert [each.content for each in await room.messages()] == ["", "", "You said: […]"]
    assert (await retain(lab.log))[0].words == 0


def test_a_day_must_be_one(lab: Lab) -> None:
    study = Study("s", lab=lab)
    with pytest.raises(ValueError, match=r"ids must be a day.*'2026-13-01'"):
        study.retain(ids="2026-13-01")
    with pytest.raises(ValueError, match="needs a day"):
        study.retain()


# ── those who have asked ──


async def test_who_asked_before_is_withdrawn_at_the_next_start(lab: Lab) -> None:
    study = await study_with(lab, "a", "b", "c")
    await study.submit(EndPerson("s", "a", "withdrew", delete=True))
    await study.submit(EndPerson("s", "b", "complete"))
    await study.submit(Debrief("s", "b", keep=False))
    await study.submit(EndPerson("s", "c", "withdrew"))
    await Duties(lab.log).do()
    people = (await study.state()).people
    assert sorted(str(each.withdrawn) for each in people.values()) == [
        *("None", "participant", "participant")
    ]
    assert people["c"].withdrawn is None and {"a", "b"}.isdisjoint(people)


async def test_who_asks_is_withdrawn_at_the_next_look(lab: Lab) -> None:
    study = await study_with(lab, "a")
    duties = Duties(lab.log)
    await duties.do()
    assert "a" in (await study.state()).people
    await study.submit(EndPerson("s", "a", "complete"))
    await duties.do()
    assert "a" in (await study.state()).people
    await study.submit(Debrief("s", "a", keep=False))
    await duties.do()
    [person] = (await study.state()).people.values()
    assert person.withdrawn == "participant" and person.data == {}


async def test_what_two_processes_do_for_one_who_has_asked_is_in_the_ledger_once(
    lab: Lab, reopen: Lab
) -> None:
    study = await study_with(lab, "a", "b")
    await study.submit(EndPerson("s", "a", "withdrew", delete=True))
    await asyncio.gather(Duties(lab.log).do(), Duties(reopen.log).do())
    [entry] = lab.log.ledger.entries()
    assert {*(await study.state()).people} == {entry.new, "b"}


# ── the ledger ──


def test_of_many_who_note_one_withdrawal_at_once_one_does(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.add("s", "b", "new-b")
    size, known = ledger.last("s", "a")
    assert known is None and ledger.last("s", "b").new == "new-b"
    with ThreadPoolExecutor() as threads:
        each = partial(Ledger(ledger.path).add, "s", "a", since=size)
        noted = {*threads.map(each, [f"new-{n}" for n in range(50)])}
    assert {entry.new for entry in ledger.entries()} == {"new-b"} | noted and len(noted) == 1


async def test_who_has_come_back_is_in_the_ledger_once_more(lab: Lab) -> None:
    await study_with(lab, "a", "b")
    first = (await lab.withdraw("a")).id
    lab.log.close()
    later = Lab(lab.url)
    await study_with(later, "a")
    second = (await later.withdraw("a")).id
    assert [entry.new for entry in later.log.ledger.entries()] == [first, second]
    assert {*(await Study("s", lab=later).state()).people} == {first, second, "b"}
    later.log.close()


def test_a_line_that_was_cut_off_is_left_out_and_the_next_is_whole(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert not ledger.exists and ledger.entries() == [] and ledger.is_cleaned
    ledger.add("s", "a", "new-a")
    with ledger.path.open("a", encoding="utf-8") as file:
        file.write('{"hash": "cut o')
    ledger.add("s", "b", "new-b")
    assert [entry.new for entry in ledger.entries()] == ["new-a", "new-b"]
    found = ledger.known([("s", "a"), ("s", "b"), ("t", "a")])
    assert found == {("s", "a"): "new-a", ("s", "b"): "new-b"}
    assert not ledger.is_cleaned
    ledger.note_cleaned(2)
    assert not ledger.is_cleaned, "the second is not covered"
    ledger.note_cleaned(ledger.size)
    assert ledger.is_cleaned and os.stat(ledger.path).st_mode & 0o077 == 0
    assert '"a"' not in ledger.path.read_text()


def test_a_cleaning_that_an_earlier_version_has_noted_covers_what_was_before(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.add("s", "a", "new-a")
    with ledger.path.open("a", encoding="utf-8") as file:
        file.write('{"cleaned": 1}\n')
    assert ledger.is_cleaned
    ledger.add("s", "b", "new-b")
    assert not ledger.is_cleaned


async def test_whom_the_ledger_has_and_who_is_not_yet_blank_is_not_noted_as_cleaned(
    lab: Lab, path: Path
) -> None:
    await study_with(lab, "a", "b")
    lab.log.ledger.add("s", "b", "withdrawn-" + "9" * 16)
    await lab.withdraw("a")
    assert found_in(files_of(path), ["words of a", "words of b"]) == {"words of b"}
    assert not lab.log.ledger.is_cleaned
    await Duties(lab.log).do()
    assert lab.log.ledger.is_cleaned
    assert found_in(files_of(path), ["words of b"]) == set()


async def test_a_ledger_without_its_first_line_is_an_error_that_says_what_to_do(
    lab: Lab,
) -> None:
    await study_with(lab, "a", "b")
    await lab.withdraw("a")
    ledger = lab.log.ledger
    ledger.path.write_text("".join(ledger.path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(StoreError, match="put that line back from a copy"):
        await lab.withdraw("b")
    with pytest.raises(StoreError, match="put that line back from a copy"):
        ledger.known([("s", "a")])


async def test_who_has_withdrawn_is_blank_again_when_an_older_file_is_put_there(
    lab: Lab, path: Path
) -> None:
    study = await study_with(lab, "a", "b")
    backup = path.with_name("backup.db")
    back_up(path, backup, nothing)
    new = (await lab.withdraw("a")).id
    lab.log.close()
    put_back(backup, path)
    assert found_in(files_of(path), ["words of a"])

    again = Study("s", lab=Lab(lab.url))
    assert "a" in (await again.state()).people
    await Duties(again.log).do()
    people = (await again.state()).people
    assert {*people} == {new, "b"} and people[new].withdrawn == "ledger"
    assert found_in(files_of(path), ["words of a", "words of b"]) == {"words of b"}
    await Duties(again.log).do()
    again.log.close()
    assert study == Study("s", lab=lab)


async def test_who_withdraws_from_two_studies_is_withdrawn_from_the_rest_after_a_failure(
    lab: Lab, path: Path
) -> None:
    for name in ("s1", "s2"):
        await Study(name, lab=lab).describe()
        await lab.log.submit_together(Arrive(name, "a"))
        await lab.log.submit_together(RecordAnswer(name, "a", "form", {"says": f"of {name}"}))
    refuse_changes_of(path, "of s2")
    with pytest.raises(StoreError):
        await lab.withdraw("a")
    assert len(lab.log.ledger.entries()) == 2
    assert found_in(files_of(path), ["of s2"]), "the first study is done, and the second is not"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TRIGGER stays")
    await Duties(lab.log).do()
    [new] = {entry.new for entry in lab.log.ledger.entries()}
    for name in ("s1", "s2"):
        assert {*(await Study(name, lab=lab).state()).people} == {new}


async def test_a_withdrawal_that_is_tried_again_is_in_the_ledger_once(lab: Lab, path: Path) -> None:
    study = await study_with(lab, "a", "b")
    refuse_changes_of(path, "words of a")
    with pytest.raises(StoreError):
        await lab.withdraw("a")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TRIGGER stays")
    new = (await lab.withdraw("a")).id
    assert [entry.new for entry in lab.log.ledger.entries()] == [new]
    assert {*(await study.state()).people} == {new, "b"}


def refuse_changes_of(path: Path, words: str) -> None:
    """Have the database fail when a row with these words is changed."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(
            f"CREATE TRIGGER stays BEFORE UPDATE ON event WHEN OLD.data LIKE '%{words}%' "
            "BEGIN SELECT RAISE(ABORT, 'it stays'); END"
        )


async def test_one_who_is_refused_stops_no_other_and_no_other_duty(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    study = await study_with(lab, "a", "b")
    room = await lab.create_room("r", study="s")
    await room.submit(Join("helper", "h", "participant", None, is_bot=True))
    for id in ("helper", "a"):  # the ledger of another file, in which a person had the bot's id
        lab.log.ledger.add("s", id, f"withdrawn-{id}")
    await study.submit(EndPerson("s", "b", "withdrew", delete=True))
    kept = Study("kept", lab=lab, params=["PROLIFIC_PID"])
    kept.retain(ids="2020-01-31")
    await kept.describe()
    await arrive(lab.log, "kept", {"PROLIFIC_PID": "5f3c"}, "a browser")
    await Duties(lab.log).do()
    people = (await study.state()).people
    assert {str(each.withdrawn) for each in people.values()} == {"ledger", "participant"}
    assert await lab.log.read(lambda conn: arrivals_of(conn, "kept")) == []
    assert "withdrawn-helper cannot be withdrawn from study 's'" in caplog.text


async def test_one_who_is_refused_is_said_once_at_each_start_and_has_nothing_cleaned_again(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    await study_with(lab, "a")
    room = await lab.create_room("r", study="s")
    await room.submit(Join("helper", "h", "participant", None, is_bot=True))
    lab.log.ledger.add("s", "helper", "withdrawn-helper")
    for _ in range(2):
        caplog.clear()
        for _ in range(2):
            await Duties(lab.log).do()
        assert caplog.text.count("withdrawn-helper cannot be withdrawn") == 1
        assert lab.log.ledger.is_cleaned
        size = lab.log.ledger.size
        lab.log.close()
        lab = Lab(lab.url)
    await Duties(lab.log).do()
    assert lab.log.ledger.size == size, "nothing was cleaned, or noted, again"
    lab.log.close()


async def test_one_who_was_refused_is_withdrawn_from_a_database_that_has_them_as_a_person(
    lab: Lab, path: Path
) -> None:
    await study_with(lab, "a", "helper")
    backup = path.with_name("backup.db")
    back_up(path, backup, nothing)
    put_back(backup, path)
    other = Lab(lab.url)
    room = await other.create_room("r", study="s")
    await room.submit(Join("helper", "h", "participant", None, is_bot=True))
    other.log.ledger.add("s", "helper", "withdrawn-helper")
    await Duties(other.log).do()
    assert other.log.ledger.is_cleaned and "helper" in (await Study("s", lab=other).state()).people
    other.log.close()
    put_back(backup, path)
    again = Lab(lab.url)
    await Duties(again.log).do()
    assert {*(await Study("s", lab=again).state()).people} == {"a", "withdrawn-helper"}
    assert again.log.ledger.is_cleaned
    assert found_in(files_of(path), ["words of helper"]) == set()
    again.log.close()


async def test_what_fails_once_stops_no_other_and_is_done_later(lab: Lab, path: Path) -> None:
    study = await study_with(lab, "a", "b")
    for person in ("a", "b"):
        await study.submit(EndPerson("s", person, "withdrew", delete=True))
    refuse_changes_of(path, "words of a")
    duties = Duties(lab.log)
    await duties.do()
    assert [each for each in (await study.state()).people if each in ("a", "b")] == ["a"]
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TRIGGER stays")
    await duties.do()
    assert {"a", "b"}.isdisjoint((await study.state()).people)


async def test_who_comes_back_with_a_new_consent_is_not_withdrawn_by_the_ledger(lab: Lab) -> None:
    await study_with(lab, "a")
    new = (await lab.withdraw("a")).id
    lab.log.ledger.add("a study of another file", "somebody", "withdrawn-" + "9" * 16)
    lab.log.close()
    later = Lab(lab.url)
    await study_with(later, "a")
    await Duties(later.log).do()
    assert {*(await Study("s", lab=later).state()).people} == {new, "a"}
    later.log.close()


# ── backups ──


async def test_a_backup_is_whole_while_others_write(lab: Lab, path: Path) -> None:
    study = await study_with(lab, "a")
    backup = path.with_name("backup.db")
    contents = back_up(path, backup, nothing)
    await study.submit(Arrive("s", "b"))
    assert contents_of(backup) == contents
    assert contents.rows["event"] == 3 and contents.newest > 0
    assert {each.name for each in path.parent.glob("*backup*")} == {"backup.db"}
    with pytest.raises(FileExistsError, match="so that none is lost"):
        back_up(path, backup, nothing)


async def test_a_database_in_use_or_newer_stays_as_it_is(lab: Lab, path: Path) -> None:
    study = await study_with(lab, "a")
    backup = path.with_name("backup.db")
    back_up(path, backup, nothing)
    await study.submit(Arrive("s", "b"))
    with pytest.raises(StoreError, match="in use"):
        await restore(lab.log.url, backup, force=True, progress=nothing)
    lab.log.close()
    with pytest.raises(StoreError, match="newer than the backup.*--force"):
        await restore(lab.log.url, backup, force=False, progress=nothing)
    assert contents_of(path).rows["event"] == 4
    done = await restore(lab.log.url, backup, force=True, progress=nothing)
    assert done.contents.rows["event"] == 3 and done.withdrawn == 0
    assert contents_of(path) == done.contents


async def test_a_file_that_is_damaged_or_no_database_is_not_put_back(
    lab: Lab, path: Path, tmp_path: Path
) -> None:
    await study_with(lab, *(f"p{n}" for n in range(300)))
    backup = tmp_path / "backup.db"
    back_up(path, backup, nothing)
    lab.log.close()
    data = bytearray(backup.read_bytes())
    data[len(data) // 2 :] = b"\7" * (len(data) - len(data) // 2)
    backup.write_bytes(bytes(data))
    text = tmp_path / "notes.txt"
    text.write_text(json.dumps({"no": "database"}) * 100)
    before = path.read_bytes()
    for wrong in (backup, text):
        with pytest.raises(StoreError):
            await restore(lab.log.url, wrong, force=True, progress=nothing)
    assert path.read_bytes() == before
