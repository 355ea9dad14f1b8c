"""A server in a process of its own, with a database in the current folder's disk."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.clock import pause
from tests.bench.sides import Side

__all__ = ["Server", "serving"]

DATABASE = "bench.db"
"""Its name, in a folder of its own."""
READY_WITHIN = 60.0
"""How long a server may take to start, in seconds."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes connections."""

    side: Side
    port: int
    url: str
    process: psutil.Process

    @property
    def sockets(self) -> int:
        """How many connections it has open."""
        found = self.process.net_connections("tcp")
        return sum(each.status == psutil.CONN_ESTABLISHED for each in found)

    def memory(self) -> float:
        """Its resident memory, in MB (2**20 bytes)."""
        return self.process.memory_info().rss / 2**20

    @property
    def database(self) -> Path:
        """The file of its database."""
        return Path(self.url.removeprefix("sqlite:///"))

    def worked(self) -> float:
        """Seconds of processor time it has used so far."""
        times = self.process.cpu_times()
        return times.user + times.system


@asynccontextmanager
async def serving(
    side: Side,
    *does: str,
    history: int = 0,
    fill: Callable[[Path], None] | None = None,
    variables: Mapping[str, str] | None = None,
) -> AsyncGenerator[Server]:
    """
    Run the server of a side as long as the context lasts.

    Parameters
    ----------
    side
        Whose server.
    does
        What the app shall do beyond showing a chat: "handle" messages, "read" them.
    history
        How many messages there are already.
    fill
        Puts a database where it is told, in a thread, before the server starts.
    variables
        Further environment variables of the server.

    Raises
    ------
    RuntimeError
        It ended, or did not answer within `READY_WITHIN`; the message has its output.
    """
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        url = f"sqlite:///{folder}/{DATABASE}"
        env = {
            **os.environ,
            **(variables or {}),
            "LABCHAT_URL": url,
            "BENCH_DOES": " ".join(does),
            "BENCH_HISTORY": str(history),
        }
        if history:
            await side.fill(url, history)
        if fill is not None:
            await asyncio.to_thread(fill, Path(folder) / DATABASE)
        log = Path(folder) / "server.log"
        port = _free_port()
        process = await _start(side.command(port), env, log)
        try:
            if not await _answers(process, port):
                raise RuntimeError(f"the server does not answer; it says:\n{log.read_text()}")
            yield Server(side, port, url, psutil.Process(process.pid))
        finally:
            await _stop(process)


async def _start(command: Sequence[str], env: dict[str, str], log: Path) -> Process:
    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    try:
        return await asyncio.create_subprocess_exec(*command, env=env, stdout=output, stderr=output)
    finally:
        os.close(output)


async def _answers(process: Process, port: int) -> bool:
    give_up = asyncio.get_running_loop().time() + READY_WITHIN
    while process.returncode is None and asyncio.get_running_loop().time() < give_up:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await pause(0.05)
        else:
            writer.close()
            return True
    return False


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
