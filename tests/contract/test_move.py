"""Moving a database to another one: all is there or nothing, and nobody writes to the old one."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules, StoreError
from shiny_labchat.domain.commands import DescribeStudy, Say
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.withdrawing import withdraw
from shiny_labchat.move import move, undo
from shiny_labchat.move.database import Database, now
from shiny_labchat.store import parse
from shiny_labchat.store.choosing import place_of
from shiny_labchat.store.seal import Seal, seal, seal_of
from tests.contract import elsewhere
from tests.support.commit_proxy import CommitProxy
from tests.support.every_table import Rows, fill_tables, rows_of
from tests.support.large_log import fill
from tests.support.moving import moved
from tests.support.postgres import PostgresServer
from tests.support.sample_study import stream

Make = Callable[[str], str]
KINDS = ("sqlite", "postgresql")
MINUTE = 60_000_000


@pytest.fixture
def make(postgres: PostgresServer, tmp_path: Path) -> Iterator[Make]:
    """Makes databases of a kind that nobody has used yet; returns their URLs."""
    variables = {name: os.environ.pop(name, None) for name in ("LABCHAT_BUS", "LABCHAT_LEDGER")}
    os.environ["LABCHAT_BUS"] = "none"
    before = Path.cwd()
    os.chdir(tmp_path)  # the ledger of a database on a server is in the current folder
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"lab_{secrets.token_hex(6)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.db"
        made.append(name)
        return postgres.make(name, "template1")

    yield make
    os.chdir(before)
    del os.environ["LABCHAT_BUS"]
    os.environ |= {name: value for name, value in variables.items() if value is not None}
    for name in made:
        postgres.drop(name)


@pytest.fixture(params=[KINDS, KINDS[::-1]], ids="-".join)
def urls(request: pytest.FixtureRequest, make: Make) -> tuple[str, str]:
    """The URLs of two databases, from each kind to the other."""
    old, new = request.param
    return make(old), make(new)


@pytest.fixture
def there_and_back(make: Make) -> tuple[str, str]:
    return make("sqlite"), make("postgresql")


@pytest.fixture(params=KINDS)
def old(request: pytest.FixtureRequest, make: Make) -> str:
    """The URL of a database of each kind."""
    return make(request.param)


@pytest.fixture
async def lab(old: str) -> AsyncIterator[Lab]:
    lab = Lab(old)
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await talk(lab)


@contextmanager
def opened(url: str) -> Generator[Lab]:
    lab = Lab(url)
    try:
        yield lab
    finally:
        lab.log.close()


async def talk(lab: Lab) -> Room:
    room = await lab.create_room("r", study="s", rules=Rules(rate=None))
    await room.add_member("a")
    await room.submit(Say("a", "before", "first", "p"))
    return room


def seal_at(url: str) -> Seal | None:
    with opened(url) as lab:
        return lab.log.read_now(seal_of)


def texts_at(url: str) -> list[str]:
    async def read() -> list[str]:
        with opened(url) as lab:
            return [each.content for each in await lab.room("r", study="s").messages()]

    return asyncio.run(read())


async def code_of(doing: Any) -> str:
    try:
        await doing
    except StoreError as exc:
        return exc.code
    return ""


# ── all rows ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kinds", [*product(KINDS, repeat=2)], ids="-".join)
async def test_every_row_of_every_table_is_there(make: Make, kinds: tuple[str, str]) -> None:
    old, new = map(make, kinds)
    with opened(old) as lab:
        await fill_tables(lab)
    before = rows_of(old)
    assert all(before.values())
    done, _ = moved(old, new)
    assert shifted(rows_of(new)) == shifted(before)
    assert done.arrived.rows == sum(map(len, before.values()))
    assert rows_of(old) == before


def shifted(rows: Rows) -> Rows:
    """Rows with the times of leases in minutes: two databases have not quite the same time."""
    rows = dict(rows)
    for name in ("seen", "open_stream", "callback_room"):
        rows[name] = [tuple(map(in_minutes, row)) for row in rows[name]]
    return rows


def in_minutes(value: Any) -> Any:
    return (value + MINUTE // 2) // MINUTE if isinstance(value, int) else value


async def test_there_and_back_again_gives_the_same_export(
    there_and_back: tuple[str, str], make: Make, tmp_path: Path
) -> None:
    old, new = there_and_back
    again = make("sqlite")
    with opened(old) as lab:
        await talk(lab)
        made = await lab.export(tmp_path / "old")
    moved(old, new)
    moved(new, again)
    with opened(again) as lab:
        assert (await lab.export(tmp_path / "again")).sha256 == made.sha256


async def test_the_new_database_goes_on_where_the_old_one_ended(urls: tuple[str, str]) -> None:
    old, new = urls
    with opened(old) as lab:
        room = await talk(lab)
        await stream(room, "one ", "two", member="a")
        before = await room.messages()
    moved(old, new)
    with opened(new) as lab:
        room = lab.room("r", study="s")
        await room.submit(
            Say("a", "before", "first", "p")
        )  # a page that was not told sends it again
        await room.submit(Say("a", "after", "2", "p"))
        await stream(room, "three ", "four", member="a")
        after = await room.messages()
        assert [each.content for each in after[len(before) :]] == ["after", "three four"]
        assert after[: len(before)] == before
        assert after[len(before)].seq == before[-1].seq + 2  # the stream has ended between them
        other = await lab.create_room("r2", study="s")
        await other.post("hi")
        assert [each.id for each in await lab.rooms("s")] == ["r", "r2"]


async def test_a_process_that_has_the_new_database_open_already_hears_of_the_rooms(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    with opened(old) as lab:
        await talk(lab)
    with opened(new) as lab:
        assert await lab.rooms() == []
        heard = asyncio.Event()
        room = lab.room("r", study="s")
        lab.log.listen(lambda news: heard.set())
        lab.log.watch(room.key)
        await asyncio.to_thread(moved, old, new)
        async with asyncio.timeout(60):
            await heard.wait()
        assert [each.content for each in await room.messages()] == ["before"]


async def test_who_was_last_heard_is_known_though_the_clocks_differ(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    with opened(old) as lab:
        await fill_tables(lab)
        hour = 3_600_000_000
        await lab.log.write(
            lambda conn, now: conn.execute(sa.text(f"UPDATE boot SET began = began + {hour}"))
        )
        await lab.log.write(
            lambda conn, now: conn.execute(sa.text(f"UPDATE seen SET at = at + {hour}, active = 0"))
        )
    moved(old, new)
    with opened(new) as lab:
        found = sa.text("SELECT at - extract(epoch FROM now()) * 1000000, active FROM seen")
        [(ahead, active)] = await lab.log.read(lambda conn: conn.execute(found).all())
    assert abs(ahead) < MINUTE
    assert active == 0


# ── the seal ─────────────────────────────────────────────────────────────────────────────────


async def test_whoever_writes_to_the_old_one_is_told_where_to_go_and_can_read(
    lab: Lab, room: Room, old: str, make: Make
) -> None:
    new = make("sqlite")
    await asyncio.to_thread(moved, old, new)
    writes = [
        room.submit(Say("a", "after", "2", "p")),
        lab.create_room("another", study="s"),
        lab.log.submit_together(DescribeStudy("s", "seed", {})),
        lab.log.write(lambda conn, now: conn.execute(sa.text("DELETE FROM room"))),
        lab.log.write(lambda conn, now: conn.execute(sa.text("UPDATE event SET data = ''"))),
        *(room.submit(Say("a", f"more {n}", f"m{n}", "p")) for n in range(20)),
    ]
    found = await asyncio.gather(*writes, return_exceptions=True)
    errors = [each for each in found if isinstance(each, StoreError)]
    assert {each.code for each in errors} == {"store_moved"}
    assert len(errors) == len(writes)
    assert all(f"moves to {new}, since 20" in str(each) for each in errors)
    assert [each.content for each in await room.messages()] == ["before"]


async def test_a_url_with_quotes_and_percent_signs_is_told_as_it_is(
    lab: Lab, room: Room, old: str, tmp_path: Path
) -> None:
    new = f"sqlite:///{tmp_path}/it's 100%25 new %s.db"
    await asyncio.to_thread(moved, old, new)
    with pytest.raises(StoreError) as told:
        await room.post("after")
    assert parse(new).render_as_string() in str(told.value)


async def test_no_message_is_lost_that_was_acknowledged_while_it_began(
    room: Room, old: str, make: Make
) -> None:
    new = make("postgresql")
    writer = elsewhere.start(elsewhere.acknowledge, old, "a")
    acknowledged = {int(await asyncio.to_thread(writer.line)) for _ in range(100)}
    await asyncio.to_thread(moved, old, new)
    rest = await asyncio.to_thread(lambda: [*iter(writer.line, "")])  # it ends when it is refused
    acknowledged |= {int(line) for line in rest if line.strip().isdigit()}
    assert "store_moved" in "".join(rest)
    writer.kill()
    with opened(new) as lab:
        texts = [each.content for each in await lab.room("r", study="s").messages()]
    assert {f"text {n}" for n in acknowledged} <= set(texts)
    assert len(texts) == len(set(texts))


async def test_a_sealed_database_of_an_older_version_is_not_upgraded(
    room: Room, old: str, make: Make
) -> None:
    await asyncio.to_thread(moved, old, make("sqlite"))
    await asyncio.to_thread(set_version, old, "0017")
    with pytest.raises(StoreError, match="store_moved"):
        place_of(parse(old)).prepare(make=False)


def set_version(url: str, version: str) -> None:
    engine = sa.create_engine(parse(url))
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE labchat_version SET version_num = :v"), {"v": version})
    engine.dispose()


# ── what is refused ──────────────────────────────────────────────────────────────────────────


async def test_a_database_that_has_rows_is_left_as_it_is(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    for url in there_and_back:
        with opened(url) as lab:
            await talk(lab)
    before = rows_of(new)
    with pytest.raises(LabChatError, match="is not empty: it has rows in room, event"):
        moved(old, new)
    assert rows_of(new) == before
    assert seal_at(old) is None


async def test_tables_of_another_program_are_left_as_they_are(
    room: Room, old: str, make: Make, postgres: PostgresServer
) -> None:
    new = make("postgresql")
    postgres.execute("CREATE TABLE room (number integer)", new.rpartition("/")[2])
    with pytest.raises(StoreError, match="'room' that is not of a lab"):
        moved(old, new)
    assert seal_at(old) is None


async def test_a_database_does_not_move_to_itself(room: Room, old: str) -> None:
    with pytest.raises(LabChatError, match="cannot move to itself"):
        moved(old, old)


def test_there_must_be_something_to_move(old: str, make: Make, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="store_missing"):
        moved(old, make("sqlite"))
    assert not [*tmp_path.glob("*.db")]


async def test_a_move_to_elsewhere_has_to_be_given_up_first(
    room: Room, old: str, make: Make
) -> None:
    new = make("sqlite")
    moved(old, new)
    with pytest.raises(LabChatError, match=r"to be moved to .*; name that with --to"):
        moved(old, make("sqlite"))


# ── interruptions ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kinds", "phase"), [(KINDS, "Copying"), (KINDS[::-1], "Comparing")])
async def test_who_interrupts_it_has_moved_nothing_and_may_begin_again(
    make: Make, kinds: tuple[str, str], phase: str
) -> None:
    old, new = map(make, kinds)
    with opened(old) as lab:
        await talk(lab)

    @contextmanager
    def interrupted(what: str) -> Generator[Callable[[int, int], None]]:
        def tell(done: int, total: int) -> None:
            if what == phase:
                raise KeyboardInterrupt

        yield tell

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        move(parse(old), parse(new), interrupted, said.append)
    assert said == [
        f"Nothing was moved; {parse(old).render_as_string()} can be written to as before"
    ]
    assert not any(rows_of(new).values())
    with opened(old) as lab:
        await lab.room("r", study="s").post("between")
    done, said = moved(old, new)
    assert (done.is_new, said) == (True, [])
    with opened(new) as lab:
        texts = [each.content for each in await lab.room("r", study="s").messages()]
    assert texts == ["before", "between"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_move_that_was_killed_is_begun_again(make: Make, kind: str, tmp_path: Path) -> None:
    old, new = make("sqlite"), make(kind)
    with opened(old) as lab:
        await fill(lab, 8_000)
    before = rows_of(old)
    process = labchat("--from", old, "--to", new)
    while seal_at(old) is None:
        assert process.poll() is None
    process.kill()
    process.communicate()
    found = seal_at(old)
    assert found is not None and not found.is_copied
    again = labchat("--from", old, "--to", new)
    said = again.communicate()[1]
    assert again.returncode == 0, said
    assert "An earlier command was interrupted; all is copied from the beginning" in said
    assert shifted(rows_of(new)) == shifted(before)


def labchat(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from shiny_labchat.cli import main; main()", "move"]
    return subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)


async def test_a_move_that_was_stored_is_found_to_be_done(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    with opened(old) as lab:
        await talk(lab)
    first, _ = moved(old, new)
    with opened(new) as lab:
        await lab.room("r", study="s").post("after")
    second, _ = moved(old, new)
    assert second == first._replace(is_new=False)
    assert await asyncio.to_thread(texts_at, new) == ["before", "after"]


@pytest.mark.parametrize(
    "how", ["cut before", "cut after", pytest.param("silent", marks=pytest.mark.long)]
)
async def test_a_commit_whose_answer_is_lost_is_done_once_or_not_at_all(
    make: Make, postgres: PostgresServer, how: Any
) -> None:
    old, new = make("sqlite"), make("postgresql")
    with opened(old) as lab:
        await talk(lab)
    proxy = CommitProxy(postgres.port)
    far = new.replace(f":{postgres.port}/", f":{proxy.port}/")

    @contextmanager
    def fails(what: str) -> Generator[Callable[[int, int], None]]:
        yield lambda done, total: setattr(proxy, "fails", how)

    try:
        moved(old, far, fails)
        is_stored = True
    except StoreError:
        is_stored = False
    proxy.close()
    assert proxy.failed == 1
    assert is_stored == bool(rows_of(new)["event"])
    assert is_stored == (seal_at(old) is not None)


async def test_a_copy_that_differs_is_found_and_not_kept(
    make: Make, postgres: PostgresServer
) -> None:
    old, new = make("sqlite"), make("postgresql")
    with opened(old) as lab:
        await talk(lab)
    with opened(new) as lab:
        await lab.rooms()
    postgres.execute(
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.at = NEW.at + 1; RETURN NEW; END $$; "
        "CREATE TRIGGER change BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION change()",
        new.rpartition("/")[2],
    )
    with pytest.raises(StoreError, match="the copy has other rows in the table 'event'"):
        moved(old, new)
    assert not any(rows_of(new).values())
    assert seal_at(old) is None


# ── giving it up ─────────────────────────────────────────────────────────────────────────────


async def test_a_database_whose_move_was_killed_can_be_used_again(
    lab: Lab, room: Room, old: str, make: Make
) -> None:
    from shiny_labchat.store.seal import seal

    new = parse(make("sqlite"))
    await lab.log.write(lambda conn, now: seal(conn, new, now))
    assert await code_of(room.post("refused")) == "store_moved"
    undo(parse(old), force=False)
    await room.post("again")
    assert await lab.log.read(seal_of) is None
    with pytest.raises(LabChatError, match="is not sealed"):
        undo(parse(old), force=False)


async def test_a_database_of_an_older_version_is_said_not_to_be_sealed(
    make: Make, postgres: PostgresServer
) -> None:
    old = make("postgresql")
    with opened(old) as lab:
        await lab.rooms()
    postgres.execute("DROP TABLE last_commit", old.rpartition("/")[2])
    with pytest.raises(LabChatError, match="is not sealed"):
        undo(parse(old), force=False)


async def test_a_database_that_was_moved_is_used_again_only_by_force(
    lab: Lab, room: Room, old: str, make: Make
) -> None:
    moved(old, make("sqlite"))
    with pytest.raises(LabChatError, match="add --force"):
        undo(parse(old), force=False)
    assert await code_of(room.post("refused")) == "store_moved"
    undo(parse(old), force=True)
    await room.post("again")


async def test_whoever_withdraws_from_the_old_one_is_not_noted_where_nobody_looks(
    lab: Lab, room: Room, old: str, make: Make
) -> None:
    moved(old, make("sqlite"))
    assert await code_of(withdraw(lab.log, "a")) == "store_moved"
    assert not lab.log.ledger.exists


# ── the ledger, and the command ──────────────────────────────────────────────────────────────


async def test_the_ledger_moves_too(urls: tuple[str, str]) -> None:
    old, new = urls
    with opened(old) as lab:
        await talk(lab)
        lab.log.ledger.add("s", "somebody", "withdrawn-1")
        path = lab.log.ledger.path
    done, _ = moved(old, new)
    with opened(new) as lab:
        assert done.ledger == lab.log.ledger.path != path
        assert lab.log.ledger.known([("s", "somebody")]) == {("s", "somebody"): "withdrawn-1"}
    assert done.ledger is not None and done.ledger.stat().st_mode & 0o777 == 0o600


async def test_the_ledger_of_another_database_is_left_as_it_is(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    with opened(old) as lab, opened(new) as other:
        await talk(lab)
        for each in (lab, other):
            each.log.ledger.add("s", "somebody", "withdrawn-1")
        path = other.log.ledger.path
    before = path.read_bytes()
    with pytest.raises(StoreError, match="that of another database"):
        moved(old, new)
    assert path.read_bytes() == before
    assert seal_at(old) is None


async def test_a_ledger_that_could_not_be_written_is_noticed_before_anything_is_sealed(
    make: Make, postgres: PostgresServer
) -> None:
    old, name = make("sqlite"), f"no_such_folder/lab_{secrets.token_hex(6)}"
    new = postgres.make(name, "template1")
    with opened(old) as lab:
        await talk(lab)
        lab.log.ledger.add("s", "somebody", "withdrawn-1")
    with pytest.raises(StoreError, match="cannot be written there") as caught:
        moved(old, new)
    assert caught.value.code == "store_read_only"
    assert seal_at(old) is None
    postgres.drop(name)


async def test_a_second_command_that_begins_at_the_same_moment_says_so(
    old: str, make: Make
) -> None:
    with opened(old) as lab:
        await talk(lab)
    database = Database(parse(old))
    database.open(make=False)
    url = parse(make("sqlite"))
    made = database.write(lambda conn: seal(conn, url, now()))
    with pytest.raises(LabChatError, match="another command has begun to move"):
        database.write(lambda conn: seal(conn, url, now()))
    assert database.read(seal_of) == made
    database.close()


async def test_the_command_says_what_has_moved_and_for_how_long_nobody_could_write(
    there_and_back: tuple[str, str],
) -> None:
    old, new = there_and_back
    with opened(old) as lab:
        await talk(lab)
    count = sum(map(len, rows_of(old).values()))
    done = labchat("--from", old, "--to", new)
    lines = [line for line in done.communicate()[1].splitlines() if line]
    name = parse(new).render_as_string()
    assert done.returncode == 0, lines
    assert lines[0] == f"Moved and compared {count} rows: all of {old} is in {name}"
    assert lines[1].startswith("Nobody could write from 20") and " s), nor" in lines[1]
    assert f"Start the app again with LABCHAT_URL={name}" in lines
    undone = labchat("--from", old, "--undo")
    assert "add --force" in undone.communicate()[1]
    assert undone.returncode == 1
