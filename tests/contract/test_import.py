"""An export that is imported is the log again: exporting it gives the same files."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room, Study
from shiny_labchat.audit.spending import spent
from shiny_labchat.domain import commands as c
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.errors import ExportError, Refused
from shiny_labchat.export.folder import MARKER, SUMS, sums_of
from shiny_labchat.lab.importing import Imported, import_export
from shiny_labchat.store import events_after, find_room
from tests.support.backend import Databases, FreshUrl
from tests.support.beside import beside
from tests.support.csv_text import table
from tests.support.database import contents, rows
from tests.support.large_log import fill
from tests.support.sample_study import PEOPLE, make_study, stream

ALL = ("csv", "jsonl", "parquet", "psych-ds", "convokit", "text")
A, B = PEOPLE[:2]


async def again(folder: Path, databases: Databases, **options: Any) -> str:
    """Import an export into a new database, and export it again; the sha256 of that."""
    with databases.fresh() as url:
        lab = Lab(url)
        try:
            await import_export(lab.log, folder)
            made = await lab.export(folder.with_name(f"{folder.name} again"), **options)
        finally:
            lab.log.close()
    return made.sha256


async def imported(folder: Path, lab: Lab) -> Imported:
    return await import_export(lab.log, folder)


async def events_of(lab: Lab, key: LogKey) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await lab.log.read(read)


@pytest.fixture
def new(fresh_url: FreshUrl) -> Any:
    """A lab whose database is empty."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


# ── the same files ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("formats", [*((each,) for each in ALL[:4]), ALL])
@pytest.mark.parametrize("shown", [{}, {"anonymise": True}, {"public": True},
                                   {"anonymise": True, "public": True}])  # fmt: skip
async def test_an_imported_export_gives_the_same_files(
    lab: Lab, tmp_path: Path, databases: Databases, formats: Sequence[str], shown: dict[str, Any]
) -> None:
    await make_study(lab)
    made = await lab.export(tmp_path / "out", formats=formats, **shown)
    assert made.counts["messages"] > 5 and made.counts["bot_calls"] == 1
    assert await again(tmp_path / "out", databases, formats=formats, **shown) == (made.sha256)


async def test_what_a_reply_is_to_comes_back_in_an_anonymous_and_in_a_public_export(
    lab: Lab, tmp_path: Path, databases: Databases
) -> None:
    (room, _) = await make_study(lab)
    to = (await room.messages())[0].seq
    reply = c.Post([("text", "hi")], cid=f"reply:chat with {A}:{to}", role="assistant")
    await room.submit(reply)
    both: dict[str, dict[str, Any]] = {"anonymous": {"anonymise": True}, "public": {"public": True}}
    for name, shown in both.items():
        made = await lab.export(tmp_path / name, **shown)
        last = table(tmp_path / name / "messages.csv")[-1]
        assert (last["text"], last["trigger"]) == ("hi", str(to))
        assert await again(tmp_path / name, databases, **shown) == made.sha256


async def test_several_studies_come_together(
    lab: Lab, tmp_path: Path, databases: Databases
) -> None:
    for study in ("one", "another"):
        await make_study(lab, study)
    made = await lab.export(tmp_path / "out", formats=ALL)
    assert await again(tmp_path / "out", databases, formats=ALL) == made.sha256


async def test_who_has_withdrawn_stays_withdrawn(
    lab: Lab, tmp_path: Path, databases: Databases
) -> None:
    await make_study(lab)
    await lab.withdraw(B)
    made = await lab.export(tmp_path / "out")
    assert await again(tmp_path / "out", databases) == made.sha256


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | (
    st.text(st.sampled_from("\",'\n\r\t ax=N\\\x01\u2028é😀א0;|"), max_size=10)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False,
                                                                          allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
people = st.sampled_from(PEOPLE)
names = st.sampled_from(["note", "a b", "A.B", "é", "choice!"])
what = st.one_of(
    st.tuples(st.just("post"), texts, st.none() | st.lists(people, max_size=3, unique=True)),
    st.tuples(st.just("say"), people, texts),
    st.tuples(st.just("stream"), texts, texts, st.sampled_from(
        ["done", "stopped", "failed", "withheld"])),
    st.tuples(st.just("record"), names, values, st.none() | people),
    st.tuples(st.just("answer"), people, names, st.dictionaries(texts, values, max_size=4)),
    st.tuples(st.just("pay"), people, texts.filter(bool), st.integers(1, 10**6)),
    st.tuples(st.just("end"), people, st.sampled_from(["complete", "withdrew", "idle"])),
    st.tuples(st.just("join"), st.sampled_from(["007", "NA", "bot"]), st.booleans()),
    st.tuples(st.just("remove"), people),
    st.tuples(st.just("close"), texts),
    st.tuples(st.just("export")),
)  # fmt: skip


async def do(lab: Lab, room: Room, step: tuple[Any, ...], number: int) -> None:
    """Do one step, as far as the rules allow it."""
    match step:
        case "post", text, audience:
            await room.submit(c.Post([("text", text)], audience=audience))
        case "say", person, text:
            await room.submit(c.Say(person, text, f"cid{number}", "page"))
        case "stream", one, other, how:
            await stream(room, one, other, how=how)
        case "record", kind, value, member:
            await room.record(kind, value, member=member)
        case "answer", person, kind, value:
            await lab.log.submit_together(c.RecordAnswer("s", person, kind, value, str(number), {}))
        case "pay", person, key, cents:
            await lab.log.submit_together(c.Pay("s", person, key, cents))
        case "end", person, reason:
            await lab.log.submit_together(c.EndPerson("s", person, reason))
        case "join", member, is_bot:
            await room.submit(c.Join(member, f"h{number}", is_bot=is_bot))
        case "remove", person:
            await room.submit(c.Remove(person))
        case "close", reason:
            await room.close(reason)
        case _:
            await lab.export(beside(lab.url, "between"))


async def round_trip(
    folder: Path, databases: Databases, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    url = databases.make()
    lab = Lab(url)
    try:
        rooms = [*await make_study(lab, "s"), await lab.create_room("alone", study="other")]
        for number, (which, step) in enumerate(steps):
            try:
                await do(lab, rooms[which], step, number)
            except Refused:  # such as posting in a room that is closed
                pass
        for formats in (("csv",), ("jsonl",), ("parquet",)):
            made = await lab.export(folder / "out", formats=formats)
            assert await again(folder / "out", databases, formats=formats) == made.sha256
    finally:
        lab.log.close()
        databases.drop(url)


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.integers(0, 2), what), min_size=1, max_size=40))
def test_whatever_happened_comes_back(
    tmp_path: Path, databases: Databases, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    asyncio.run(round_trip(tmp_path / "trip", databases, steps))


# ── what is in the database then ─────────────────────────────────────────────────────────────


async def test_rooms_are_read_and_go_on(lab: Lab, tmp_path: Path, new: Lab) -> None:
    rooms = await make_study(lab)
    await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)
    for room in rooms:
        there = new.room(room.id, study="s")
        assert await there.messages() == await room.messages()
        assert await there.members() == await room.members()
        assert await there.audit() == await room.audit()
    there = new.room(rooms[0].id, study="s")
    await there.post("and on", author=A)
    assert (await there.messages())[-1].content == "and on"
    before, after = await events_of(lab, there.key), await events_of(new, there.key)
    assert after[:-1] == before and after[-1].seq == before[-1].seq + 1
    people = await Study("s", lab=new).people()
    assert [each.id for each in people] == [each.id for each in await Study("s", lab=lab).people()]


async def test_an_export_in_between_is_an_event_that_says_it_was_imported(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "first")
    await lab.log.submit_together(c.Pay("s", B, "later", 5))
    made = await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)
    key = LogKey("s", "s", "study")
    before, after = await events_of(lab, key), await events_of(new, key)
    assert [each.seq for each in after] == [*range(1, len(after) + 1)]
    assert [each for each in after if each.kind != "exported"] == [
        each for each in before if each.kind != "exported"
    ]
    gap, own = (each.data for each in after if each.kind == "exported")
    assert gap["imported"] and gap["sha256"] == ""
    assert own["imported"] and own["sha256"] == made.sha256 and A in own["people"]


async def test_whoever_withdraws_later_learns_of_the_export_it_came_from(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    await make_study(lab)
    made = await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)
    assert (await new.withdraw(A)).exports == (made.sha256,)


async def test_whoever_is_in_the_ledger_is_withdrawn_again(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")
    gone = await lab.withdraw(A)
    shutil.copy(lab.log.ledger.path, new.log.ledger.path)
    done = await imported(tmp_path / "out", new)
    assert done.withdrawn == 1
    people = [each.id for each in await Study("s", lab=new).people()]
    assert A not in people and gone.id in people
    assert b'"second of mine"' not in contents(new.url)


async def test_an_anonymous_study_can_be_withdrawn_from(lab: Lab, tmp_path: Path, new: Lab) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", anonymise=True)
    await imported(tmp_path / "out", new)
    somebody = (await (await new.rooms("s"))[0].members())[0].id
    assert somebody.startswith("anon-")
    await new.withdraw(somebody)
    assert somebody.encode() not in contents(new.url)
    await new.export(tmp_path / "again", anonymise=True)
    assert somebody not in (tmp_path / "again" / "events.csv").read_text(encoding="utf-8")


async def test_what_was_spent_counts(lab: Lab, tmp_path: Path, new: Lab) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)
    found = await new.log.read(lambda conn: spent(conn, "s", "helper"))
    assert (found.calls, found.tokens_in, found.tokens_out, found.cost) == (1, 10, 5, 0.25)


async def test_calls_come_after_those_of_other_studies(lab: Lab, tmp_path: Path, new: Lab) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")
    await make_study(new, "another")
    await imported(tmp_path / "out", new)
    assert [each.reply for each in await new.audit("s")] == [None]
    assert len(await new.audit()) == 2


async def test_names_that_people_have_throughout_the_study_stay_theirs(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    room = await lab.create_room("one", study="s")
    ann = await room.add_member("ann", pseudonym="Otter")
    await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)

    def names(conn: sa.Connection) -> list[Any]:
        return [*conn.execute(sa.text("SELECT study, member, pseudonym FROM study_name"))]

    assert ann.pseudonym == "Otter"
    assert await new.log.read(names) == [("s", "ann", "Otter")]


async def test_callbacks_do_not_hear_what_was_imported(lab: Lab, tmp_path: Path, new: Lab) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")

    @new.on_message(rooms="*", name="ear")
    async def ear(room: Room, member: Any, message: Any) -> None:
        raise AssertionError("it was called")

    await new.create_room("first", study="mine")
    await imported(tmp_path / "out", new)
    cursors = await new.log.read(
        lambda conn: [
            *conn.execute(
                sa.text(
                    "SELECT room.seq - callback_room.done FROM callback_room "
                    "JOIN room ON room.key = callback_room.room WHERE room.study = 's' "
                    "AND room.kind = 'room'"
                )
            )
        ]
    )
    assert [each for (each,) in cursors] == [0, 0]


async def test_a_stream_that_was_running_counts_as_interrupted(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    room = await lab.create_room("r", study="s")
    await room.post("done before")
    await room.submit(c.Post([], is_live=True))
    await lab.export(tmp_path / "out")
    await imported(tmp_path / "out", new)
    await new.export(tmp_path / "again")
    last = (await events_of(new, LogKey("s", "r")))[-1]
    assert (last.kind, last.data["is"]) == ("streamed", "interrupted")


# ── refusals ─────────────────────────────────────────────────────────────────────────────────


async def test_a_study_that_is_there_already_is_refused_and_stays_as_it_is(
    lab: Lab, tmp_path: Path
) -> None:
    rooms = await make_study(lab)
    await lab.export(tmp_path / "out")
    before = await rooms[0].messages()
    with pytest.raises(ExportError, match="has the study 's' already"):
        await imported(tmp_path / "out", lab)
    assert await rooms[0].messages() == before


@pytest.mark.parametrize("name", ["events.csv", "messages.csv", "study.json"])
async def test_a_file_that_was_changed_is_refused(
    lab: Lab, tmp_path: Path, new: Lab, name: str
) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")
    file = tmp_path / "out" / name
    file.write_bytes(file.read_bytes() + b"\n")
    nowhere = Lab(f"sqlite:///{tmp_path / 'nowhere.db'}")
    for other in (new, nowhere):
        with pytest.raises(ExportError, match=f"{name} .changed."):
            await imported(tmp_path / "out", other)
    assert await new.rooms() == []
    assert not nowhere.log.exists, "nothing was made"
    nowhere.log.close()


async def test_files_that_somebody_has_added_do_not_matter(
    lab: Lab, tmp_path: Path, new: Lab
) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert (await imported(tmp_path / "out", new)).tables.rooms == 2


@pytest.mark.parametrize("part", [{"rooms": ["alone"]}, {"since": "2020-01-01T00:00:00Z"}])
async def test_a_part_of_a_study_is_refused(
    lab: Lab, tmp_path: Path, new: Lab, part: dict[str, Any]
) -> None:
    await lab.create_room("alone", study="s")
    await lab.export(tmp_path / "out", study="s", **part)
    with pytest.raises(ExportError, match="has only .* export all of the study"):
        await imported(tmp_path / "out", new)


async def test_a_log_with_a_gap_is_refused(lab: Lab, tmp_path: Path, new: Lab) -> None:
    room = await lab.create_room("r", study="s")
    for text in ("one", "two", "three"):
        await room.post(text)
    out = tmp_path / "out"
    await lab.export(out)
    lines = (out / "events.csv").read_bytes().splitlines(keepends=True)
    (out / "events.csv").write_bytes(b"".join(line for line in lines if b"two" not in line))
    (out / SUMS).unlink()
    (out / SUMS).write_text(sums_of(out, [path for path in out.rglob("*") if path.is_file()]))
    with pytest.raises(ExportError, match="has a gap before event"):
        await imported(out, new)
    assert await new.rooms() == []


async def test_a_folder_without_an_export_is_refused(tmp_path: Path, new: Lab) -> None:
    with pytest.raises(ExportError, match=f"there is no {MARKER}"):
        await imported(tmp_path, new)


# ── large ones, and the end of the process ───────────────────────────────────────────────────

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from shiny_labchat import Lab
from shiny_labchat.lab.importing import import_export

def tell(done, total):
    if done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(import_export(Lab(sys.argv[2]).log, Path(sys.argv[1]), tell))
"""


async def test_a_process_that_is_killed_leaves_nothing_and_the_next_one_imports_all(
    lab: Lab, tmp_path: Path, fresh_url: FreshUrl, databases: Databases
) -> None:
    await lab.create_room("room-0", study="large")
    await fill(lab, 20_000)
    made = await lab.export(tmp_path / "out")
    url = fresh_url()
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out"), url]
    killed = await asyncio.to_thread(subprocess.run, command, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert rows(url, "SELECT count(*) FROM event") == [(0,)]
    assert await again(tmp_path / "out", databases) == made.sha256


MEASURED = """
import asyncio, sys
from pathlib import Path
from shiny_labchat import Lab
from shiny_labchat.lab.importing import import_export

asyncio.run(import_export(Lab(sys.argv[2]).log, Path(sys.argv[1])))
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_memory_does_not_grow_with_the_messages(
    tmp_path: Path, fresh_url: FreshUrl, format: str
) -> None:
    used: list[int] = []
    for messages in (2_000, 20_000):
        lab = Lab(fresh_url())
        await fill_and_export(lab, tmp_path, messages, format)
        command = [sys.executable, "-c", MEASURED, str(tmp_path / f"out{messages}")]
        said = await asyncio.to_thread(subprocess.check_output, [*command, fresh_url()])
        used.append(int(said))
    few, many = used
    assert many - few < 12_000, "in KB; the messages alone are 8 MB as text"


async def fill_and_export(lab: Lab, folder: Path, messages: int, format: str) -> None:
    try:
        await fill(lab, messages)
        await lab.export(folder / f"out{messages}", study="large", formats=(format,))
    finally:
        lab.log.close()
