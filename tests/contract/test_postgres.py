"""What only PostgreSQL can do to a log: lose connections, restart, hang, wait for locks."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import event as sa_event
from sqlalchemy.exc import DBAPIError

from shiny_labchat import Lab, Room, Rules, StoreError
from shiny_labchat.bots.queue import join
from shiny_labchat.cli import main
from shiny_labchat.domain.commands import Say
from shiny_labchat.domain.events import LogKey
from shiny_labchat.lab.importing import import_export
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.report.ethics import ethics_of
from shiny_labchat.store import EVER, Grant, Log, issue, parse, studies_with_rooms
from shiny_labchat.store.choosing import engine_of, ledger_of, place_of
from shiny_labchat.store.heads import Heads, load_head
from shiny_labchat.store.hearing import Hearing
from shiny_labchat.store.kept import called, counts_of
from shiny_labchat.store.migrate import SCHEMA
from shiny_labchat.store.postgres_connection import LimitedConnection
from shiny_labchat.store.postgres_errors import store_error
from shiny_labchat.store.postgres_server import LOCK_TIMEOUT
from shiny_labchat.store.queries import insert_room
from shiny_labchat.store.schema import metadata, token
from shiny_labchat.store.schema import room as room_table
from shiny_labchat.store.who import everybody, people_of_study
from tests.contract import elsewhere
from tests.contract.buses import eventually, live, other_process, seqs_in
from tests.support.commit_proxy import CommitProxy
from tests.support.postgres import PostgresServer
from tests.support.sample_study import make_study

Make = Callable[..., str]
OWN_TABLES = "labchat_version", "last_commit"
"""Tables of which no row is of a lab."""


@pytest.fixture
def make(postgres: PostgresServer) -> Iterator[Make]:
    """Makes databases; returns their URLs."""
    made: list[str] = []

    def make(template: str = "template_labchat") -> str:
        made.append(f"lab_{secrets.token_hex(6)}")
        return postgres.make(made[-1], template)

    yield make
    for name in made:
        postgres.drop(name)


@pytest.fixture
def url(make: Make) -> str:
    return make()


@pytest.fixture
def engines(url: str) -> Iterator[list[sa.Engine]]:
    """The writers' connections of two processes."""
    made = [place_of(parse(url)).connect(write=True) for _ in range(2)]
    yield made
    for each in made:
        each.dispose()


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CommitProxy]:
    proxy = CommitProxy(postgres.port)
    yield proxy
    proxy.close()


@pytest.fixture
def far_lab(postgres: PostgresServer, url: str, proxy: CommitProxy) -> Iterator[Lab]:
    """A lab whose database is behind the proxy."""
    lab = Lab(url.replace(f":{postgres.port}/", f":{proxy.port}/"), bus="none")
    yield lab
    lab.log.close()


async def room_of(lab: Lab, id: str = "r") -> Room:
    room = await lab.create_room(id, study="s", rules=Rules(rate=None))
    await room.add_member("a")
    return room


def say(n: int) -> Say:
    return Say("a", f"text {n}", f"{n}", "page")


async def texts_of(room: Room) -> list[str]:
    return [message.content for message in await room.messages()]


# ── the schema ──


def test_four_processes_may_make_the_tables_at_once(make: Make, postgres: PostgresServer) -> None:
    url = make("template1")
    openers = [elsewhere.start(elsewhere.open_fresh, url, member) for member in "abcd"]
    for opener in openers:
        assert opener.line() == "ready\n"
    for opener in openers:
        opener.tell("go\n")
    for opener in openers:
        elsewhere.said_by(opener)
    name = url.rpartition("/")[2]
    made = postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name)
    assert {table for (table,) in made} == {*metadata.tables, *OWN_TABLES}
    assert postgres.execute("SELECT version_num FROM labchat_version", name) == [(SCHEMA,)]
    said = postgres.execute("SELECT count(*) FROM event WHERE kind = 'message'", name)
    assert said == [(4,)]


async def test_the_tables_may_be_in_a_schema_of_their_own(
    make: Make, postgres: PostgresServer
) -> None:
    url = make("template1")
    name = url.rpartition("/")[2]
    postgres.execute("CREATE SCHEMA labchat", name)
    lab = Lab(f"{url}?options=-csearch_path%3Dlabchat")
    with closing(lab.log):
        await room_of(lab)
        assert (await lab.log.clean()).is_clean
    made = postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'labchat'", name)
    assert {table for (table,) in made} == {*metadata.tables, *OWN_TABLES}


async def test_a_database_of_a_newer_version_is_left_as_it_is(
    url: str, lab: Lab, postgres: PostgresServer
) -> None:
    name = url.rpartition("/")[2]
    postgres.execute("UPDATE labchat_version SET version_num = '9999'", name)
    with pytest.raises(StoreError, match="install a newer shiny_labchat"):
        await room_of(lab)
    assert postgres.execute("SELECT count(*) FROM room", name) == [(0,)]


# ── locks, and what has moved ──


def test_a_transaction_that_ends_late_is_not_left_out(engines: list[sa.Engine]) -> None:
    with engines[0].connect() as early, engines[1].connect() as late:
        engine = engine_of(early)
        with early.begin():
            numbers = [insert_room(early, LogKey("s", id)) for id in "ab"]
        with late.begin():
            engine.append(late, [], [(numbers[0], 0, 5)])
            with early.begin():
                engine.append(early, [], [(numbers[1], 0, 7)])
            with early.begin():
                moved, mark = engine.rooms_moved(early, EVER)
            assert [(each.key.id, each.seq) for each in moved] == [("a", 0), ("b", 7)]
        with early.begin():
            moved, mark = engine.rooms_moved(early, mark)
            assert ("a", 5) in [(each.key.id, each.seq) for each in moved]
            assert engine.rooms_moved(early, mark)[0] == []


def test_rooms_of_a_database_that_was_copied_do_not_seem_to_move_for_ever(
    url: str, postgres: PostgresServer, engines: list[sa.Engine]
) -> None:
    """Numbers of transactions are those of a server."""
    name = url.rpartition("/")[2]
    later = "INSERT INTO room (study, id, seq, touched) VALUES ('s', 'r', 1, 1000000000000)"
    postgres.execute(later, name)
    place_of(parse(url)).prepare(make=True)
    with engines[0].begin() as conn:
        engine = engine_of(conn)
        _, mark = engine.rooms_moved(conn, EVER)
        assert engine.rooms_moved(conn, mark)[0] == []


async def test_rooms_written_to_in_any_order_by_two_processes_do_not_block_each_other(
    url: str, lab: Lab, postgres: PostgresServer
) -> None:
    rooms = [await room_of(lab, f"r{n}") for n in range(4)]
    other = Log(parse(url))
    try:
        for n in range(25):
            said = [lab.log.submit(room.key, say(n)) for room in rooms]
            said += [other.submit(room.key, say(1000 + n)) for room in reversed(rooms)]
            await asyncio.gather(*said)
    finally:
        await asyncio.to_thread(other.close)
    for room in rooms:
        assert len(set(await texts_of(room))) == len(await texts_of(room)) == 50
    name = url.rpartition("/")[2]
    counted = f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'"
    assert postgres.execute(counted) == [(0,)]


async def test_a_place_in_a_queue_is_given_once(url: str, lab: Lab) -> None:
    """Whatever is not of one room is written by one process at a time."""
    room = await room_of(lab)
    other = Log(parse(url))
    try:
        given = [
            log.write(lambda conn, now, bot=f"{n} {k}": join(conn, room.key, bot))
            for n in range(20)
            for k, log in enumerate((lab.log, other))
        ]
        assert sorted(await asyncio.gather(*given)) == list(range(1, 41))
    finally:
        await asyncio.to_thread(other.close)


async def test_who_waits_for_a_lock_too_long_is_told_that_the_database_is_busy(
    lab: Lab, engines: list[sa.Engine]
) -> None:
    room = await room_of(lab)
    with engines[0].begin() as conn:
        conn.execute(sa.select(room_table).with_for_update()).all()
        began = time.monotonic()
        with pytest.raises(StoreError, match="store_busy"):
            await room.submit(say(1))
        assert time.monotonic() - began > LOCK_TIMEOUT - 1
    await room.submit(say(1))
    assert await texts_of(room) == ["text 1"]


async def test_a_database_can_be_opened_and_read_while_somebody_has_a_table_locked(
    url: str, lab: Lab, engines: list[sa.Engine]
) -> None:
    await room_of(lab)
    with engines[0].begin() as conn:
        conn.exec_driver_sql("LOCK TABLE room IN EXCLUSIVE MODE")
        with closing(Log(parse(url))) as again:
            assert await again.read(studies_with_rooms) == ["s"]


async def test_all_that_is_written_together_waits_for_locks_once(
    url: str, lab: Lab, engines: list[sa.Engine]
) -> None:
    room = await room_of(lab)
    with engines[0].begin() as conn:
        conn.execute(sa.select(room_table).with_for_update()).all()
        began = time.monotonic()
        first = asyncio.ensure_future(room.submit(say(1)))  # the rest comes together, behind it
        rest = [lab.log.write(lambda conn, now: _touch(conn)) for _ in range(9)]
        done = await asyncio.gather(first, *rest, return_exceptions=True)
        assert time.monotonic() - began < 3 * LOCK_TIMEOUT
    assert [getattr(each, "code", None) for each in done] == ["store_busy"] * 10
    assert await asyncio.gather(*(lab.log.write(lambda conn, now: now) for _ in range(2)))


def _touch(conn: sa.Connection) -> None:
    conn.execute(sa.update(room_table).values(seq=room_table.c.seq))


async def test_events_have_the_time_of_the_server(lab: Lab, postgres: PostgresServer) -> None:
    room = await room_of(lab)
    clock = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    [(before,)] = postgres.execute(clock)
    outcome = await room.submit(say(1))
    [(after,)] = postgres.execute(clock)
    assert before < outcome.events[0].at < after


# ── a server that crashes, and connections that are lost ──


async def test_after_a_crash_all_goes_on_and_what_was_acknowledged_is_there_once(
    lab: Lab, postgres: PostgresServer
) -> None:
    room = await room_of(lab)
    acknowledged: list[int] = []

    async def talk() -> None:
        for n in range(200):
            while True:
                try:
                    await room.submit(say(n))
                    break
                except StoreError as exc:  # the machine is so busy that it starts slowly
                    assert exc.code == "store_gone"
            acknowledged.append(n)

    talking = asyncio.create_task(talk())
    for upto in (50, 100):
        while len(acknowledged) < upto:
            await asyncio.wait([talking], timeout=0.01)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)
    await talking
    assert await texts_of(room) == [f"text {n}" for n in range(200)]


@pytest.mark.parametrize("others", [0, 20])
def test_what_a_crash_has_undone_does_not_count_as_stored(
    url: str, postgres: PostgresServer, engines: list[sa.Engine], others: int
) -> None:
    """The server gives the numbers of such transactions to those that come after the crash."""
    with engines[0].connect() as conn:
        engine = engine_of(conn)
        with pytest.raises(DBAPIError), engine.transaction(conn):
            engine.begin(conn, (), keeps_books=False, rewrites=False)
            insert_room(conn, LogKey("s", "lost"))
            postgres.kill()
            postgres.start()
            for _ in range(others):
                postgres.execute("SELECT pg_current_xact_id()", url.rpartition("/")[2])
    with engines[1].begin() as conn:
        assert conn.execute(sa.select(room_table)).all() == []


async def test_a_room_that_has_moved_is_heard_of_after_a_crash_whatever_its_number(
    lab: Lab, url: str, postgres: PostgresServer, engines: list[sa.Engine]
) -> None:
    """Also under a number that the server had given before, and that was looked at."""
    room, heads = await room_of(lab), Heads()
    hearing = Hearing(heads)
    with engines[0].begin() as conn:
        hearing.open(conn)
        assert hearing.hear(conn, [room.key]).unknown == [room.key]
        head = load_head(conn, room.key)
        assert head is not None
        heads.keep(room.key, head)
    await room.submit(say(1))
    postgres.execute("UPDATE room SET touched = 1", url.rpartition("/")[2])
    with engines[0].begin() as conn:
        hearing.open(conn)
        [news] = hearing.hear(conn, [room.key]).news
    assert [event.kind for event in news.events] == ["message"]


async def test_a_room_that_has_moved_is_heard_of_though_nobody_has_noticed_the_crash(
    no_bus: None, lab: Lab, url: str, postgres: PostgresServer
) -> None:
    """The server was gone between two looks, and gives numbers again."""
    room, other = await room_of(lab), other_process(lab)
    seen = seqs_in(await live(other, room))
    writer = other.log._writer
    writer.others.poll = 3600.0
    writer.look()
    await eventually(lambda: writer.others._listen_at > writer.others._looked_at + 1800)
    await asyncio.to_thread(postgres.kill)
    await asyncio.to_thread(postgres.start)
    seq = (await room.post("hi")).seq
    postgres.execute("UPDATE room SET touched = 1", url.rpartition("/")[2])
    writer.look()
    await eventually(lambda: seen[-1:] == [seq])
    other.log.close()


async def test_what_was_heard_is_told_though_the_connection_is_lost_then(
    no_bus: None, lab: Lab, postgres: PostgresServer
) -> None:
    room, other = await room_of(lab), other_process(lab)
    seen, writer = seqs_in(await live(other, room)), other.log._writer
    before = (await room.post("hi")).seq
    await eventually(lambda: seen == [before])
    lost: list[int] = []

    def lose(conn: sa.Connection) -> None:
        """End the connection of a look that has heard something, as its transaction ends."""
        head = writer._heads.get(room.key)
        if not lost and head is not None and head.state.seq > before:
            raw: Any = conn.connection.driver_connection
            lost.append(raw.info.backend_pid)
            postgres.execute(f"SELECT pg_terminate_backend({lost[0]}, 60000)")

    sa_event.listen(writer._readers.engine(), "commit", lose)
    seq = (await room.post("hi")).seq
    await eventually(lambda: lost)
    await eventually(lambda: seen == [before, seq])
    other.log.close()


async def test_who_reads_while_the_server_is_started_again_waits_for_it(
    lab: Lab, postgres: PostgresServer
) -> None:
    """And who writes to a room that must be read first."""
    room, other = await room_of(lab), await room_of(other_process(lab), "other")
    await room.submit(say(1))
    await asyncio.to_thread(postgres.kill)
    read = asyncio.create_task(texts_of(room))
    said = asyncio.ensure_future(lab.log.submit(other.key, say(2)))
    done, _ = await asyncio.wait([read, said], timeout=0.5)
    await asyncio.to_thread(postgres.start)
    assert not done
    assert await read == ["text 1"]
    await said
    assert await texts_of(other) == ["text 2"]


async def test_what_was_read_counts_and_is_not_read_again_if_the_connection_is_lost_then(
    lab: Lab, postgres: PostgresServer
) -> None:
    await room_of(lab)
    pids: list[int] = []

    def job(conn: sa.Connection) -> str:
        pids.append(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        postgres.execute(f"SELECT pg_terminate_backend({pids[-1]}, 60000)")
        return "read"

    assert await lab.log.read(job) == "read"
    assert len(pids) == 1


@pytest.mark.parametrize("how", ["cut before", "cut after"])
async def test_a_commit_whose_answer_is_lost_is_done_once(
    far_lab: Lab, proxy: CommitProxy, how: str
) -> None:
    room = await room_of(far_lab)
    grant = Grant("a", study="s")
    proxy.fails = how  # pyright: ignore[reportAttributeAccessIssue]
    said = far_lab.log.submit(room.key, say(1))
    issued = far_lab.log.write(lambda conn, now: issue(conn, "invite", grant, now))
    await asyncio.gather(said, issued)
    assert proxy.failed == 1
    await room.submit(say(2))
    assert await texts_of(room) == ["text 1", "text 2"]
    count = sa.select(sa.func.count()).select_from(token)
    assert await far_lab.log.read(lambda conn: conn.execute(count).scalar_one()) == 1


async def test_a_commit_that_is_never_answered_ends(far_lab: Lab, proxy: CommitProxy) -> None:
    room = await room_of(far_lab)
    proxy.fails = "silent"
    async with asyncio.timeout(60):
        await room.submit(say(1))
    assert proxy.failed == 1
    assert await texts_of(room) == ["text 1"]


def test_a_server_that_hangs_is_given_up(url: str, postgres: PostgresServer) -> None:
    conn = LimitedConnection.connect(url)
    conn.execute("SELECT 1")
    conn.limit = 0.5
    pids = postgres.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            conn.execute("SELECT 1")
        assert 0.4 < time.monotonic() - began < 30 and conn.closed
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


# ── data ──


async def test_an_export_is_the_same_files_after_it_went_through_both_kinds_of_databases(
    lab: Lab, make: Make, tmp_path: Path
) -> None:
    await make_study(lab)
    first = await lab.export(tmp_path / "first", formats=("csv", "jsonl"))
    assert first.counts["messages"] > 5 and first.counts["bot_calls"] == 1
    for name, url in (("second", f"sqlite:///{tmp_path / 'lab.db'}"), ("third", make())):
        with closing(Lab(url).log) as log:
            await import_export(log, tmp_path / "first")
            made = await Lab(url).export(tmp_path / name, formats=("csv", "jsonl"))
        assert made.sha256 == first.sha256


async def test_what_is_read_of_a_study_is_the_same_as_in_a_file(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    file = Lab(f"sqlite:///{tmp_path / 'lab.db'}")
    with closing(file.log):
        await import_export(file.log, (await lab.export(tmp_path / "data")).folder)
        reads = (studies_with_rooms, everybody, lambda conn: counts_of(conn, "s"))
        reads += (lambda conn: called(conn, "s"), lambda conn: people_of_study(conn, "s"))
        for read in reads:
            assert await lab.log.read(read) == await file.log.read(read)
    told = await ethics_of(lab.log, "s")
    assert [each.path for each in told.files] == [str(ledger_of(lab.log.url))]


def test_a_database_on_a_server_is_not_copied_as_a_file(url: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["backup", str(tmp_path / "b.db")], env={"LABCHAT_URL": url})
    assert done.exit_code == 1 and "pg_dump" in done.output


# ── errors ──


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("25006", "store_read_only"),
        ("40001", "store_busy"),
        ("40P01", "store_busy"),
        ("42501", "store_broken"),
        ("53100", "store_full"),
        ("53300", "store_busy"),
        ("55P03", "store_busy"),
        ("57014", "store_busy"),
        ("57P01", "store_gone"),
        ("XX001", "store_broken"),
    ],
)
def test_each_error_has_the_code_that_fits(
    url: str, engines: list[sa.Engine], state: str, code: str
) -> None:
    raises = f"DO $$BEGIN RAISE EXCEPTION 'it is so' USING ERRCODE = '{state}'; END$$"
    with engines[0].connect() as conn, pytest.raises(DBAPIError) as caught:
        conn.exec_driver_sql(raises)
    told = store_error(parse(url), caught.value)
    assert told.code == code and "it is so" in str(told)


async def test_a_database_that_is_not_there_is_missing(postgres: PostgresServer) -> None:
    with closing(Log(parse(postgres.url("no_such_database")))) as log:
        with pytest.raises(StoreError, match="store_missing.*no_such_database"):
            await log.read(lambda conn: None)


async def test_a_server_that_is_not_there_is_gone_and_its_password_is_not_shown() -> None:
    with closing(Log(parse("postgresql://me:secret@127.0.0.1:1/db"))) as log:
        for doing in (log.read(lambda conn: None), log.write(lambda conn, now: None)):
            with pytest.raises(StoreError, match="store_gone") as caught:
                await doing
            assert "secret" not in str(caught.value)


async def test_a_database_that_may_only_be_read_says_so(
    url: str, lab: Lab, postgres: PostgresServer
) -> None:
    room = await room_of(lab)
    name = url.rpartition("/")[2]
    postgres.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with closing(Log(parse(url))) as log:
        with pytest.raises(StoreError, match="store_read_only"):
            await log.submit(room.key, say(1))


# ── the bus ──


async def test_a_database_on_a_server_is_the_bus_of_its_processes(lab: Lab) -> None:
    room = await lab.create_room("r", study="s")
    there = other_process(lab)
    Runtime.of(there.log).use_bus(lab.log.url.render_as_string(hide_password=False))
    try:
        seen = seqs_in(await live(there, room))
        await eventually(lambda: all(e.log.bus and e.log.bus.is_up for e in (lab, there)))
        took: list[float] = []
        for _ in range(9):
            began, before = time.monotonic(), len(seen)
            await room.post("hi")
            await eventually(lambda before=before: len(seen) > before)
            took.append(time.monotonic() - began)
        assert median(took) < 0.3, "a look alone takes half a second on the average"
    finally:
        there.log.close()
