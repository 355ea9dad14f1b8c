"""The command `labchat doctor`, of real servers behind real proxies."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from websockets.asyncio.server import ServerConnection, serve

from shiny_labchat.cli import main
from shiny_labchat.doctor.address import Address
from shiny_labchat.doctor.finding import Finding
from shiny_labchat.doctor.server import check_server
from shiny_labchat.doctor.sockets import check_idle, check_sockets
from shiny_labchat.store import parse
from tests.support.moving import moved
from tests.support.nginx import SOCKETS_ONLY, nginx
from tests.support.reverse_proxy import ReverseProxy
from tests.support.server import Server, free_port, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"


def doctor(*options: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *options])


def at(port: int, path: str = "") -> Address:
    return Address.of(f"http://127.0.0.1:{port}{path}")


@pytest.fixture
def ready(server: Server) -> Server:
    """The server, when it has made its database."""
    address = f"http://127.0.0.1:{server.port}/labchat/health/ready"
    for _ in range(1_000):
        if httpx.get(address, trust_env=False, timeout=60).status_code == 200:
            return server
    raise AssertionError("it is never ready")


async def found(looking: AsyncIterable[Finding]) -> dict[str, str]:
    """The verdicts, by what they are about."""
    verdicts = {finding.about: finding.verdict async for finding in looking}
    await asyncio.to_thread(lambda: None)  # connections that were refused are closed by now
    return verdicts


@pytest.fixture
def path(tmp_path: Path, empty_database: Path, sqlite_only: None) -> Path:
    shutil.copy(empty_database, tmp_path / "lab.db")
    return tmp_path / "lab.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nginx").mkdir()
    return tmp_path / "nginx"


def test_an_app_that_is_well_has_nothing_wrong(ready: Server, url: str) -> None:
    for _ in range(10):  # a machine that is busy may store so slowly that the server says so
        said = doctor("--url", url, "--address", f"http://127.0.0.1:{ready.port}")
        if "store_busy" not in said.output:
            break
    assert said.exit_code == 0, said.output
    for line in (
        "ok     server: it is ready",
        "ok     processes: one process answers",
        "ok     Shiny's socket: it can be opened",
        "ok     chat's socket: it is open to pages of this address",
        "note   other sites: at an address of this machine",
        "ok     clock: ",
    ):
        assert line in said.output
    assert f"ok     database: {parse(url).render_as_string()} answers in " in said.output


def test_an_idle_socket_needs_an_address(url: str) -> None:
    said = doctor("--url", url, "--idle", "5")
    assert said.exit_code == 2 and "--address" in said.output


NOT_OURS = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[[[[[[[[[",
    b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n{",
    b"HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\n{",
    b"HTTP/1.1 301 There\r\nlocation: gopher://[::\r\n\r\n",
    b"\x00\xff\r\n\r\n",
    b"",
]


@pytest.mark.parametrize("said", NOT_OURS)
async def test_whatever_answers_at_an_address_is_judged(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as served:
        address = at(served.sockets[0].getsockname()[1])
        assert (await found(check_server(address)))["server"] == "wrong"
        sockets = await found(check_sockets(address))
        assert sockets == {"Shiny's socket": "wrong", "chat's socket": "wrong"}


async def test_whatever_a_socket_says_is_judged() -> None:
    async def talk(socket: ServerConnection) -> None:
        if socket.request is None or socket.request.path == "/websocket/":
            return
        await socket.recv()
        for frame in ("[]", "{", b"\xff", '"bye"', '{"t": "bye"}'):
            await socket.send(frame)

    async with serve(talk, "127.0.0.1", 0) as served:
        address = at(next(iter(served.sockets)).getsockname()[1])
        assert (await found(check_sockets(address)))["chat's socket"] == "note"


def test_looking_changes_nothing_in_the_database(path: Path) -> None:
    before = path.read_bytes()
    assert doctor("--url", f"sqlite:///{path}").exit_code == 0
    with closing(sqlite3.connect(path)) as conn:
        rows = conn.execute("SELECT count(*) FROM room").fetchone(), _schema(conn)
    assert rows == ((0,), _schema_in(before, path))


def test_a_database_of_an_older_version_is_not_upgraded(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE labchat_version SET version_num = '0001'")
        conn.commit()
    said = doctor("--url", f"sqlite:///{path}")
    assert said.exit_code == 0 and "another version of shiny_labchat" in said.output
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT version_num FROM labchat_version").fetchone() == ("0001",)


def test_a_file_that_is_no_database_is_wrong(path: Path) -> None:
    path.write_text("no database, but a text that is long enough to be read as one " * 20)
    said = doctor("--url", f"sqlite:///{path}")
    assert said.exit_code == 1 and "wrong  database: " in said.output


def test_a_database_that_was_moved_is_wrong(path: Path, tmp_path: Path) -> None:
    new = f"sqlite:///{tmp_path / 'new.db'}"
    moved(f"sqlite:///{path}", new)
    said = doctor("--url", f"sqlite:///{path}")
    assert said.exit_code == 1
    assert "nobody can write there any more" in said.output
    assert f"start the app with {new}" in " ".join(said.output.split())


def test_a_database_that_is_not_there_is_noted_and_not_made(tmp_path: Path) -> None:
    said = doctor("--url", f"sqlite:///{tmp_path / 'none.db'}")
    assert said.exit_code == 0 and "note   database: there is none at" in said.output
    assert not (tmp_path / "none.db").exists()


def test_without_an_address_it_is_said_that_no_server_was_looked_at(path: Path) -> None:
    assert "no server was looked at" in doctor("--url", f"sqlite:///{path}").output


def test_an_address_at_which_nobody_answers_is_wrong(path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    said = doctor("--url", f"sqlite:///{path}", "--address", address)
    assert said.exit_code == 1 and "wrong  server: nobody answers" in said.output
    assert "socket" not in said.output


async def test_a_path_under_which_no_app_is_is_wrong(server: Server) -> None:
    assert (await found(check_server(at(server.port, "/elsewhere/"))))["server"] == "wrong"


async def test_a_proxy_that_replaces_the_host_is_noted(server: Server) -> None:
    async with ReverseProxy(server.port, "/pilot") as proxy:
        verdicts = await found(check_sockets(at(proxy.port, "/pilot/")))
    assert verdicts == {"Shiny's socket": "ok", "chat's socket": "ok", "other sites": "note"}


@pytest.mark.long
async def test_an_nginx_that_passes_on_no_websockets_is_wrong(ready: Server, folder: Path) -> None:
    with nginx(ready.port, folder, settings="") as port:
        assert (await found(check_server(at(port))))["server"] == "ok"
        verdicts = await found(check_sockets(at(port)))
    assert verdicts == {"Shiny's socket": "wrong", "chat's socket": "wrong"}


@pytest.mark.long
async def test_a_socket_that_nginx_ends_when_nothing_is_said_is_wrong(
    server: Server, folder: Path
) -> None:
    settings = f"{SOCKETS_ONLY}\nproxy_read_timeout 2s;"
    with nginx(server.port, folder, settings=settings) as port:
        finding = await check_idle(at(port), 15)
    assert finding.verdict == "wrong" and "proxy_read_timeout" in finding.change
    assert (await check_idle(at(server.port), 5)).verdict == "ok"


async def test_a_browser_that_two_processes_answer_in_turn_is_wrong(two: list[Server]) -> None:
    async with in_turn(*(each.port for each in two)) as port:
        verdicts = await found(check_server(at(port)))
    assert verdicts["processes"] == "wrong"


@pytest.fixture
def two(path: Path) -> Iterator[list[Server]]:
    """Two servers of one database."""
    both = [Server(shiny_run(APP), f"sqlite:///{path}") for _ in range(2)]
    for each in both:
        each.start()
    yield both
    for each in both:
        each.stop()


@asynccontextmanager
async def in_turn(*ports: int) -> AsyncIterator[int]:
    """Pass connections on to these ports in turn; gives the port."""
    turns = cycle(ports)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            writer.write(piece)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", next(turns))
        await asyncio.gather(pump(reader, there), pump(back, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


def _schema(conn: sqlite3.Connection) -> list[tuple[str]]:
    return conn.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


def _schema_in(content: bytes, beside: Path) -> list[tuple[str]]:
    copy = beside.with_suffix(".before")
    copy.write_bytes(content)
    with closing(sqlite3.connect(copy)) as conn:
        return _schema(conn)
