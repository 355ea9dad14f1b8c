"""Who withdraws is blanked everywhere, and nothing else changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, LabChatError, Refused, Room, Study
from shiny_labchat.access.recruits import arrive
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain.commands import (
    Arrive,
    EndPerson,
    EndStream,
    Join,
    PassOver,
    Pay,
    PayOut,
    Post,
    RecordAnswer,
    Say,
    Withdraw,
)
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import empty_state, fold_any_all
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.restoring import restore
from shiny_labchat.store import (
    Committed,
    arrival_of,
    events_after,
    find_room,
    open_streams,
    room_number,
    submitted,
)
from shiny_labchat.store.backup import back_up
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.schema import metadata
from tests.contract.elsewhere import Process, start, write
from tests.contract.planting import OTHER, PLACES, plant
from tests.support.planted import SENTENCES, files_of, found_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(sqlite_file: Path) -> Path:
    return sqlite_file


async def rows_of(lab: Lab) -> dict[str, list[tuple[Any, ...]]]:
    def read(conn: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
        tables = metadata.sorted_tables
        found = {each.name: conn.execute(sa.select(each)).all() for each in tables}
        return {name: [tuple(row) for row in rows] for name, rows in found.items()}

    return await lab.log.read(read)


def nothing(done: int, total: int) -> None:
    """Show no bar."""


# ── everywhere ──


async def test_nothing_of_fifty_sentences_is_left_in_files_and_restored_backups(
    lab: Lab, path: Path, tmp_path: Path
) -> None:
    me = await plant(lab)
    backup = tmp_path / "backup.db"
    back_up(path, backup, nothing)
    everything = set(SENTENCES)
    assert len(PLACES) == 20 and found_in(files_of(path)) == everything
    assert found_in([backup]) == everything, "the search finds each where it is"
    by_table = {name: found_in_text(rows) for name, rows in (await rows_of(lab)).items() if rows}
    assert {name for name, found in by_table.items() if found} == {
        *("event", "arrival", "audit", "checkpoint", "token")
    }

    done = await lab.withdraw(me)
    assert done.is_clean
    assert found_in(files_of(path)) == set()
    assert not any(me.encode() in each.read_bytes() for each in files_of(path))
    lab.log.close()
    assert found_in(files_of(path)) == set()

    await restore(lab.log.url, backup, force=True, progress=nothing)
    assert found_in(files_of(path)) == set()
    assert not any(me.encode() in each.read_bytes() for each in files_of(path))
    assert found_in([path.with_name("lab.db.withdrawn")]) == set()


def found_in_text(rows: list[tuple[Any, ...]]) -> set[str]:
    import json

    text = repr(rows).encode().decode("unicode_escape", "ignore") + json.dumps(rows, default=repr)
    return {each for each in SENTENCES if each.partition(":")[0] + ":" in text}


async def test_others_rows_are_the_same_but_for_one_id(lab: Lab) -> None:
    me = await plant(lab)
    room = lab.room("r0", study="s")
    await room.post("for the two of you", audience=[me, OTHER])
    await room.post("Please answer.", id=f"reminder-{me}")
    await lab.log.submit_together(RecordAnswer("s", OTHER, "partner", {"chosen": me}))
    before = await rows_of(lab)
    new = (await lab.withdraw(me)).id
    after = await rows_of(lab)

    was, now = ({row[:2]: row for row in each["event"]} for each in (before, after))
    for where, row in was.items():
        assert now[where][2:4] == row[2:4], "no row is gone, and each has its time and its kind"
        if row[4] != me and row[3] not in ("streamed", "passed_over"):
            assert now[where] == tuple(_renamed(value, me, new) for value in row)
    for name in ("token", "arrival", "study_name", "room", "open_stream"):
        of_others = [row for row in before[name] if me not in row and name != "room"]
        assert set(of_others) <= set(after[name]) | _streams_of(before, me)
    assert me not in repr(after)


def _renamed(value: Any, old: str, new: str) -> Any:
    return value.replace(old, new) if isinstance(value, str) else value


def _streams_of(rows: dict[str, list[tuple[Any, ...]]], me: str) -> set[tuple[Any, ...]]:
    """The rows of somebody's open streams."""
    mine = {row[:2] for row in rows["event"] if row[4] == me}
    return {row for row in rows["open_stream"] if row[:2] in mine}


async def test_the_states_of_all_logs_are_those_of_their_events(lab: Lab) -> None:
    me = await plant(lab)
    await lab.withdraw(me)
    for key in (study_log("s"), LogKey("s", "r0"), LogKey("s", "r1")):
        outcome = await lab.log.read(lambda conn, key=key: load_head(conn, key))
        assert outcome is not None
        events = await lab.log.read(lambda c, n=outcome.number: events_after(c, n, 0))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert fold_any_all(empty_state(key.kind), events).seq == outcome.state.seq
        heads = lab.log._writer._heads
        kept = heads.get(key)
        assert kept is not None and kept.state == outcome.state


# ── who ──


async def test_who_is_withdrawn_again_by_the_old_id_has_been_withdrawn(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await room.post("mine", author="a")
    first = await lab.withdraw("a")
    for again in (await reopen.withdraw("a"), await lab.withdraw("a", study=room.study)):
        assert (again.id, again.studies) == (first.id, first.studies)
    assert len(lab.log.ledger.entries()) == 1


async def test_an_id_that_nobody_has_is_an_error_that_names_it(lab: Lab, room: Room) -> None:
    with pytest.raises(LabChatError, match="'nobody-17'"):
        await lab.withdraw("nobody-17")
    with pytest.raises(LabChatError, match="study 't'.*'a'"):
        await lab.withdraw("a", study="t")


async def test_a_member_of_rooms_without_a_study_withdraws(lab: Lab, room: Room) -> None:
    await room.post("mine", author="a")
    await room.post("yours", author="b")
    done = await lab.withdraw("a")
    messages = await room.messages()
    assert [(each.content, each.withdrawn) for each in messages] == [("", True), ("yours", False)]
    assert messages[0].member == done.id and done.studies == ("s",)
    with pytest.raises(Refused, match="removed"):
        await room.submit(Say("a", "I was on my way", "c1", "page"))
    again = await lab.withdraw(done.id)
    assert again.id == done.id


async def test_a_member_withdraws_who_is_no_person_of_the_study(lab: Lab, room: Room) -> None:
    await Study("s", lab=lab, contact="a@b.org").describe()
    await room.post("mine", author="a")
    done = await lab.withdraw("a")
    assert [each.content for each in await room.messages()] == [""]
    events = await lab.log.read(lambda conn: events_after(conn, number_of(conn), 0))
    assert [(each.kind, each.member) for each in events][1:] == [("withdrawn", done.id)]


def number_of(conn: sa.Connection) -> int:
    found = find_room(conn, study_log("s"))
    assert found is not None
    return found[0]


async def test_what_waits_or_grows_in_their_name_ends(lab: Lab, room: Room) -> None:
    await room.submit(Say("a", "held words", "c1", "page", waits=True))
    opening = (await room.submit(Post([], "user", "a", is_live=True))).events[-1]
    await lab.withdraw("a")

    def rest(conn: sa.Connection) -> tuple[int, int]:
        number = room_number(conn, room.key)
        return len(submitted(conn, number)), len(open_streams(conn, number))

    assert await lab.log.read(rest) == (0, 0)
    await room.submit(EndStream(opening.seq, [("text", "late words")]))
    assert [each.content for each in await room.messages()] == [""]


async def test_what_a_bot_was_told_meanwhile_is_blank(lab: Lab, room: Room) -> None:
    said = (await room.submit(Say("a", "words of a", "c1", "page"))).events[-1]
    await lab.withdraw("a")
    told = [{"role": "user", "contents": [{"text": "Otter: words of a"}]}]
    fields = {"seq": said.seq, "knew": said.seq, "outcome": "open"}
    await lab.log.write(
        lambda conn, now: entries.add(conn, now, room.key, "bot", Prompt(told), **fields)
    )
    [entry] = await room.audit()
    assert "words of a" not in str(entry.prompt)


@pytest.mark.parametrize("quotes", [None, "blank"])
async def test_an_error_and_a_quotation_that_come_after_they_withdrew_are_blank(
    lab: Lab, room: Room, quotes: Literal["blank"] | None
) -> None:
    said = (await room.submit(Say("a", "words of a", "c1", "page"))).events[-1]
    about = {"seq": said.seq, "knew": said.seq}

    def begin(conn: sa.Connection, now: int) -> int:
        return entries.add(conn, now, room.key, "bot", Prompt([]), **about, outcome="open")

    first, second = await lab.log.write(begin), await lab.log.write(begin)
    await (lab.withdraw("a") if quotes is None else lab.withdraw("a", quotes=quotes))
    failed: dict[str, Any] = {"outcome": "failed", "reason": "ValueError: words of a"}

    def go_on(conn: sa.Connection, now: int) -> None:
        entries.settle(conn, first, **failed, reply="You say words of a")
        entries.settle(conn, second, outcome="dropped", reason="talk went on")
        entries.add(conn, now, room.key, "bot", **about, **failed)
        entries.add(conn, now, room.key, "bot", seq=said.seq, knew=said.seq + 9, **failed)

    await lab.log.write(go_on)
    reply = "You say words of a" if quotes is None else ""
    assert [(each.reason, each.reply) for each in await room.audit()] == [
        ("", reply),
        ("talk went on", None),
        ("", None),
        ("ValueError: words of a", None),
    ], "what began after they withdrew knows nothing of their words, and is kept"


async def test_the_error_of_a_callback_at_a_message_that_is_blank_is_not_stored(
    lab: Lab, room: Room
) -> None:
    seqs = [(await room.submit(Say(each, "words", "c1", "page"))).events[-1].seq for each in "ab"]
    await lab.withdraw("a")
    for seq in seqs:
        await room.submit(PassOver("callback", seq, 4, f"ValueError: words {seq}"))
    number = await lab.log.read(lambda conn: room_number(conn, room.key))
    events = await lab.log.read(lambda conn: events_after(conn, number, 0, kinds=("passed_over",)))
    assert [each.data["error"] for each in events] == ["", f"ValueError: words {seqs[1]}"]


async def test_a_bot_cannot_withdraw(lab: Lab, room: Room) -> None:
    await room.submit(Join("robot", "h", "participant", None, is_bot=True))
    with pytest.raises(LabChatError, match="'robot'.*bot"):
        await lab.withdraw("robot")


async def test_of_a_member_of_a_closed_room_the_place_is_left(lab: Lab, room: Room) -> None:
    await room.close()
    done = await lab.withdraw("a")
    names = {each.id: each.pseudonym for each in await room.members()}
    assert names[done.id] == "Withdrawn participant" and names["b"] != names[done.id]


async def test_a_person_is_taken_with_their_study_and_quotations_if_asked(lab: Lab) -> None:
    me = await plant(lab)
    room, quoted = lab.room("r0", study="s"), SENTENCES[0]
    await room.post(f"She said: {quoted}!", author=OTHER)
    person = await Study("s", lab=lab).person_with_id(me)
    await lab.withdraw(person, quotes="blank")
    assert (await room.messages())[-1].content == "She said: […]!"


# ── pay ──


async def test_what_the_recruiter_said_stays_until_they_are_paid(lab: Lab, path: Path) -> None:
    me = await plant(lab)
    await lab.log.submit_together(Pay("s", me, "bonus", 150))
    new = (await lab.withdraw(me)).id
    known = await lab.log.read(lambda conn: arrival_of(conn, "s", new))
    assert known is not None and known.params and known.key
    await lab.log.submit_together(PayOut("s", new, "file", 150))
    known = await lab.log.read(lambda conn: arrival_of(conn, "s", new))
    assert known is not None and (known.params, bool(known.key)) == (None, True)
    params = {"PROLIFIC_PID": SENTENCES[10], "SESSION": SENTENCES[30]}
    assert (await arrive(lab.log, "s", params, "another browser")).person == new
    assert (await arrive(lab.log, "s", {}, "the key of a browser")).person == new


# ── others at the same time ──


async def test_another_process_has_the_new_state_and_goes_on(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    there = reopen.room("r", study="s")
    await there.log.submit(room.key, Say("b", "both know the room", "c0", "page"))
    heard: list[Committed] = []
    rewritten = asyncio.Event()

    def hear(news: list[Committed]) -> None:
        heard.extend(news)
        if any(each.is_rewritten for each in news):
            rewritten.set()

    there.log.listen(hear)
    there.log.watch(room.key)
    new = (await lab.withdraw("a")).id
    await asyncio.wait_for(rewritten.wait(), 20)
    state = heard[-1].state
    assert isinstance(state, RoomState) and {*state.memberships} == {new, "b"}
    outcome = await there.log.submit(room.key, Say("b", "after it", "c1", "page"))
    assert {*outcome.state.memberships} == {new, "b"}
    with pytest.raises(Refused, match="not_member"):
        await there.log.submit(room.key, Say("a", "I come from elsewhere", "c2", "page"))


async def test_two_processes_write_while_somebody_withdraws(lab: Lab, room: Room, url: str) -> None:
    elsewhere_a, elsewhere_b = start(write, url, "a", "20000"), start(write, url, "b", "400")
    await _talk(room, 40, "a")
    new = (await lab.withdraw("a")).id
    await _talk(room, 40, "b", "after")
    stored_a = int(await asyncio.to_thread(elsewhere_a.said))
    stored_b = int(await asyncio.to_thread(elsewhere_b.said))
    messages = await room.messages()
    by = Counter(each.member for each in messages)
    assert by == {new: stored_a + 40, "b": stored_b + 40} and stored_b == 400
    assert all(each.content == "" for each in messages if each.member == new)
    events = await lab.log.read(lambda conn: events_after(conn, room_number(conn, room.key), 0))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def _talk(room: Room, count: int, who: str, mark: str = "before") -> None:
    """Say something, so often, at the same time as others."""
    for n in range(count):
        await room.submit(Say(who, f"words {n}", f"{mark}{n}", "page"))


async def test_of_two_who_withdraw_the_same_person_one_does(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await room.post("mine", author="a")
    both = await asyncio.gather(
        lab.log.withdraw(Withdraw("s", "a", "withdrawn-" + "1" * 16)),
        reopen.log.withdraw(Withdraw("s", "a", "withdrawn-" + "2" * 16)),
    )
    assert sorted(outcome.is_repeat for outcome in both) == [False, True]


async def test_who_is_withdrawn_twice_at_once_has_one_id(lab: Lab, room: Room) -> None:
    await room.post("mine", author="a")
    both = await asyncio.gather(lab.withdraw("a"), lab.withdraw("a"))
    [message] = await room.messages()
    assert {each.id for each in both} == {message.member}


async def test_whom_two_processes_withdraw_at_once_is_in_the_ledger_once(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await room.post("mine", author="a")
    both = await asyncio.gather(lab.withdraw("a"), reopen.withdraw("a"))
    [message] = await room.messages()
    [entry] = lab.log.ledger.entries()
    assert {each.id for each in both} == {message.member} == {entry.new}


async def test_a_kill_in_the_middle_leaves_all_or_nothing(
    lab: Lab, room: Room, url: str, sqlite_file: Path
) -> None:
    for first in range(0, 4000, 500):
        said = [Say("a", f"words {n} " * 20, f"c{n}", "p") for n in range(first, first + 500)]
        await asyncio.gather(*(room.submit(each) for each in said))
    for rows in (500, 1500, 4000):
        process = Process("-m", "tests.contract.planting", url, "a")
        while process.line().strip() != str(rows):
            pass
        is_stored = "stored" in process.kill()
        members = {each.member for each in await room.messages()}
        assert len(members) == 1, "either all or none"
        if rows < 4000:
            assert members == {"a"} and not is_stored
    if "a" in members:
        await lab.withdraw("a")
    messages = await room.messages()
    assert len(messages) == 4000 and all(each.withdrawn for each in messages)


# ── the files ──


async def test_who_reads_keeps_the_words_in_the_wal_and_that_is_said(
    lab: Lab, room: Room, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await room.post("these are words of somebody", author="a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT max(seq) FROM event").fetchall()
        done = await lab.withdraw("a")
        assert not done.is_clean and "write-ahead log" in caplog.text
        assert found_in(files_of(path), ["these are words of somebody"])
        other.execute("COMMIT")
    await lab.withdraw("b")
    assert not found_in(files_of(path), ["these are words of somebody"])


async def test_who_ends_and_withdraws_is_ended_for_the_others_too(lab: Lab) -> None:
    study = Study("s", lab=lab)
    await study.describe()
    await study.submit(Arrive("s", "a"))
    await study.submit(Arrive("s", "b"))
    await study.submit(EndPerson("s", "b", "complete"))
    new, later = (await lab.withdraw("a")).id, (await lab.withdraw("b")).id
    state = await study.state()
    assert isinstance(state, StudyState)
    reasons = {id: each.ended and each.ended.reason for id, each in state.people.items()}
    assert reasons == {new: "withdrew", later: "complete"}
